"""crawl4ai, set up beside the pod's own packages at the first page that needs it.

An image that holds it already has nothing to do here.
"""

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

from crawler_pod.setting_up import alone, run

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parent / ".venv-crawl"
REQUIREMENTS: Final = HERE / "requirements-browser.txt"
_READY: Final = ".crawl4ai"


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
    with alone(folder):
        if is_ready(folder, requirements):
            return False
        _install(folder, requirements)
    return True


def quiet(folder: Path) -> None:
    """What crawl4ai reads from the environment: no notices, and nothing in anybody's home."""
    os.environ["CRAWL4AI_NO_CLOUD_NOTICE"] = "1"
    os.environ["CRAWL4_AI_BASE_DIRECTORY"] = str(folder)


def _install(folder: Path, requirements: Path) -> None:
    python = folder / "bin" / "python"
    given = ["--quiet", "--require-hashes", "--requirement", str(requirements)]
    if importlib.util.find_spec("uv") is not None:
        run("venv", [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
        uv = [sys.executable, "-m", "uv", "pip", "install", "--python", str(python)]
        run("uv pip install", [*uv, *given])
    else:
        run("venv", [sys.executable, "-m", "venv", "--clear", str(folder)])
        run("pip install", [str(python), "-m", "pip", "install", *given])
    (folder / _READY).write_text(_digest(requirements))


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()


if __name__ == "__main__":
    set_up()
