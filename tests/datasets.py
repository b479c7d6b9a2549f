"""Where the real catalogues and labelled pairs are, for the tests that measure on them."""

import os
from pathlib import Path

import pytest


def data_dir() -> Path | None:
    """The folder of data sets, or None where there is none."""
    named = os.environ.get("SHOPPLE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def require_data(*parts: str) -> Path:
    """A path below the data folder; the test is skipped, saying so, where it is absent."""
    folder = data_dir()
    path = folder.joinpath(*parts) if folder else None
    if path is None or not path.exists():
        pytest.skip(f"no data set {'/'.join(parts)}: set SHOPPLE_DATA to the folder of data sets")
    return path
