"""Chromium: the machine's own, or one that is set up at the first page that needs it.

Root has it from apt, anybody else from Playwright's downloads, which come with crawl4ai.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from crawler_pod import browser_packages
from crawler_pod.setting_up import SetUpFailed, alone, run

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
FOLDER: Final = browser_packages.HERE.parent / ".cache" / "chromium"
# Playwright writes it last.
_WHOLE: Final = "INSTALLATION_COMPLETE"


def found(folder: Path = FOLDER) -> str | None:
    """The program that is there already."""
    if named := next(filter(None, map(shutil.which, NAMES)), None):
        return named
    programs = folder.glob("chromium-*/chrome-linux*/chrome")
    return next((str(each) for each in programs if (each.parents[1] / _WHOLE).exists()), None)


def ensure(folder: Path = FOLDER) -> str:
    """The program, set up if there is none; of pods that come together one does it.

    Raises SetUpFailed, which names each way that was tried.
    """
    if program := found(folder):
        return program
    troubles: list[str] = []
    with alone(folder):
        for way in (_by_apt, _by_playwright):
            if found(folder) is None:
                try:
                    way(folder)
                except SetUpFailed as error:
                    troubles.append(str(error))
    if program := found(folder):
        return program
    why = "; ".join(troubles) or "nothing that was set up is one"
    raise SetUpFailed(f"there is no Chromium on this machine, and none can be set up: {why}")


def _by_apt(_: Path) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetUpFailed("apt-get: only where it is, and for root")
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qqy"]
    run("apt-get update", [*apt, "update"])
    run("apt-get install", [*apt, "install", "--no-install-recommends", "chromium"])


def _by_playwright(folder: Path) -> None:
    beside = browser_packages.FOLDER / "bin" / "python"
    python = str(beside) if browser_packages.is_ready() else sys.executable
    command = [python, "-m", "playwright", "install", "--no-shell", "chromium"]
    run("playwright install", ["env", f"PLAYWRIGHT_BROWSERS_PATH={folder}", *command])


if __name__ == "__main__":
    try:
        ensure()
    except SetUpFailed as trouble:
        sys.exit(str(trouble))
