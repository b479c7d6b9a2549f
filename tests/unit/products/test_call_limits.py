"""No call to Firestore may last as long as the client's own retries, which go on for minutes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.declarations import ROOT

DOMAINS = ("notes", "prices", "products", "users")
SOURCES = sorted(path for name in DOMAINS for path in (ROOT / "shared" / name).glob("*.py"))
QUERIES = {"stream", "get_all", "list_documents"}
CALLS_ON_DOCUMENTS = {"get", "set", "update", "create", "delete"}
DOCUMENTS = {"reference", "state", "document", "_document", "touched_document"}


def calls(source: str) -> Iterator[ast.Call]:
    """The calls to Firestore outside a transaction, which has limits of its own."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            in_transaction = any(keyword.arg == "transaction" for keyword in node.keywords)
            if goes_out(node.func) and not in_transaction:
                yield node


def goes_out(method: ast.Attribute) -> bool:
    if isinstance(method.value, ast.Call) and name(method.value) in DOCUMENTS:
        return method.attr in CALLS_ON_DOCUMENTS
    return method.attr in QUERIES or ast.unparse(method) == "batch.commit"


def name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_call_to_firestore_has_its_limits(path: Path) -> None:
    unlimited = [
        ast.unparse(call)
        for call in calls(path.read_text("utf-8"))
        if all(keyword.arg is not None for keyword in call.keywords)
    ]
    assert unlimited == []


def test_a_call_without_limits_would_be_seen() -> None:
    source = "reference(1).get(); query.stream(**limits()); {}.get(1); a.get_all(b, transaction=t)"
    assert [ast.unparse(call) for call in calls(source)] == [
        "reference(1).get()",
        "query.stream(**limits())",
    ]
