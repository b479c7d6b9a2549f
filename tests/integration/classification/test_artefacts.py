"""What one instance hands over, others get whole, as long as it is fresh, or not at all."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from local.stack import Stack
from shared.classification import artefacts
from shared.clients import firestore
from shared.clock import utc_now
from tests.integration.edge.instance import instance

CONTENT = secrets.token_bytes(3 * artefacts.PART_BYTES - 1)
FRESH_SECONDS = 600.0


@pytest.fixture(scope="module", autouse=True)
def _instance(stack: Stack) -> Iterator[None]:
    with instance(stack.environment()):
        yield


@pytest.fixture
def name() -> str:
    name = f"test-{secrets.token_hex(4)}"
    artefacts.write(name, "a", CONTENT, FRESH_SECONDS)
    return name


def test_what_is_handed_over_is_good_for_as_long_as_it_was_for_its_maker(name: str) -> None:
    found = artefacts.read(name, "a")
    assert found is not None
    assert found.content == CONTENT
    assert FRESH_SECONDS - 60 < found.left_seconds <= FRESH_SECONDS


@pytest.mark.parametrize("hours", [1, -1])
def test_what_is_old_or_of_a_moment_to_come_is_taken_by_name_only(name: str, hours: int) -> None:
    def then() -> datetime:
        return utc_now() + timedelta(hours=hours)

    assert artefacts.read(name, "a", now=then) is None
    found = artefacts.read(name, "a", even_if_old=True, now=then)
    assert found is not None
    assert found.content == CONTENT
    assert found.left_seconds <= 0


def test_what_was_made_of_something_else_is_not_taken(name: str) -> None:
    assert artefacts.read(name, "b", even_if_old=True) is None


def test_parts_of_two_writings_are_none(name: str) -> None:
    collection = firestore.client().collection(artefacts.COLLECTION)
    collection.document(f"{name}-2").update({"version": "another"})
    assert artefacts.read(name, "a") is None
    collection.document(f"{name}-2").delete()
    assert artefacts.read(name, "a") is None


def test_each_document_stays_below_100_kb(name: str) -> None:
    parts = firestore.client().collection(artefacts.COLLECTION).document(f"{name}-1").get()
    assert len((parts.to_dict() or {})["content"]) < 95_000
    artefacts.write(name, "b", bytes(artefacts.MOST_BYTES + 1), FRESH_SECONDS)
    assert artefacts.read(name, "a") is not None


def test_a_foreign_document_is_none(name: str) -> None:
    firestore.client().document(f"{artefacts.COLLECTION}/{name}").set({"of": "a"})
    assert artefacts.read(name, "a") is None
