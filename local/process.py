"""One child process of the local cloud: started, watched until ready, and surely stopped."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_POLL_SECONDS = 0.02
_LOG_TAIL_BYTES = 2000
_PR_SET_PDEATHSIG = 1

# The kernel's death signal comes when the *thread* that started a child ends, so all children are
# started by this one, which lives as long as the process.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartFailed(Exception):
    """A part ended or did not answer in time; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to run a part and how to tell that it serves."""

    name: str
    arguments: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    ready_seconds: float = 60
    stop_seconds: float = 5


class Process:
    """A child process in its own group, with its output in one log file."""

    def __init__(self, command: Command, log: Path) -> None:
        self.name = command.name
        self.log = log
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._descendants: set[psutil.Process] = set()
        self._launched = 0.0

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id, which is its group's too; None before the first start."""
        return None if self._child is None else self._child.pid

    def launch(self) -> None:
        """Start without waiting until the part serves; a running one is left alone."""
        if not self.running:
            self._launched = time.monotonic()
            self._child = _SPAWNER.submit(self._spawn).result()

    def wait_until_ready(self) -> float:
        """Return the seconds since the launch once the part serves; raises StartFailed."""
        deadline = self._launched + self._command.ready_seconds
        while not self._command.ready():
            if not self.running:
                raise StartFailed(f"{self.name} ended while starting:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                limit = self._command.ready_seconds
                raise StartFailed(f"{self.name} is not up after {limit:g} s:\n{self._log_tail()}")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - self._launched

    def start(self) -> float:
        """Launch and wait until the part serves; returns the seconds it took."""
        self.launch()
        return self.wait_until_ready()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the group and return at once."""
        if self._child is not None:
            # What leaves the group, or its parent behind, is found by nobody afterwards.
            with suppress(psutil.NoSuchProcess):
                leader = psutil.Process(self._child.pid)
                self._descendants.update(leader.children(recursive=True))
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop it with all that it started, in the end by force; returns once it is gone."""
        if self._child is None:
            return
        self.resume()
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(self._command.stop_seconds)
        self.kill()
        for descendant in self._descendants:
            with suppress(psutil.NoSuchProcess):
                descendant.kill()
        psutil.wait_procs(self._descendants, self._command.stop_seconds)
        self._descendants.clear()

    def kill(self) -> None:
        """End the whole group at once, as a crash would; returns when it is gone."""
        if self._child is not None:
            self._signal(signal.SIGKILL)
            self._child.wait()

    def pause(self) -> None:
        """Freeze the group: it accepts connections and answers nothing, as an overloaded part."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen group go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            # Members of the group can outlive its leader, so the group is signalled even then.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, number)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the commands are this package's own
                self._command.arguments,
                cwd=self._command.folder,
                env=os.environ | dict(self._command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no locks
            )

    def _log_tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")


def die_with_parent() -> None:
    """In a child, before it runs: it ends with the thread that started it, however that ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
