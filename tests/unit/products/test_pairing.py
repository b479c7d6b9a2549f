"""Whom a product is judged with, and what its pairs say."""

from collections.abc import Mapping, Sequence
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from shared.products import pairs
from shared.products.judging import Candidates
from shared.products.matching import Evidence, Match, Matcher, Offer
from shared.products.turns import MAX_CONFIRMED, MAX_OTHERS, before, choose, turn

IDS = st.sampled_from([f"p{number:02}" for number in range(40)])
CONFIDENCES = st.dictionaries(IDS, st.integers(0, 100))
DECIDED = st.dictionaries(IDS, st.booleans())


def offer(product_id: str, retailer: str = "keells") -> Offer:
    return Offer(product_id, retailer, f"name {product_id}", "", "", "tea", 100, "LKR")


def test_the_confirmed_come_first_and_the_refused_never() -> None:
    partners = {f"p{number:02}": 70 for number in range(MAX_OTHERS)}
    state = pairs.State(partners=partners, decided={"said": True, "p00": False, "no": False})
    chosen = choose({"sure": 99, "no": 100, "p09": 61}, state)
    assert len(chosen) == MAX_OTHERS
    # Candidates before partners: what these were sure of was said of what was before.
    assert chosen[:4] == ["said", "sure", "p09", "p01"]
    assert chosen[-1] == f"p{MAX_OTHERS - 2}"
    assert not {"no", "p00"} & set(chosen)


def test_many_confirmed_keep_no_new_one_out() -> None:
    decided = {f"c{number:02}": True for number in range(30)}
    state = pairs.State(marks={f"c{number:02}": "" for number in range(25)}, decided=decided)
    chosen = choose({f"n{number}": 60 + number for number in range(9)}, state)
    assert chosen[:6] == ["c25", "c26", "c27", "c28", "c29", "c00"]
    assert chosen[MAX_CONFIRMED:] == ["n8", "n7", "n6", "n5", "n4", "n3"]


@given(CONFIDENCES, CONFIDENCES, DECIDED)
def test_after_a_write_every_partner_has_its_turn_and_the_turns_end(
    candidates: Mapping[str, int], partners: dict[str, int], decided: dict[str, bool]
) -> None:
    state = pairs.State(partners=partners, decided=decided)
    judged: set[str] = set()
    waiting: list[str] | None = None
    while waiting is None or waiting:
        earlier = waiting
        chosen, waiting = turn(candidates, state, earlier)
        assert len(chosen) <= MAX_OTHERS
        assert earlier is None or set(waiting) < set(earlier)
        judged |= set(chosen)
    refused = {other for other, same in decided.items() if not same}
    assert (partners.keys() | decided.keys()) - refused <= judged
    assert not judged & refused


def test_what_was_judged_since_the_last_write_is_not_judged_all_over_again() -> None:
    state = pairs.State(partners={f"p{number:02}": 70 for number in range(30)})
    chosen, waiting = turn({}, state, ())
    assert len(chosen) == MAX_OTHERS
    assert waiting == []
    # Who was removed meanwhile has nothing to wait for.
    assert turn({}, pairs.State(partners={"p01": 70}), ["gone", "p01"]) == (["p01"], [])


def test_a_debt_names_who_waits_unless_all_are_to_be_judged_anew() -> None:
    assert before((), {"waiting": ["a", "b"]}) == ["a", "b"]
    # By another task meanwhile, and since a later write.
    assert before(["b", "c"], {"waiting": ["a", "b"]}) == ["b", "c", "a"]
    assert before(["b"], {}) is None
    assert before(["b"], {"waiting": []}) == before(["b"], None) == ["b"]
    # Who had a turn before a full re-match had it under another model.
    assert before(None, {"waiting": ["a"]}) is before(None, None) is None


class Opinion:
    """A matcher that is as sure of each offer as it is told, by any pair of eyes."""

    def __init__(self, sure: Mapping[str, int]) -> None:
        self._sure = sure

    def judge(self, _: Offer, others: Sequence[Offer], __: int = 0) -> dict[str, Match]:
        return {each.id: Match(self._sure.get(each.id, 0), ()) for each in others}

    def compare(self, _: Offer, other: Offer) -> Match:
        return Match(self._sure.get(other.id, 0), ())


@given(st.lists(CONFIDENCES, min_size=1, max_size=3), DECIDED, st.sets(IDS))
def test_what_people_said_stands_whatever_models_say_later(
    models: list[dict[str, int]], decided: dict[str, bool], listed: set[str]
) -> None:
    partners: dict[str, int] = {}
    for sure in models:
        known = [offer(each) for each in sorted(sure)]
        found = Candidates(offer("own"), known, cast(Matcher, Opinion(sure)), 50)
        state = pairs.State(partners=partners, decided=decided)
        waiting: list[str] | None = None
        while waiting is None or waiting:
            chosen, waiting = turn(found.confidences, state, waiting)
            others = {each: offer(each) for each in chosen if each in listed}
            matches = found.judge(offer("own"), others, set(chosen) - set(others), decided)
            partners = {pid: c for pid, c in partners.items() if pid not in chosen}
            partners |= {pid: match.confidence for pid, match in matches.items()}
            state = pairs.State(partners=partners, decided=decided)
        assert not {pid for pid in partners if decided.get(pid) is False}
        said = {pid for pid, same in decided.items() if same and pid in listed}
        assert {pid: partners.get(pid) for pid in said} == dict.fromkeys(said, pairs.CERTAIN)
        # And of the others what the last model is sure of, and nothing that an earlier one was.
        assert all(c == sure.get(pid) for pid, c in partners.items() if pid not in said)


def test_a_refused_pair_that_was_chosen_is_no_match() -> None:
    # Refused between the look into the lists and the commit.
    found = Candidates(offer("own"), [offer("a")], cast(Matcher, Opinion({"a": 99})), 50)
    assert found.judge(offer("own"), {"a": offer("a")}, (), {}).keys() == {"a"}
    assert found.judge(offer("own"), {"a": offer("a")}, (), {"a": False}) == {}


def test_a_persons_word_makes_it_certain_and_adds_up() -> None:
    word = pairs.confirmed(Match(12, (Evidence("name", "differs", "", -38),)))
    assert word.confidence == 100 == pairs.NEUTRAL + sum(piece.weight for piece in word.evidence)
    assert word.evidence[-1].field == "decision"


def test_a_pair_is_listed_under_its_retailers_and_categories_until_it_is_decided() -> None:
    a, x = offer("a"), offer("x", "cargills")
    match = Match(80, ())
    wanted = pairs.fields(x, a, match)
    assert wanted["products"] == ["a", "x"]
    assert set(wanted["facets"]) == {
        pairs.facet(retailer, category)
        for retailer in (None, "keells", "cargills")
        for category in (None, "tea")
    }
    decided = pairs.fields(a, x, match, confirmed=True)
    assert (decided["decision"], decided["facets"]) == ("same", [])
    assert (
        pairs.mark_of(wanted) == pairs.mark_of(pairs.fields(a, x, match)) != pairs.mark_of(decided)
    )
