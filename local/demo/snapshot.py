"""The demo catalogue as an export of the emulator's, made once and imported at each start.

Importing takes a second or two where seeding takes half a minute. The export's name holds a
digest of the code that makes it and the month, so that it is made anew when either changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from local.firestore import export_documents, firestore
from local.plan import ROOT, Plan
from local.ports import Ports
from local.process import Process, StartFailed

CACHE: Final = ROOT / ".cache" / "demo"
SOURCES: Final = (
    "local/demo/*.py",
    "shared/prices/**/*.py",
    "shared/products/**/*.py",
    "shared/users/**/*.py",
    "shared/money.py",
)


def ensure() -> Path:
    """The folder of the present export, made if it is not there; raises StartFailed."""
    folder = CACHE / _key()
    if folder.is_dir():
        return folder
    print("making the demo data, once (about half a minute)", flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="making-", dir=CACHE))
    try:
        _make(made / "export")
        with suppress(OSError):
            # Another run may have made the same one meanwhile.
            (made / "export").rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    for old in CACHE.iterdir():
        if old != folder and not old.name.startswith("making-"):
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _make(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="shopple-") as state:
        plan = Plan(Ports.free(), Path(state))
        emulator = Process(firestore(plan), Path(state) / "firestore.log")
        emulator.launch()
        try:
            emulator.wait_until_ready()
            _seed(plan)
            export_documents(plan, folder)
        finally:
            emulator.stop()


def _seed(plan: Plan) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.demo.seed"],
        cwd=ROOT,
        env=os.environ | plan.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StartFailed(f"The demo data could not be made:\n{done.stdout}{done.stderr}")


def _key() -> str:
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return f"{datetime.now(UTC):%Y-%m}-{digest.hexdigest()[:12]}"


if __name__ == "__main__":
    ensure()
