"""Merges and what undoes them, as rules: random histories, and the cases with a story."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.products.merging import (
    MOST_OFFERS,
    Change,
    Group,
    Place,
    TooManyOffers,
    crossing,
    leave,
    merge,
    merged,
    places,
    unmerge,
)
from shared.products.models import Product

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OFFERS = tuple("abcdefgh")


def offer(product_id: str, **fields: object) -> Product:
    product = Product(
        id=product_id,
        name=f"Tea {product_id}",
        brand="",
        size="",
        category="",
        retailer=f"shop-{ord(product_id[0]) % 3}",
        retailer_sku=None,
        url=None,
        image=None,
        description=None,
        price_minor=100,
        currency="LKR",
        status="active",
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return msgspec.structs.replace(product, **fields)


class Shelf:
    """Offers and groups as a database would hold them, changed by the rules alone."""

    def __init__(self, ids: Collection[str] = OFFERS) -> None:
        self.offers = {product_id: offer(product_id) for product_id in ids}
        self.groups: dict[str, Group] = {}
        self.ids_given = 0
        self.now = NOW

    def merge(self, primary: str, *duplicates: str) -> str:
        named = [self.offers[product_id] for product_id in duplicates]
        change = merge(self.groups, self.offers[primary], named, self._new_id())
        self._apply(change)
        return self.offers[primary].group_id or ""

    def unmerge(self, group_id: str, *leaving: str) -> Change:
        change = unmerge(self.groups[group_id], self.groups, leaving or None, self._new_id)
        self._apply(change)
        return change

    def delete(self, product_id: str) -> None:
        group_id = self.offers[product_id].group_id
        if group_id is not None:
            self._apply(leave(self.groups[group_id], self.groups, product_id))

    def edit(self, product_id: str, name: str, price_minor: int) -> None:
        self.now += timedelta(seconds=1)
        edited = self.offers[product_id].changed(self.now, name=name, price_minor=price_minor)
        self.offers[product_id] = edited

    def places(self) -> dict[str, Place]:
        return {pid: Place(each.group_id, each.primary) for pid, each in self.offers.items()}

    def together(self) -> set[tuple[str, tuple[str, ...], str]]:
        """The groups that offers are in: id, offers, primary."""
        return {
            (group.id, tuple(sorted(group.ids)), group.primary_id)
            for group in self.groups.values()
            if group.alive
        }

    def own_fields(self) -> dict[str, tuple[str, int, str]]:
        return {pid: (o.name, o.price_minor, o.retailer) for pid, o in self.offers.items()}

    def check(self) -> None:
        """Each offer knows its group and each group its offers; every group has one primary."""
        alive = [group for group in self.groups.values() if group.alive]
        expected = {product_id: Place() for product_id in self.offers}
        for group in alive:
            assert 2 <= len(group.members) <= MOST_OFFERS
            assert len(set(group.ids)) == len(group.ids)
            assert group.primary_id in group.ids
            # What a group remembers stays small, however long its history.
            assert len(group.merges) <= len(group.members)
            expected |= {pid: Place(group.id, pid == group.primary_id) for pid in group.ids}
        assert sum(len(group.members) for group in alive) == len(
            {pid for group in alive for pid in group.ids}
        )
        assert self.places() == expected
        for group in self.groups.values():
            # No group is said to be part of one that holds nothing.
            assert group.joined_to is None or self.groups[group.joined_to].members

    def _new_id(self) -> str:
        self.ids_given += 1
        return f"g{self.ids_given}"

    def _apply(self, change: Change) -> None:
        after = {group.id: group for group in change.groups}
        before = [self.groups[group_id] for group_id in after if group_id in self.groups]
        self.now += timedelta(seconds=1)
        for product_id, place in places(before, change.groups).items():
            placed = msgspec.structs.asdict(place)
            self.offers[product_id] = self.offers[product_id].changed(self.now, **placed)
        self.groups |= after


def step(shelf: Shelf, move: tuple[str, list[str], int]) -> None:
    """One thing that somebody does to the shelf, as far as it makes sense there."""
    kind, chosen, number = move
    first, *others = chosen
    if kind == "merge" and others:
        shelf.merge(first, *others)
    elif kind == "edit":
        shelf.edit(first, f"Tea {number}", number)
    elif kind == "delete":
        shelf.delete(first)
    elif kind == "unmerge" and (group_id := shelf.offers[first].group_id):
        inside = [pid for pid in chosen if pid in shelf.groups[group_id].ids]
        shelf.unmerge(group_id, *inside[: number % 4])


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["merge", "merge", "unmerge", "edit", "delete"]),
        st.lists(st.sampled_from(OFFERS), min_size=1, max_size=4, unique=True),
        st.integers(1, 1000),
    ),
    max_size=14,
)
CHOSEN = st.lists(st.sampled_from(OFFERS), min_size=2, max_size=5, unique=True)


# Who left and came again stands in the later merge alone.
@example(
    [
        ("merge", ["b", "a", "c"], 1),
        ("merge", ["a", "d"], 1),
        ("unmerge", ["a"], 1),
        ("merge", ["a", "b"], 1),
        ("unmerge", ["b"], 1),
        ("unmerge", ["c"], 1),
    ]
)
@given(MOVES)
def test_offers_and_groups_agree_after_any_history(moves: list[tuple[str, list[str], int]]) -> None:
    shelf = Shelf()
    for move in moves:
        known = set(shelf.groups)
        step(shelf, move)
        shelf.check()
        assert known <= set(shelf.groups)


@given(MOVES, CHOSEN)
def test_a_merge_that_is_undone_leaves_no_trace(
    moves: list[tuple[str, list[str], int]], chosen: list[str]
) -> None:
    shelf = Shelf()
    for move in moves:
        step(shelf, move)
    before, places_before = shelf.together(), shelf.places()
    members = {pid for pid in chosen if shelf.offers[pid].group_id is not None}
    group_id = shelf.merge(*chosen)
    came = set(shelf.groups[group_id].ids) - {
        pid for pid, place in places_before.items() if place.group_id == group_id
    }
    if not came:
        # Only the primary may be another one: the offers were merged before.
        assert {g[:2] for g in shelf.together()} == {g[:2] for g in before}
        return
    shelf.unmerge(group_id, *came) if members else shelf.unmerge(group_id)
    assert (shelf.together(), shelf.places()) == (before, places_before)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=10))
def test_merges_undone_last_first_leave_who_was_chosen_last(moves: list[tuple[bool, int]]) -> None:
    """Each merge chooses a primary, and so does a promotion; what is undone chooses no more."""
    shelf, inside, waiting = Shelf(), ["a", "b"], list("cdefgh")
    group_id = shelf.merge("a", "b")
    chosen: list[tuple[str, str]] = [("", "a")]
    for grows, number in moves:
        new = waiting.pop(0) if grows and waiting else ""
        inside += [new] if new else []
        primary = inside[number % len(inside)]
        if new or shelf.groups[group_id].primary_id != primary:
            chosen.append((new, primary))
            shelf.merge(primary, *(pid for pid in inside if pid != primary))
    for new in reversed(inside[2:]):
        shelf.unmerge(group_id, new)
        inside.remove(new)
        chosen = [each for each in chosen if each[0] != new and each[1] != new]
        assert shelf.together() == {(group_id, tuple(inside), chosen[-1][1])}


@given(MOVES, MOVES)
def test_undoing_everything_gives_each_offer_back_as_it_was_edited(
    moves: list[tuple[str, list[str], int]], later: list[tuple[str, list[str], int]]
) -> None:
    shelf, alone = Shelf(), Shelf()
    for move in [*moves, *later]:
        step(shelf, move)
        if move[0] == "edit":
            step(alone, move)
    for group_id, _, _ in shelf.together():
        shelf.unmerge(group_id)
    assert shelf.together() == set()
    assert shelf.own_fields() == alone.own_fields()
    assert set(shelf.places().values()) == {Place()}


@given(MOVES, CHOSEN)
def test_the_same_merge_again_changes_nothing(
    moves: list[tuple[str, list[str], int]], chosen: list[str]
) -> None:
    shelf = Shelf()
    for move in moves:
        step(shelf, move)
    shelf.merge(*chosen)
    named = [shelf.offers[product_id] for product_id in chosen]
    assert merge(shelf.groups, named[0], named[1:], "new") == Change()


def test_a_joined_group_comes_back_with_its_id_and_primary() -> None:
    shelf = Shelf()
    one, two = shelf.merge("a", "b"), shelf.merge("c", "d", "e")
    assert shelf.merge("b", "d") == one
    assert shelf.together() == {(one, tuple("abcde"), "b")}
    told = shelf.unmerge(one, "c", "d", "e")
    assert shelf.together() == {(one, ("a", "b"), "a"), (two, ("c", "d", "e"), "c")}
    assert [entry.action for entry in told.entries] == ["unmerged", "restored"]


def test_a_chain_of_joined_groups_is_undone_link_by_link() -> None:
    shelf = Shelf()
    one, two, three = shelf.merge("a", "b"), shelf.merge("c", "d"), shelf.merge("e", "f")
    shelf.merge("c", "e")
    shelf.merge("a", "c")
    shelf.unmerge(one, "c", "d", "e", "f")
    assert shelf.together() == {(one, ("a", "b"), "a"), (two, tuple("cdef"), "c")}
    shelf.unmerge(two, "e", "f")
    assert (three, ("e", "f"), "e") in shelf.together()


def test_these_three_and_not_that_one() -> None:
    shelf = Shelf()
    group_id = shelf.merge("a", "b", "c", "d")
    shelf.unmerge(group_id, "c")
    assert shelf.together() == {(group_id, ("a", "b", "d"), "a")}


def test_another_offer_speaks_where_the_primary_is_gone() -> None:
    shelf = Shelf()
    group_id = shelf.merge("a", "b", "c")
    shelf.merge("c", "d")
    shelf.delete("c")
    # Who spoke before it; then who has been there the longest.
    assert shelf.together() == {(group_id, ("a", "b", "d"), "a")}
    shelf.delete("a")
    assert shelf.together() == {(group_id, ("b", "d"), "b")}
    shelf.delete("d")
    assert shelf.together() == set()


def test_a_primary_that_was_chosen_later_outlasts_the_undoing_of_earlier_merges() -> None:
    shelf = Shelf()
    group_id = shelf.merge("a", "b")
    shelf.merge("a", "c")
    shelf.merge("b", "a")
    shelf.unmerge(group_id, "c")
    assert shelf.together() == {(group_id, ("a", "b"), "b")}


def test_a_promotion_does_not_forget_who_spoke_before_a_merge() -> None:
    shelf = Shelf()
    group_id = shelf.merge("a", "b")
    shelf.merge("b", "a")
    shelf.merge("b", "c")
    shelf.merge("c", "a")
    shelf.unmerge(group_id, "c")
    assert shelf.together() == {(group_id, ("a", "b"), "b")}


def test_both_halves_of_a_joined_group_come_back() -> None:
    shelf = Shelf()
    one, two = shelf.merge("a", "b"), shelf.merge("c", "d", "e", "f")
    shelf.merge("a", "c")
    shelf.unmerge(one, "c", "d")
    shelf.unmerge(one, "e", "f")
    shelf.check()
    assert shelf.together() == {
        (one, ("a", "b"), "a"),
        (two, ("c", "d"), "c"),
        ("g4", ("e", "f"), "e"),
    }
    shelf.unmerge("g4")
    shelf.check()


def test_a_chain_of_joined_groups_ends_with_the_last() -> None:
    shelf = Shelf()
    shelf.merge("a", "b"), shelf.merge("c", "d"), shelf.merge("e", "f")
    shelf.merge("c", "e")
    one = shelf.merge("a", "c")
    shelf.unmerge(one)
    assert {(group.joined_to, group.members) for group in shelf.groups.values()} == {(None, ())}


def test_a_merge_says_what_it_brought_in() -> None:
    shelf = Shelf()
    a, b, c = (shelf.offers[each] for each in "abc")
    assert merge({}, a, [b], "g").added == ("b",)
    shelf.merge("a", "b")
    a, b = shelf.offers["a"], shelf.offers["b"]
    assert merge(shelf.groups, c, [a], "g").added == ("c",)
    assert merge(shelf.groups, b, [a], "g").added == ()


def test_an_offer_of_a_group_that_is_lost_can_be_merged_again() -> None:
    shelf = Shelf()
    shelf.merge("a", "b")
    shelf.groups = {}
    again = shelf.merge("b", "c")
    assert shelf.together() == {(again, ("b", "c"), "b")}
    assert shelf.places()["b"] == Place(again, primary=True)


def test_a_group_holds_so_many_offers_and_no_more() -> None:
    ids = [f"{n:02}" for n in range(MOST_OFFERS + 1)]
    shelf = Shelf(ids)
    shelf.merge(*ids[:MOST_OFFERS])
    shelf.check()
    with pytest.raises(TooManyOffers):
        shelf.merge(ids[0], ids[-1])


def test_only_offers_of_different_parts_are_a_new_pair() -> None:
    assert crossing([("a", "b"), ("c",), ("d",)]) == [
        ("a", "c"),
        ("b", "c"),
        ("a", "d"),
        ("b", "d"),
        ("c", "d"),
    ]


def test_each_field_of_the_merged_product_follows_its_rule() -> None:
    offers = [
        offer("a", name="Primary", category="tea", price_minor=500),
        offer("b", brand="DILMAH", category="drinks", description="Short.", size="100g"),
        offer("c", brand="Lipton", category="Drinks", description="The longest.", image="c.png"),
        offer("d", brand="dilmah", description="Long.", picture="stored", url="https://d"),
    ]
    product = merged(offers)
    assert (product.id, product.name, product.price_minor, product.url) == (
        "a",
        "Primary",
        500,
        None,
    )
    assert (product.brand, product.size, product.category) == ("DILMAH", "100g", "drinks")
    assert product.description == "The longest."
    assert (product.picture, product.image) == ("stored", None)


def test_what_the_primary_says_wins_where_the_others_do_not_agree() -> None:
    offers = [
        offer("a", brand="Anchor", size="1kg", category="milk", image="a.png"),
        offer("b", brand="Maliban", size="400g", category="powder", picture="stored"),
    ]
    product = merged(offers)
    assert product == offers[0]
    assert merged(offers[:1]) == offers[0]


@given(st.lists(st.sampled_from(["", "Anchor", "Maliban", "Munchee"]), min_size=2, max_size=20))
def test_no_other_brand_is_given_by_more_offers(brands: list[str]) -> None:
    product = merged([offer(f"p{n}", brand=brand) for n, brand in enumerate(brands)])
    given_brands = [brand for brand in brands if brand]
    most = max((given_brands.count(brand) for brand in given_brands), default=0)
    assert given_brands.count(product.brand) == most
    assert product.brand == next((b for b in given_brands if given_brands.count(b) == most), "")
