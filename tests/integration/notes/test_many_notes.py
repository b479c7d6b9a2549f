"""Notes at two sizes: what a page costs, where a search stops, and how many one may have."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from local.firestore import clear_documents
from local.stack import Stack
from shared.clients import firestore
from shared.notes.models import Note, to_document
from shared.notes.notebook import MOST_NOTES
from tests import sessions
from tests.integration.edge.instance import instance

READS = "X-Local-Firestore-Reads"
START = datetime(2026, 1, 1, tzinfo=UTC)


def fill(stack: Stack, uid: str, count: int) -> None:
    with instance(stack.environment()):
        for first in range(0, count, 250):
            batch = firestore.client().batch()
            for number in range(first, min(count, first + 250)):
                batch.set(
                    firestore.client().document(f"notes/many{number:05}"), fields(uid, number)
                )
            batch.commit()


def fields(uid: str, number: int) -> dict[str, object]:
    moment = START + timedelta(seconds=number)
    title = "needle" if number == 0 else "hay"
    note = Note("", uid, title, "", [], False, "none", 1, moment, moment)
    return to_document(note)


@pytest.fixture(scope="module")
def owner(stack: Stack) -> Iterator[tuple[httpx.Client, str]]:
    clear_documents(stack.plan)
    session = sessions.log_in(stack)
    with sessions.new_client(stack, session) as http:
        yield http, session.user["uid"]


@pytest.mark.parametrize("count", [100, MOST_NOTES])
def test_reads_are_bounded_at_both_sizes(
    stack: Stack, owner: tuple[httpx.Client, str], count: int
) -> None:
    http, uid = owner
    fill(stack, uid, count)
    # Beside the notes, the session's record where its copy has lapsed.
    assert int(http.get("/api/notes?limit=20").headers[READS]) <= 20 + 1

    pages, query = 0, {"q": "needle"}
    while True:
        answer = http.get("/api/notes", params=query)
        assert int(answer.headers[READS]) <= 200 + 1
        pages += 1
        if (cursor := answer.json()["next_cursor"]) is None:
            break
        query["cursor"] = cursor
        found = answer.json()["notes"]
    found = answer.json()["notes"] or found
    assert [note["title"] for note in found] == ["needle"]
    assert pages <= count // 200 + 1


def test_the_thousand_and_first_is_refused(stack: Stack, owner: tuple[httpx.Client, str]) -> None:
    http, uid = owner
    fill(stack, uid, MOST_NOTES)
    answer = http.post("/api/notes", json={"title": "One more"})
    assert answer.status_code == 409
    assert int(answer.headers[READS]) <= 1 + 1
    assert http.delete("/api/notes/many00000").status_code == 204
    assert http.post("/api/notes", json={"title": "One more"}).status_code == 201
