"""Starts every function as an instance does, and prints which modules each has loaded.

One interpreter with what functions-framework brings is forked for each function, which is as
fresh as a new one and far quicker.
"""

import json
import multiprocessing
import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

Loaded = tuple[str, list[str]]


def start(main: str, name: str, serving: str | None) -> Loaded:
    """The modules that are loaded once the function `name` is, and `serving` beside it."""
    os.environ["FUNCTION_TARGET"] = name
    sys.path.append(str(Path(main).parent))
    before = set(sys.modules)
    spec = spec_from_file_location("main", main)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    getattr(module, name)
    if serving is not None:
        import_module(serving)
    return name, sorted(set(sys.modules) - before)


def report(functions: list[list[str]]) -> dict[str, list[str]]:
    """What each of `functions` (main.py, name, what serves it) loads."""
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2, maxtasksperchild=1) as pool:
        return dict(pool.starmap(start, functions, chunksize=1))


if __name__ == "__main__":
    import functions_framework  # noqa: F401 - the floor under every function

    print(json.dumps(report(json.load(sys.stdin))))  # noqa: T201 - this is what it is for
