"""Notes as documents, and what a search finds in them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.notes.models import Note, clean_tags, from_document, to_document

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
NOTE = Note(
    id="n1",
    uid="u1",
    title="Straße prices",
    body="Ask Keells about rice",
    tags=["prices", "කිරි"],
    pinned=True,
    colour="red",
    version=2,
    created_at=NOW,
    updated_at=NOW,
)


def test_a_note_comes_back_from_its_document() -> None:
    document = to_document(NOTE)
    assert from_document("n1", document) == NOTE
    assert "id" not in document


def test_a_change_makes_a_version_and_no_change_makes_none() -> None:
    assert NOTE.changed(LATER, title=NOTE.title, pinned=True) is NOTE
    changed = NOTE.changed(LATER, body="")
    assert (changed.version, changed.updated_at, changed.created_at) == (3, LATER, NOW)


@pytest.mark.parametrize("asked", ["rice", "KEELLS", "rice straSSE", "කිරි", "pric", "ask  about"])
def test_a_search_finds_every_word_anywhere_in_any_case(asked: str) -> None:
    assert NOTE.holds(asked)


@pytest.mark.parametrize("asked", ["tea", "rice tea", "prices\nask keells about rice prices x"])
def test_a_search_finds_nothing_where_a_word_is_missing(asked: str) -> None:
    assert not NOTE.holds(asked)


@given(st.lists(st.text(min_size=1, max_size=5), max_size=20))
def test_clean_tags_are_unique_and_stay_clean(tags: list[str]) -> None:
    cleaned = clean_tags(tags)
    assert len(cleaned) == len(set(cleaned)) <= len(tags)
    assert set(cleaned) == {tag.lower() for tag in tags}
