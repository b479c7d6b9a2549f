"""What is declared is what the contract promises."""

import re

import pytest

from local.plan import ROOT
from shared.edge.headers import SECURITY
from shared.edge.limits import PER_MINUTE
from tests.architecture.contract import HEADERS, KEPT_CHANGED_REPLACED, PROMISES, Promise
from tools.declarations import declared

UNLIMITED = "instance"


def declared_calls() -> set[Promise]:
    calls = set()
    for each in declared():
        if each.function.path is None or each.function.private:
            continue
        path = re.sub(r"{\w+}", "<id>", each.function.path)
        for verb, method in each.function.methods.items():
            limit = None if method.limit == UNLIMITED else PER_MINUTE[method.limit]
            ttl = method.cached.ttl_seconds if method.cached else None
            calls.add(Promise(verb, path, method.role, limit, ttl))
    return calls


def test_each_call_is_declared_as_promised() -> None:
    promised, found = set(PROMISES), declared_calls()
    assert sorted(promised - found, key=str) == []
    assert sorted(found - promised, key=str) == []


def test_each_answer_carries_these_headers() -> None:
    """That each does carry them, the test of every route shows."""
    assert {name: SECURITY[name] for name in HEADERS} == HEADERS
    assert SECURITY["Content-Security-Policy"].startswith("default-src 'self';")
    assert "Referrer-Policy" in SECURITY


@pytest.mark.parametrize("line", KEPT_CHANGED_REPLACED)
def test_each_line_of_what_was_kept_changed_or_replaced_has_its_test(line: str) -> None:
    found = re.fullmatch(r"(.+\.py)::(\w+)", KEPT_CHANGED_REPLACED[line])
    assert found
    file, test = found.groups()
    assert f"def {test}(" in (ROOT / "tests" / file).read_text()
