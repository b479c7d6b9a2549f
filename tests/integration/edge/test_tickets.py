"""Tickets: one use, one minute, one purpose, one session."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.stack import Stack
from shared.clients import firestore
from shared.edge import limits, tickets
from shared.edge import sessions as product
from shared.edge.declaration import LimitClass
from shared.edge.request import Session
from shared.errors import Unauthenticated
from tests import sessions
from tests.integration.edge.instance import instance, served
from tests.sessions import SUPER_ADMIN, SignedIn, log_in, new_client
from tests.task_cloud import ManualClock


@pytest.fixture
def signed_in(stack: Stack) -> SignedIn:
    return log_in(stack)


@pytest.fixture
def stream(stack: Stack) -> Iterator[Any]:
    with served(stack, "stream") as client:
        yield client


def get_ticket(stack: Stack, signed_in: SignedIn, purpose: str = "classify") -> dict[str, Any]:
    with new_client(stack, signed_in) as http:
        answer = http.post("/api/admin/ticket", json={"for": purpose})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def bearer(ticket: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {ticket}"}


def test_a_ticket_says_where_and_until_when(stack: Stack, signed_in: SignedIn) -> None:
    told = get_ticket(stack, signed_in)
    assert told["url"] == f"{stack.plan.functions_url}/classify"
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=40) < left <= timedelta(seconds=60)
    assert told["ticket"] not in told["url"]


def test_it_opens_the_stream_once_and_needs_no_cookie(
    stack: Stack, signed_in: SignedIn, stream: Any
) -> None:
    ticket = get_ticket(stack, signed_in)["ticket"]
    first = stream.get("/stream", headers=bearer(ticket))
    assert (first.status_code, first.get_json()) == (200, {"uid": signed_in.user["uid"]})
    assert "Set-Cookie" not in first.headers
    assert stream.get("/stream", headers=bearer(ticket)).status_code == 401


def test_no_cookie_makes_up_for_a_wrong_ticket(signed_in: SignedIn, stream: Any) -> None:
    cookie = {"Cookie": f"__session={signed_in.cookie}"}
    for headers in ({}, cookie | bearer("garbage"), cookie | {"Authorization": "Basic x"}):
        assert stream.get("/stream", headers=headers).status_code == 401
    assert stream.get("/stream?ticket=x").status_code == 401


def test_without_a_ticket_the_session_must_be_whole(stack: Stack, stream: Any) -> None:
    session = log_in(stack, SUPER_ADMIN)
    cookie = {"Cookie": f"__session={session.cookie}"}
    assert stream.get("/stream", headers=cookie).status_code == 200
    word = {"word": "x"}
    assert stream.post("/stream", json=word, headers=cookie).status_code == 403
    csrf = {"X-CSRF-Token": session.csrf}
    assert stream.post("/stream", json=word, headers=cookie | csrf).status_code == 200


def test_a_ticket_leads_to_the_functions_own_address(
    stack: Stack, signed_in: SignedIn, stream: Any
) -> None:
    ticket = get_ticket(stack, signed_in)["ticket"]
    assert stream.get("/", headers=bearer(ticket)).status_code == 200


def test_its_user_is_limited_whatever_the_address(
    stack: Stack, signed_in: SignedIn, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    take = limits.take

    def taking(limit: LimitClass, function: str, caller: str) -> limits.Allowance:
        taken.append(caller)
        return take(limit, function, caller)

    monkeypatch.setattr(limits, "take", taking)
    ticket = get_ticket(stack, signed_in)["ticket"]
    assert stream.get("/stream", headers=bearer(ticket)).status_code == 200
    assert taken == ["127.0.0.1", signed_in.user["uid"]]


def test_a_ticket_for_something_else_opens_nothing(
    stack: Stack, signed_in: SignedIn, stream: Any
) -> None:
    ticket = get_ticket(stack, signed_in, "crawler")["ticket"]
    assert stream.get("/stream", headers=bearer(ticket)).status_code == 401


def test_it_dies_with_its_session(stack: Stack, signed_in: SignedIn, stream: Any) -> None:
    ticket = get_ticket(stack, signed_in)["ticket"]
    assert sessions.log_out(stack, signed_in).status_code == 200
    assert stream.get("/stream", headers=bearer(ticket)).status_code == 401


def test_it_carries_the_roles_of_its_session_and_needs_no_csrf_token(
    stack: Stack, signed_in: SignedIn, stream: Any
) -> None:
    ticket = get_ticket(stack, signed_in)["ticket"]
    refused = stream.post("/stream", json={"word": "x"}, headers=bearer(ticket))
    assert refused.status_code == 403
    ticket = get_ticket(stack, log_in(stack, SUPER_ADMIN))["ticket"]
    admitted = stream.post("/stream", json={"word": "x"}, headers=bearer(ticket))
    assert admitted.status_code == 200


def test_a_foreign_page_cannot_use_it(stack: Stack, stream: Any) -> None:
    ticket = get_ticket(stack, log_in(stack, SUPER_ADMIN))["ticket"]
    headers = bearer(ticket) | {"Origin": "https://evil.example"}
    assert stream.post("/stream", json={"word": "x"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"for": "everything"}, {"for": 1}, {"for": "crawler", "x": 1}]
)
def test_an_unknown_purpose_is_refused(
    stack: Stack, signed_in: SignedIn, body: dict[str, Any]
) -> None:
    with new_client(stack, signed_in) as http:
        assert http.post("/api/admin/ticket", json=body).status_code == 422


def test_after_a_minute_it_is_over(stack: Stack, signed_in: SignedIn) -> None:
    clock = ManualClock(datetime.now(UTC))
    with instance(stack.environment()):
        session = live(signed_in)
        early, late = (tickets.issue(session, "classify", clock)[0] for _ in range(2))
        clock.now += timedelta(seconds=59)
        assert tickets.redeem(early, "classify", clock).uid == session.uid
        clock.now += timedelta(seconds=1)
        with pytest.raises(Unauthenticated):
            tickets.redeem(late, "classify", clock)


def test_the_database_does_not_know_the_ticket(stack: Stack, signed_in: SignedIn) -> None:
    with instance(stack.environment()):
        ticket, _ = tickets.issue(live(signed_in), "classify")
        for document in firestore.client().collection(tickets.COLLECTION).stream():
            assert ticket not in document.id
            assert ticket not in str(document.to_dict())


def live(signed_in: SignedIn) -> Session:
    now = time.time()
    return product.resolve(product.verify(signed_in.cookie, now), None, now)
