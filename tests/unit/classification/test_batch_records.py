"""How a batch is cut into parts: each item once, and what one call answers in one part."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.classification import batch_progress, batch_store, portions, prompts, spent
from shared.classification.batch_records import (
    PART_BYTES,
    PART_ITEMS,
    Batch,
    Placed,
    parts,
    verdict_of,
)
from shared.classification.models import Categories, Decided, Item

ITEM = st.builds(
    Item,
    name=st.sampled_from(["Ceylon Tea 100g", "ceylon tea 100 G", "Milk 1 l", "Soap", "?"])
    | st.text(min_size=1, max_size=300),
    description=st.none() | st.text(max_size=1500),
    brand=st.none() | st.text(max_size=200),
    price=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    id=st.none() | st.just("p1"),
    size=st.none() | st.sampled_from(["1 L", "400 g"]),
)
DECIDED = Decided(0, "tea", 80, 90, "", "groq", "model", "1", "provider", needs_review=False)


@given(st.lists(ITEM, min_size=1, max_size=80))
def test_each_item_is_in_one_part_and_no_part_is_too_large(items: list[Item]) -> None:
    cut = list(parts(items))
    placed = [each for part in cut for each in part]
    assert sorted(each.index for each in placed) == list(range(len(items)))
    assert all(items[each.index] == each.item for each in placed)
    for part in cut:
        assert 0 < len(part) <= PART_ITEMS
        assert len(msgspec.json.encode([each.fields() for each in part])) < PART_BYTES + 10_000


@given(ITEM)
def test_what_is_stored_of_an_item_is_asked_about_as_the_item_is(item: Item) -> None:
    stored = Placed.of_fields(Placed(7, item).fields())
    assert stored.index == 7
    again = Placed(7, stored.item).fields()
    assert {**again, "price": None} == {**Placed(7, item).fields(), "price": None}


def test_a_part_is_one_call_with_all_that_says_the_same() -> None:
    items = [Item(f"Word{n} Other{n}") for n in range(100)]
    items += [Item(f" Word{n}  Other{n}") for n in range(100)]
    cut = list(parts(items))
    assert len(cut) == 100 // portions.MOST_IN_CALL
    for part in cut:
        texts = [prompts.identity(each.item) for each in part]
        assert len(texts) == 2 * len(set(texts)) == 2 * portions.MOST_IN_CALL


def test_a_size_beside_the_name_is_asked_about_with_it() -> None:
    told = prompts.question(Item("Anchor Milk", size="400 g"), Categories(()))
    assert '"size":"400 g"' in told.user


def test_ten_thousand_alike_are_as_many_parts_as_there_must_be() -> None:
    assert len(list(parts([Item("Milk")] * 1000))) == 1000 // PART_ITEMS


def test_a_result_counts_once() -> None:
    assert verdict_of(DECIDED) == "successful"
    assert verdict_of(msgspec.structs.replace(DECIDED, needs_review=True)) == "review"
    assert verdict_of(msgspec.structs.replace(DECIDED, category=None)) == "failed"


def test_counts_add_up_though_results_come_while_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    batch = Batch("b", "running", 9, (9,), None, None, now, "me", now, now, now)
    counts = {"failed": 3, "review": 4}
    monkeypatch.setattr(batch_store, "count", lambda _id, verdict: counts[verdict])
    monkeypatch.setattr(spent, "of_origin", lambda _id: (1, 2))
    changes = batch_progress._changes(batch, 5, now)
    parts = [changes[name] for name in ("successful", "failed", "review")]
    assert (parts, changes["done"]) == ([0, 3, 4], 7)
    assert batch_progress._changes(batch, 9, now)["status"] == "done"
