"""What hangs together is one group, and each group begins with one pair."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from shared.products.duplicate_groups import (
    MAX_MEMBERS,
    MAX_PAIRS,
    Member,
    group_of,
    grown,
    linked,
    shown,
    surest_open,
)
from shared.products.matching import Offer
from shared.products.matching.one_retailer import STRONG
from shared.products.pairs import OPEN, State, facet, pair_id

THRESHOLD = 60
IDS = "abcdefgh"


def member(product_id: str, group_id: str | None = None, retailer: str = "keells") -> Member:
    return Member(Offer(product_id, retailer, "n", "", "", "tea", 1, "LKR"), group_id)


def states_of(
    confidences: dict[tuple[str, str], int], decided: dict[tuple[str, str], bool]
) -> dict[str, State]:
    states = {each: State(partners={}, decided={}) for pair in confidences for each in pair}
    for (a, b), confidence in confidences.items():
        states[a].partners[b] = states[b].partners[a] = confidence
    for (a, b), same in decided.items():
        for one, other in ((a, b), (b, a)):
            states.setdefault(one, State(partners={}, decided={})).decided[other] = same
    return states


PAIRS = st.sampled_from(list(combinations(IDS, 2)))


@given(
    st.dictionaries(PAIRS, st.integers(40, 100), max_size=14),
    st.dictionaries(PAIRS, st.booleans(), max_size=4),
    st.lists(st.sampled_from([None, "g"]), min_size=len(IDS), max_size=len(IDS)),
    st.lists(st.sampled_from(["keells", "cargills", "glomark", ""]), min_size=len(IDS)),
)
def test_every_open_pair_is_in_one_group_and_every_group_begins_once(
    confidences: dict[tuple[str, str], int],
    decided: dict[tuple[str, str], bool],
    groups: list[str | None],
    retailers: list[str],
) -> None:
    states = states_of(confidences, decided)
    found = {
        each: member(each, group, retailer)
        for each, group, retailer in zip(IDS, groups, retailers, strict=False)
    }

    def is_open(a: str, b: str) -> bool:
        merged = found[a].group_id is not None and found[a].group_id == found[b].group_id
        own = found[a].offer.retailer == found[b].offer.retailer != ""
        counts = confidences[a, b] >= (STRONG if own else THRESHOLD)
        return counts and (a, b) not in decided and not merged

    wanted = {pair for pair in confidences if is_open(*pair)}
    met: list[tuple[str, str]] = []
    for a, b in wanted:
        members, missing = grown((a, b), states, THRESHOLD)
        assert not missing
        pairs = group_of((a, b), linked(members, found, states, THRESHOLD), found, states)
        ids = {each for pair in pairs for each in pair[1:]}
        # Nothing that a person refused is in it, but what a person merged all the same.
        refused = [p for p, same in decided.items() if not same and ids.issuperset(p)]
        assert all(found[x].group_id == found[y].group_id is not None for x, y in refused)
        sold = [found[e].offer.retailer for e in ids]
        if not any(c >= STRONG for c, *_ in pairs) and set(groups) == {None}:
            assert all(sold.count(each) == 1 for each in sold if each)
        if surest_open(pairs, found, states, OPEN) == pair_id(a, b):
            waiting = [pair for pair in pairs if pair[1:] in wanted]
            # However few a view may hold: what is confirmed takes no open pair's place.
            for most in (1, len(waiting)):
                assert shown(pairs, states, most) == waiting[:most]
            assert len(pairs) <= MAX_PAIRS
            met += [(a, b) for _, a, b in shown(pairs, states) if (a, b) in wanted]
    assert sorted(met) == sorted(wanted)


def test_many_confirmed_pairs_hide_no_open_one() -> None:
    known = list(combinations("abcdefghij", 2))
    confidences = dict.fromkeys(known, 100) | {("a", "x"): THRESHOLD}
    states = states_of(confidences, dict.fromkeys(known, True))
    found = {each: member(each, retailer=each) for each in "abcdefghijx"}
    pairs = linked(list(found), found, states, THRESHOLD)
    assert len(known) > MAX_PAIRS == len(shown(pairs, states))
    assert shown(pairs, states)[-1] == (THRESHOLD, "a", "x")


def test_what_is_not_known_yet_is_asked_for() -> None:
    states = {"a": State(partners={"b": 90, "c": 70})}
    members, missing = grown(("a", "b"), states, THRESHOLD)
    assert (members, missing) == (["a", "b", "c"], {"b", "c"})


def test_of_too_many_the_surest_are_shown() -> None:
    partners = {f"p{number:03}": 60 + number % 40 for number in range(100)}
    members, _ = grown(("a", "p099"), {"a": State(partners=partners)}, THRESHOLD)
    assert len(members) == MAX_MEMBERS
    least = min(partners[each] for each in members if each not in ("a", "p099"))
    assert least >= max(c for each, c in partners.items() if each not in members)


def test_a_group_takes_no_second_offer_of_a_retailer_through_a_weak_chain() -> None:
    states = states_of({("a1", "b"): 92, ("a2", "b"): 70, ("a2", "c"): 65, ("b", "c"): 80}, {})
    shops = {"a1": "keells", "a2": "keells", "b": "cargills", "c": "glomark"}
    found = {each: member(each, retailer=shop) for each, shop in shops.items()}
    pairs = linked(list(found), found, states, THRESHOLD)
    own = [(92, "a1", "b"), (80, "b", "c")]
    assert (
        group_of(("a1", "b"), pairs, found, states)
        == group_of(("b", "c"), pairs, found, states)
        == own
    )
    # What would bring it in waits for a person by itself.
    assert group_of(("a2", "b"), pairs, found, states) == [(70, "a2", "b")]
    assert group_of(("a2", "c"), pairs, found, states) == [(65, "a2", "c")]
    # As true twins, or merged by a person, they are one product.
    states = states_of({("a1", "b"): 92, ("a2", "b"): 70, ("a1", "a2"): STRONG}, {})
    pairs = linked(list(found), found, states, THRESHOLD)
    assert group_of(("a2", "b"), pairs, found, states) == pairs
    states = states_of({("a1", "b"): 92, ("a2", "b"): 70, ("a1", "a2"): STRONG - 1}, {})
    pairs = linked(list(found), found, states, THRESHOLD)
    assert pairs == [(92, "a1", "b"), (70, "a2", "b")]
    merged = found | {each: member(each, "g", "keells") for each in ("a1", "a2")}
    assert group_of(("a2", "b"), pairs, merged, states) == pairs


def test_a_group_holds_no_two_that_a_person_refused() -> None:
    found = {each: member(each, retailer=each) for each in "abcd"}
    matched = {("a", "c"): 90, ("b", "c"): 80, ("b", "d"): 70}
    states = states_of(matched, {("a", "b"): False})
    pairs = linked(list(found), found, states, THRESHOLD)
    assert group_of(("a", "c"), pairs, found, states) == [(90, "a", "c")]
    # What would bring the two together waits for a person by itself.
    assert group_of(("b", "c"), pairs, found, states) == [(80, "b", "c")]
    assert group_of(("b", "d"), pairs, found, states) == [(70, "b", "d")]
    # Nor does a longer way; the order of the refused is none.
    states = states_of({**matched, ("a", "b"): 95}, {("d", "a"): False})
    pairs = linked(list(found), found, states, THRESHOLD)
    assert group_of(("b", "c"), pairs, found, states) == pairs[:3]
    assert group_of(("b", "d"), pairs, found, states) == [(70, "b", "d")]
    # Merged offers are one, and what one of them was refused to be is kept from all.
    states = states_of(matched, {("a", "b"): False})
    found |= {each: member(each, "g", each) for each in "ac"}
    pairs = linked(list(found), found, states, THRESHOLD)
    assert group_of(("b", "c"), pairs, found, states) == [(80, "b", "c")]
    found |= {each: member(each, "g", each) for each in "ab"} | {"c": member("c", retailer="c")}
    pairs = linked(list(found), found, states, THRESHOLD)
    assert group_of(("b", "c"), pairs, found, states) == pairs


def test_a_group_begins_with_a_pair_of_the_retailer_that_is_asked_for() -> None:
    states = states_of({("a", "b"): 90, ("b", "c"): 80}, {})
    found = {each: member(each) for each in "ab"} | {"c": member("c", retailer="cargills")}
    pairs = linked(["a", "b", "c"], found, states, THRESHOLD)
    assert surest_open(pairs, found, states, facet(None, None)) == "a_b"
    assert surest_open(pairs, found, states, facet("cargills", "tea")) == "b_c"
    assert surest_open(pairs, found, states, facet("glomark", None)) is None
