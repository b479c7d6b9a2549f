"""The shape of the category tree, with loops and lost parents as a race could leave them."""

from typing import Any

import pytest

from shared.products.category_tree import MAX_DEPTH, ancestors, height
from shared.products.default_categories import DEFAULT_CATEGORIES


def tree(**parents: str | None) -> dict[str, dict[str, Any]]:
    return {cid: {"name": cid, "parent_id": parent} for cid, parent in parents.items()}


CHAIN = tree(a=None, b="a", c="b", d="b")


def test_the_line_of_a_category_begins_at_its_root() -> None:
    assert ancestors("c", CHAIN) == ["a", "b", "c"]
    assert ancestors("a", CHAIN) == ["a"]
    assert ancestors(None, CHAIN) == []


def test_a_lost_parent_or_a_loop_ends_the_line() -> None:
    assert ancestors("b", tree(b="gone")) == ["b"]
    assert ancestors("a", tree(a="b", b="a")) == ["b", "a"]


def test_the_height_counts_the_levels_below() -> None:
    assert [height(each, CHAIN) for each in "abcd"] == [3, 2, 1, 1]
    assert height("new", CHAIN) == 1


@pytest.mark.parametrize(
    ("parents", "levels"),
    [({"a": "a"}, 1), ({"a": "b", "b": "a"}, 2), ({"a": "c", "b": "a", "c": "b", "d": "c"}, 4)],
)
def test_a_loop_is_counted_once(parents: dict[str, str | None], levels: int) -> None:
    assert height("a", tree(**parents)) == levels


def test_the_first_set_is_a_tree_of_its_own() -> None:
    seeds = {
        seed.id: {"name": seed.name, "parent_id": seed.parent_id} for seed in DEFAULT_CATEGORIES
    }
    assert len(seeds) == len(DEFAULT_CATEGORIES)
    for seed in DEFAULT_CATEGORIES:
        line = ancestors(seed.id, seeds)
        assert len(line) == (1 if seed.parent_id is None else 2) <= MAX_DEPTH
