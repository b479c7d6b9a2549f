"""A codebase's main.py: each function is imported when it is asked for, and no other.

An instance serves one function (FUNCTION_TARGET) and pays for that one alone, while the
Firebase CLI, which asks for all names, still finds them all (PEP 562).
"""

import gc
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from shared.config import discovering, running_function, settings

# The usual 700 would collect hundreds of times while the first request imports its clients.
ALLOCATIONS_BEFORE_COLLECTION: Final = 20_000


def lazy_functions(
    main_file: str,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for the main.py at `main_file`."""
    names = sorted(
        path.stem
        for path in Path(main_file).parent.glob("*.py")
        if path.stem != "main" and not path.stem.startswith("_")
    )

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"There is no function {name}.")
        if running_function() == name:
            settings()
        return _load(name)

    return find, lambda: names


def _load(name: str) -> Any:
    # Collections during imports find nothing to free and cost up to a fifth of the start.
    gc.disable()
    try:
        function = getattr(importlib.import_module(name), name)
        if discovering():
            from shared.edge.manifest import attach

            attach(function)
    except AttributeError as error:
        # Left as it is, it would read as «there is no such function».
        raise ImportError(f"The function {name} cannot be imported: {error}") from error
    finally:
        gc.freeze()
        gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION)
        gc.enable()
    return function
