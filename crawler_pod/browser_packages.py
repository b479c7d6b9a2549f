"""crawl4ai, set up beside the pod's own packages at the first page that needs it.

An image that holds it already has nothing to do here.
"""

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parent / ".venv-crawl"
REQUIREMENTS: Final = HERE / "requirements-browser.txt"
_READY: Final = ".crawl4ai"
_SECONDS: Final = 900
_SHOWN_CHARS: Final = 500


class SetUpFailed(Exception):
    """The packages cannot be had; says what was tried last."""


def missing(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> bool:
    """Whether they have to be set up before a page can be drawn."""
    return importlib.util.find_spec("crawl4ai") is None and not is_ready(folder, requirements)


def is_ready(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> bool:
    """Whether `folder` holds just what `requirements` pins: the last that a set-up writes."""
    ready = folder / _READY
    return ready.exists() and ready.read_text() == _digest(requirements)


def ensure(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> None:
    """Makes `import crawl4ai` work in this process; takes minutes the first time on a machine.

    Its packages are pinned by the same versions as ours, so that they may stand behind ours on
    one path. Raises SetUpFailed.
    """
    if importlib.util.find_spec("crawl4ai") is not None:
        return
    set_up(folder, requirements)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.append(str(folder / "lib" / version / "site-packages"))
    importlib.invalidate_caches()


def set_up(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> bool:
    """Whether it had to be done; of pods that come together one does it, and the others wait.

    What a pod left that was killed meanwhile is begun anew. Raises SetUpFailed.
    """
    if is_ready(folder, requirements):
        return False
    with _alone(folder):
        if is_ready(folder, requirements):
            return False
        _install(folder, requirements)
    return True


def quiet(folder: Path) -> None:
    """What crawl4ai reads from the environment: no notices, and nothing in anybody's home."""
    os.environ["CRAWL4AI_NO_CLOUD_NOTICE"] = "1"
    os.environ["CRAWL4_AI_BASE_DIRECTORY"] = str(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The lock goes with the process that holds it, however that ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(folder: Path, requirements: Path) -> None:
    python = folder / "bin" / "python"
    given = ["--quiet", "--require-hashes", "--requirement", str(requirements)]
    if importlib.util.find_spec("uv") is not None:
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
        _run([sys.executable, "-m", "uv", "pip", "install", "--python", str(python), *given])
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", *given])
    (folder / _READY).write_text(_digest(requirements))


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetUpFailed(str(error)) from None
    if done.returncode:
        raise SetUpFailed(f"{command[2:5]}: {done.stderr.strip()[-_SHOWN_CHARS:]}")


if __name__ == "__main__":
    set_up()
