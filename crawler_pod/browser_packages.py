"""crawl4ai, set up beside the pod's own packages at the first page that needs it.

An image that holds it already has nothing to do here.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parent / ".venv-crawl"
_READY: Final = ".crawl4ai"
_SECONDS: Final = 900
_SHOWN_CHARS: Final = 500


class SetUpFailed(Exception):
    """The packages cannot be had; says what was tried last."""


def ensure(folder: Path = FOLDER) -> None:
    """Makes `import crawl4ai` work in this process; takes minutes the first time on a machine.

    Its packages are pinned by the same versions as ours, so that they may stand behind ours on
    one path. Raises SetUpFailed.
    """
    if importlib.util.find_spec("crawl4ai") is not None:
        return
    if not (folder / _READY).exists():
        install(folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.append(str(folder / "lib" / version / "site-packages"))
    importlib.invalidate_caches()


def install(folder: Path = FOLDER) -> None:
    """A virtual environment with what requirements-browser.txt pins; raises SetUpFailed."""
    requirements = HERE / "requirements-browser.txt"
    python = folder / "bin" / "python"
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    given = ["--quiet", "--require-hashes", "--requirement", str(requirements)]
    if importlib.util.find_spec("uv") is not None:
        _run([sys.executable, "-m", "uv", "pip", "install", "--python", str(python), *given])
    else:
        _run([str(python), "-m", "pip", "install", *given])
    (folder / _READY).touch()


def quiet(folder: Path) -> None:
    """What crawl4ai reads from the environment: no notices, and nothing in anybody's home."""
    os.environ["CRAWL4AI_NO_CLOUD_NOTICE"] = "1"
    os.environ["CRAWL4_AI_BASE_DIRECTORY"] = str(folder)


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
    if not (FOLDER / _READY).exists():
        install()
