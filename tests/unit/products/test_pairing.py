"""Whom a product is judged with, and what its pairs say."""

from shared.products import pairs
from shared.products.matching import Evidence, Match, Offer
from shared.products.pairing import MAX_CONFIRMED, MAX_OTHERS, choose


def offer(product_id: str, retailer: str = "keells") -> Offer:
    return Offer(product_id, retailer, f"name {product_id}", "", "", "tea", 100, "LKR")


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
