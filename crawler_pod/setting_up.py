"""How a pod sets up what its image does not hold: commands, one pod of a machine at a time."""

import fcntl
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SECONDS: Final = 900
_SHOWN_CHARS: Final = 300
# What a tool says then is worth more than where it ended.
_ERROR: Final = re.compile(r"^\s*(?:error|e): ", re.IGNORECASE | re.MULTILINE)


class SetUpFailed(Exception):
    """What is needed cannot be had; says what was tried last."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The lock goes with the process that holds it, however that ends; raises SetUpFailed."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        opened = folder.with_name(f"{folder.name}.lock").open("w")
    except OSError as error:
        raise SetUpFailed(f"nothing can be set up at {folder}: {error.strerror}") from None
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(what: str, command: list[str]) -> None:
    """Runs `command`, called `what` for people; raises SetUpFailed."""
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetUpFailed(f"{what}: {error}") from None
    if done.returncode:
        raise SetUpFailed(f"{what}: {_shown(done.stderr or done.stdout)}")


def _shown(said: str) -> str:
    error = _ERROR.search(said)
    plain = " ".join(said[error.start() if error else 0 :].split())
    return plain[:_SHOWN_CHARS] if error else plain[-_SHOWN_CHARS:]
