"""Writes dist/<codebase>/, from which the Firebase CLI deploys: nothing but what it needs."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from tools.declarations import FUNCTIONS, ROOT, codebases
from tools.wheel import Wheel, build_wheel

DIST: Final = ROOT / "dist"
REQUIREMENTS: Final = ROOT / "requirements"
VIRTUAL_ENVIRONMENT: Final = ROOT / ".venv"


def bundle(destination: Path = DIST) -> list[Path]:
    """Writes every codebase's folder anew and returns them."""
    wheel = build_wheel(ROOT)
    return [_write(destination / name, name, wheel) for name in codebases()]


def _write(folder: Path, codebase: str, wheel: Wheel) -> Path:
    # A function that was removed from the source must not be deployed once more.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sorted((FUNCTIONS / codebase).glob("*.py")):
        (folder / source.name).write_bytes(source.read_bytes())
    (folder / wheel.name).write_bytes(wheel.content)
    pinned = (REQUIREMENTS / f"{codebase}.txt").read_text()
    # pip refuses one line without a hash among others with theirs.
    (folder / "requirements.txt").write_text(
        f"{pinned}./{wheel.name} --hash=sha256:{wheel.sha256}\n"
    )
    # The Firebase CLI asks the functions what they declare by the Python that it finds here;
    # firebase.json keeps it out of the upload.
    link = os.path.relpath(VIRTUAL_ENVIRONMENT, folder.resolve())
    (folder / "venv").symlink_to(link, target_is_directory=True)
    return folder


def main() -> int:
    """Bundle everything."""
    for folder in bundle():
        print(f"wrote: {folder.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
