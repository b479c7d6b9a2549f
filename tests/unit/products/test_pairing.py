"""Whom a product is judged with, and what both sides say of a pair."""

from collections.abc import Sequence

from shared.products import pairs
from shared.products.matching import Evidence, Match, Offer
from shared.products.pairing import MAX_CONFIRMED, MAX_OTHERS, Field, choose, mutual

LOWEST = 60


def offer(product_id: str, retailer: str = "keells") -> Offer:
    return Offer(product_id, retailer, f"name {product_id}", "", "", "tea", 100, "LKR")


class Rivalry:
    """A matcher by a table; of one retailer's offers only the surest keeps its confidence."""

    def __init__(self, **confidences: int) -> None:
        self._confidences = confidences

    def keys(self, offer: Offer) -> tuple[str, ...]:
        return (offer.category,)

    def compare(self, a: Offer, b: Offer) -> Match:
        confidence = self._confidences.get("_".join(sorted((a.id, b.id))), 0)
        return Match(confidence, (Evidence("name", "agrees", "", confidence - 50),))

    def judge(self, offer: Offer, others: Sequence[Offer]) -> dict[str, Match]:
        alone = {other.id: self.compare(offer, other) for other in others}
        best: dict[str, int] = {}
        for other in others:
            confidence = alone[other.id].confidence
            best[other.retailer] = max(best.get(other.retailer, 0), confidence)
        return {
            other.id: alone[other.id]
            if alone[other.id].confidence == best[other.retailer]
            else Match(0, ())
            for other in others
        }


def test_the_confirmed_come_first_and_the_refused_never() -> None:
    partners = {f"p{number:02}": 70 for number in range(MAX_OTHERS)}
    state = pairs.State(partners=partners, decided={"said": True, "p00": False, "no": False})
    chosen = choose({"sure": 99, "no": 100, "p01": 61}, state)
    assert len(chosen) == MAX_OTHERS
    assert chosen[:3] == ["said", "sure", "p02"]
    assert chosen[-1] == f"p{MAX_OTHERS - 1}"
    assert not {"no", "p00", "p01"} & set(chosen)


def test_many_confirmed_keep_no_new_one_out() -> None:
    decided = {f"c{number:02}": True for number in range(30)}
    state = pairs.State(marks={f"c{number:02}": "" for number in range(25)}, decided=decided)
    chosen = choose({f"n{number}": 60 + number for number in range(9)}, state)
    assert chosen[:6] == ["c25", "c26", "c27", "c28", "c29", "c00"]
    assert chosen[MAX_CONFIRMED:] == ["n8", "n7", "n6", "n5", "n4", "n3"]


def test_a_pair_must_win_on_both_sides() -> None:
    matcher = Rivalry(a_x=80, a_y=75, b_x=90, b_y=20)
    a, b = offer("a"), offer("b")
    x, y = offer("x", "cargills"), offer("y", "cargills")
    # Of the other retailer's two, x is surer for a; but b of a's own retailer is surer for x.
    assert set(mutual(a, [x, y], Field(), matcher, LOWEST)) == {"x"}
    assert mutual(a, [y], Field(beside=[x]), matcher, LOWEST) == {}
    assert mutual(a, [x, y], Field(rivals={"x": [b], "y": [b]}), matcher, LOWEST) == {}
    assert set(mutual(b, [x, y], Field(rivals={"x": [a], "y": [a]}), matcher, LOWEST)) == {"x"}


def test_the_less_sure_view_counts_from_either_side() -> None:
    matcher = Rivalry(a_x=80)
    a, x = offer("a"), offer("x", "cargills")
    one = mutual(a, [x], Field(rivals={"x": [offer("b")]}), matcher, LOWEST)["x"]
    other = mutual(x, [a], Field(beside=[offer("b")]), matcher, LOWEST)["a"]
    assert one == other == matcher.compare(a, x)
    assert mutual(a, [x], Field(), matcher, 81) == {}


def test_a_persons_word_makes_it_certain_and_adds_up() -> None:
    word = pairs.confirmed(Rivalry(a_x=12).compare(offer("a"), offer("x")))
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
