"""Personal notes: what their owner can do, and that nobody else can."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.firestore import clear_documents
from local.stack import Stack
from tests import sessions
from tests.sessions import ADMIN, SUPER_ADMIN

READS = "X-Local-Firestore-Reads"
ROWS = 30


@pytest.fixture(scope="module")
def clients(stack: Stack) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """An admin and a super admin, neither with a note."""
    clear_documents(stack.plan)
    with (
        sessions.new_client(stack, sessions.log_in(stack, ADMIN)) as admin,
        sessions.new_client(stack, sessions.log_in(stack, SUPER_ADMIN)) as super_admin,
    ):
        yield admin, super_admin


@pytest.fixture
def mine(clients: tuple[httpx.Client, httpx.Client]) -> httpx.Client:
    return clients[0]


@pytest.fixture
def theirs(clients: tuple[httpx.Client, httpx.Client]) -> httpx.Client:
    return clients[1]


def write(http: httpx.Client, title: str, **fields: Any) -> dict[str, Any]:
    answer = http.post("/api/notes", json={"title": title, **fields})
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()
    return note


def titles(http: httpx.Client, **query: Any) -> list[str]:
    """The titles of every page, in order; no page may be larger than asked."""
    found: list[str] = []
    while True:
        page = http.get("/api/notes", params=query).json()
        assert len(page["notes"]) <= query.get("limit", 20)
        found += [note["title"] for note in page["notes"]]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def test_a_note_is_written_read_changed_and_removed(mine: httpx.Client) -> None:
    note = write(mine, " First ", body="words", tags=["Tea", "tea", "milk"], colour="blue")
    path = f"/api/notes/{note['id']}"
    assert len(note["id"]) == 20
    assert (note["title"], note["tags"], note["pinned"]) == ("First", ["tea", "milk"], False)
    answer = mine.get(path)
    assert (answer.json(), answer.headers["ETag"]) == (note, '"1"')

    changed = mine.put(path, json={"title": "Second", "pinned": True})
    assert changed.status_code == 200
    told = changed.json()
    assert (told["title"], told["body"], told["tags"], told["pinned"]) == ("Second", "", [], True)
    assert (told["version"], changed.headers["ETag"]) == (2, '"2"')
    assert mine.put(path, json={"title": "Second", "pinned": True}).json()["version"] == 2

    assert mine.put(path, json={"title": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert mine.delete(path, headers={"If-Match": '"1"'}).status_code == 412
    assert mine.delete(path, headers={"If-Match": '"2"'}).status_code == 204
    assert mine.get(path).status_code == mine.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 201),
        ("body", "x" * 10_001),
        ("tags", ["t"] * 21),
        ("tags", ["x" * 41]),
        ("tags", [""]),
        ("colour", "pink"),
        ("pinned", "yes"),
        ("uid", "somebody"),
    ],
)
def test_a_wrong_field_is_named(mine: httpx.Client, field: str, value: Any) -> None:
    answer = mine.post("/api/notes", json={"title": "Good", field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_the_largest_note_is_kept_whole(mine: httpx.Client) -> None:
    largest: dict[str, Any] = {
        "title": "ක" * 200,
        "body": "𝄞" * 10_000,
        "tags": [f"{n:02}" * 20 for n in range(20)],
    }
    note = write(mine, **largest)
    assert {name: note[name] for name in largest} == largest
    assert mine.delete(f"/api/notes/{note['id']}").status_code == 204


@pytest.fixture(scope="module")
def many(clients: tuple[httpx.Client, httpx.Client]) -> None:
    """Thirty notes, one of them pinned."""
    for number in range(ROWS):
        write(
            clients[0],
            f"note {number:02}",
            body="fresh milk" if number % 10 == 0 else "rice",
            tags=["even"] if number % 2 == 0 else ["odd"],
            pinned=number == 3,
        )


@pytest.mark.usefixtures("many")
class TestLists:
    def test_pinned_come_first_then_the_newest(self, mine: httpx.Client) -> None:
        newest = [f"note {number:02}" for number in reversed(range(ROWS)) if number != 3]
        expected = ["note 03", *newest]
        assert titles(mine, limit=7) == titles(mine, limit=30) == titles(mine) == expected

    def test_a_tag_and_words_choose(self, mine: httpx.Client) -> None:
        assert len(titles(mine, tag="EVEN", limit=4)) == ROWS // 2
        assert titles(mine, q="MILK fresh", limit=2) == ["note 20", "note 10", "note 00"]
        assert titles(mine, q="milk", tag="odd") == titles(mine, tag="absent") == []
        assert titles(mine, q="note 17") == ["note 17"]

    def test_a_page_reads_its_rows_and_a_search_what_is_there_up_to_200(
        self, mine: httpx.Client
    ) -> None:
        assert int(mine.get("/api/notes?limit=5").headers[READS]) <= 5 + 1
        assert int(mine.get("/api/notes?q=milk&limit=2").headers[READS]) <= ROWS + 1

    def test_a_cursor_fits_its_own_list_and_owner_only(
        self, mine: httpx.Client, theirs: httpx.Client
    ) -> None:
        cursor = mine.get("/api/notes?limit=2").json()["next_cursor"]
        assert mine.get("/api/notes", params={"cursor": cursor, "tag": "odd"}).status_code == 400
        assert theirs.get("/api/notes", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("owner_is_super_admin", [False, True])
def test_nobody_reads_another_s_notes(
    clients: tuple[httpx.Client, httpx.Client],
    owner_is_super_admin: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    owner, other = reversed(clients) if owner_is_super_admin else clients
    title = f"Secret of {'the super admin' if owner_is_super_admin else 'the admin'}"
    note = write(owner, title, body="Hidden words", tags=["private"])
    path = f"/api/notes/{note['id']}"

    answers = [
        other.get(path),
        other.put(path, json={"title": "taken"}),
        other.put(path, json={"title": "taken"}, headers={"If-Match": '"9"'}),
        other.delete(path),
    ]
    absent = other.get("/api/notes/absent0note0test0000")
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["detail"] for answer in answers} == {absent.json()["detail"]}
    assert title not in titles(other)
    assert titles(other, q="Hidden words") == titles(other, tag="private") == []
    assert owner.get(path).json() == note
    assert owner.delete(path).status_code == 204


def test_the_audit_trail_says_that_a_note_changed_and_not_what_it_holds(
    mine: httpx.Client, theirs: httpx.Client
) -> None:
    note = write(mine, "Unspeakable", body="Unspeakable", tags=["unspeakable"])
    path = f"/api/notes/{note['id']}"
    mine.put(path, json={"title": "Unspeakable too"})
    mine.delete(path)
    answer = theirs.get("/api/audit/logs", params={"resource": f"notes/{note['id']}"})
    actions = [entry["action"] for entry in answer.json()["entries"]]
    assert actions == ["note.deleted", "note.updated", "note.created"]
    assert "nspeakable" not in answer.text


def test_a_repeat_under_one_key_writes_one_note(mine: httpx.Client) -> None:
    headers = {"Idempotency-Key": "notes-once"}
    one = mine.post("/api/notes", json={"title": "Once"}, headers=headers)
    two = mine.post("/api/notes", json={"title": "Once"}, headers=headers)
    assert one.json()["id"] == two.json()["id"]
    assert titles(mine, q="Once") == ["Once"]
