"""Queries at their edges: what can be no moment, cursor or filter is refused, never a failure."""

import pytest

from local.stack import Stack
from tests.sessions import SUPER_ADMIN, log_in, new_client


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-01-01"},
        {"from": "2026-01-01T00:00:00"},
        {"to": "yesterday"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "1e400"},
        {"limit": "9" * 4000},
        {"cursor": "garbage"},
        {"cursor": ""},
        {"cursor": "x" * 1001},
        {"actor": ""},
        {"unknown": "1"},
        {"resource": "a\x00b"},
    ],
    ids=str,
)
def test_a_wrong_query_is_refused(stack: Stack, query: dict[str, str]) -> None:
    with new_client(stack, log_in(stack, SUPER_ADMIN)) as http:
        answer = http.get("/api/audit/logs", params=query)
    allowed = (200,) if query == {"cursor": ""} else (400, 422)
    assert answer.status_code in allowed, answer.text


def test_pages_follow_each_other_and_a_foreign_cursor_is_refused(stack: Stack) -> None:
    session = log_in(stack, SUPER_ADMIN)
    with new_client(stack, session) as http:
        action = {"action": "session.opened"}
        first = http.get("/api/audit/logs", params=action | {"limit": 1}).json()
        log_in(stack)
        after = {"limit": 1, "cursor": first["next_cursor"]}
        second = http.get("/api/audit/logs", params=action | after)
        foreign = http.get("/api/audit/logs", params=after)
    assert second.status_code == 200
    newer = {entry["id"] for entry in first["entries"]}
    assert newer.isdisjoint(entry["id"] for entry in second.json()["entries"])
    assert foreign.status_code == 400
