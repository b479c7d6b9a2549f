"""Every function of every codebase with what it declares, found by importing them all."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.edge.declaration import Function
from shared.edge.endpoint import declaration_of

ROOT = Path(__file__).parent.parent
FUNCTIONS = ROOT / "functions"


class Misdeclared(Exception):
    """A function's file does not declare what its name promises; the message names both."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One function, the codebase that its file lies in, and what is said of it."""

    codebase: str
    function: Function
    doc: str


def codebases() -> list[str]:
    """The names of the codebases, which are those of their folders."""
    return sorted(main.parent.name for main in FUNCTIONS.glob("*/main.py"))


def names(codebase: str) -> list[str]:
    """The names of a codebase's functions, which are those of their files."""
    files = (FUNCTIONS / codebase).glob("*.py")
    return sorted(file.stem for file in files if file.stem != "main" and file.stem[0] != "_")


def declared() -> list[Declared]:
    """All functions, by codebase and name; raises Misdeclared."""
    found = [each for codebase in codebases() for each in _load(codebase)]
    _check_unique(found)
    return found


def _load(codebase: str) -> list[Declared]:
    with _importable(FUNCTIONS / codebase):
        return [_declared(codebase, name) for name in names(codebase)]


def _declared(codebase: str, name: str) -> Declared:
    module = importlib.import_module(name)
    where = f"functions/{codebase}/{name}.py"
    if module.__file__ is None or Path(module.__file__) != ROOT / where:
        raise Misdeclared(f"{where} is hidden by another module called {name}: {module.__file__}.")
    declaration = declaration_of(getattr(module, name, None))
    if declaration is None or declaration.name != name:
        raise Misdeclared(f"{where} does not declare a function called {name}.")
    return Declared(codebase, declaration, declaration.doc or module.__doc__ or "")


def _check_unique(found: list[Declared]) -> None:
    # The Firebase CLI would deploy one and drop the other without a word.
    owners: dict[str, str] = {}
    for each in found:
        other = owners.setdefault(each.function.name, each.codebase)
        if other != each.codebase:
            raise Misdeclared(f"{each.function.name} is in {other} and in {each.codebase}.")


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    # Last, as functions-framework has it: a module of the same name elsewhere wins.
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
