"""Writes what follows from the declarations, or with --check tells what is stale."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from tools.declarations import ROOT, Declared, declared
from tools.endpoint_table import endpoint_table
from tools.firebase_config import firebase_config
from tools.indexes import firestore_indexes
from tools.openapi import openapi

DERIVED: dict[str, Callable[[list[Declared]], str]] = {
    "firebase.json": lambda functions: _json(firebase_config(functions)),
    "firestore.indexes.json": lambda _: _json(firestore_indexes()),
    # Inside the package, where the function that answers with it finds it once deployed.
    "shared/system/openapi.json": lambda functions: _json(openapi(functions)),
    "docs/endpoints.md": endpoint_table,
}


def derived() -> dict[Path, str]:
    """Each derived file and what it should hold."""
    functions = declared()
    return {ROOT / name: make(functions) for name, make in DERIVED.items()}


def stale(files: dict[Path, str]) -> list[Path]:
    """The files that hold something else, or do not exist."""
    return [path for path, text in files.items() if not path.exists() or path.read_text() != text]


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Derive everything; the exit status says whether a check found all fresh."""
    parser = argparse.ArgumentParser(prog="python -m tools.derive", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name what is stale")
    check = parser.parse_args().check
    files = derived()
    outdated = stale(files)
    for path in outdated:
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
    if check and outdated:
        print("Run `python -m tools.derive` and keep what it writes.")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
