"""docs/endpoints.md: what is deployed, as tables to read."""

from collections.abc import Iterable
from typing import Final

from shared.edge.declaration import Function, Method
from tools.declarations import Declared

INTRODUCTION: Final = """# Endpoints

Derived from the functions' declarations by `python -m tools.derive`; not written by hand.
"""
ENDPOINT_COLUMNS: Final = (
    "Path",
    "Method",
    "Role",
    "Calls",
    "Cached",
    "Audited as",
    "Function",
    "Memory",
)
BACKGROUND_COLUMNS: Final = ("Function", "Runs for", "Memory", "Timeout", "What it does")


def endpoint_table(functions: list[Declared]) -> str:
    """The whole page."""
    endpoints = [
        _endpoint(each, method)
        for each in sorted(functions, key=lambda each: str(each.function.path))
        if each.function.path is not None
        for method in each.function.methods.values()
    ]
    background = [_background(each) for each in functions if each.function.path is None]
    return "\n".join(
        (
            INTRODUCTION,
            *_table(ENDPOINT_COLUMNS, endpoints),
            "",
            "## In the background",
            "",
            *_table(BACKGROUND_COLUMNS, background),
            "",
        )
    )


def _endpoint(declared: Declared, method: Method) -> tuple[str, ...]:
    function = declared.function
    return (
        f"`{function.path}`",
        method.verb,
        method.role,
        method.limit,
        f"{method.cached.ttl_seconds} s" if method.cached else "",
        f"`{method.audit}`" if method.audit else "",
        f"{declared.codebase}/{function.name}",
        f"{function.memory_mb} MB",
    )


def _background(declared: Declared) -> tuple[str, ...]:
    function = declared.function
    return (
        f"{declared.codebase}/{function.name}",
        _occasion(function),
        f"{function.memory_mb} MB",
        f"{function.timeout_seconds} s",
        declared.doc.partition("\n")[0],
    )


def _occasion(function: Function) -> str:
    if function.kind == "firestore":
        return f"each write of `{function.document}`"
    return f"tasks of the queue `{function.queue}`" if function.queue else "the scheduler"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = (columns, tuple("---" for _ in columns), *rows)
    return [f"| {' | '.join(row)} |" for row in cells]
