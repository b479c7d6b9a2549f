"""Child processes: their end is certain, however it comes about."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from local.process import Command, Process, StartFailed
from tests.polling import eventually

FOREVER = "import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); {FOREVER}"


def python(tmp_path: Path, code: str, *, says: str = "", **limits: float) -> Process:
    log = tmp_path / "log"
    command = Command(
        "toy",
        [sys.executable, "-u", "-c", code],
        ready=lambda: says in log.read_text(),
        **limits,  # type: ignore[arg-type]
    )
    return Process(command, log)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan stays as a zombie where nothing reaps it.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_it_is_ready_when_its_probe_says_so(tmp_path: Path) -> None:
    process = python(tmp_path, f"print('up'); {FOREVER}", says="up")
    process.start()
    assert process.running
    process.stop()
    assert not process.running


def test_one_that_ends_while_starting_shows_its_log(tmp_path: Path) -> None:
    process = python(tmp_path, "raise SystemExit('no such thing')", says="up")
    with pytest.raises(StartFailed, match="no such thing"):
        process.start()


def test_one_that_never_serves_is_given_up(tmp_path: Path) -> None:
    process = python(tmp_path, FOREVER, says="up", ready_seconds=0.2)
    with pytest.raises(StartFailed, match=r"not up after 0\.2 s"):
        process.start()
    process.stop()


def test_one_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    process = python(tmp_path, STUBBORN, says="up", stop_seconds=0.2)
    process.start()
    process.stop()
    assert not process.running


@pytest.mark.parametrize("in_its_group", [True, False])
def test_its_children_end_with_it(tmp_path: Path, in_its_group: bool) -> None:  # noqa: FBT001
    code = f"""
        import subprocess, sys
        child = [sys.executable, "-c", {STUBBORN!r}]
        print(subprocess.Popen(child, start_new_session={not in_its_group}).pid)
        {FOREVER}
    """
    process = python(tmp_path, textwrap.dedent(code), says="\n")
    process.start()
    grandchild = int(process.log.read_text().split()[0])
    process.stop()
    eventually(lambda: gone(grandchild))


def test_it_starts_again_after_a_crash(tmp_path: Path) -> None:
    process = python(tmp_path, f"print('up'); {FOREVER}", says="up")
    process.start()
    first = process.pid
    process.kill()
    assert not process.running
    process.start()
    assert process.pid != first
    process.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        from pathlib import Path
        from local.process import Command, Process
        process = Process(Command("toy", [sys.executable, "-c", {FOREVER!r}], ready=lambda: True),
                          Path({str(tmp_path / "log")!r}))
        process.start()
        print(process.pid, flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    eventually(lambda: gone(child))
