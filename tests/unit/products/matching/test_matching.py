from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.products.matching import (
    MAX_KEYS,
    DefaultMatcher,
    LearnedMatcher,
    Matcher,
    Offer,
    train,
)
from shared.products.matching.keys import blocking_keys
from shared.system.configuration_records import DEFAULTS
from tests.benchmarks.generated import HARD_NOISE, NOISE, catalogue

MATCHER: Matcher = DefaultMatcher()
SAME_FROM = DEFAULTS.thresholds.duplicate_confidence
PEANUTS = Offer("a", "keells", "Tong Garden Coated Peanuts 45g", "", "", "Snacks", 36500, "LKR")
ELSEWHERE = replace(PEANUTS, id="b", retailer="cargills", name="Tong Garden Coated Peanuts, 45 g")

_WORDS = st.lists(
    st.sampled_from(["munchee", "cream", "cracker", "milk", "190g", "1l", "6x100 ml", "2ply"]),
    max_size=5,
).map(" ".join)
_TEXTS = st.one_of(_WORDS, st.text(max_size=30))
OFFERS = st.builds(
    Offer,
    id=st.sampled_from("abc"),
    retailer=st.sampled_from(["keells", "cargills"]),
    name=_TEXTS,
    brand=_TEXTS,
    size=_TEXTS,
    category=_TEXTS,
    price_minor=st.integers(0, 10**13),
    currency=st.sampled_from(["LKR", "USD"]),
)


@settings(deadline=None, max_examples=50)
@given(OFFERS, OFFERS)
def test_a_comparison_is_symmetric_bounded_and_explained(a: Offer, b: Offer) -> None:
    match = MATCHER.compare(a, b)
    assert match == MATCHER.compare(b, a)
    assert 0 <= match.confidence <= 100
    assert match.confidence == 50 + sum(evidence.weight for evidence in match.evidence)


@settings(deadline=None, max_examples=30)
@given(OFFERS, st.lists(OFFERS, max_size=4))
def test_many_comparisons_say_what_each_says(offer: Offer, others: list[Offer]) -> None:
    pairs = [(offer, other) for other in others]
    each = [MATCHER.compare(*pair) for pair in pairs]
    assert MATCHER.compare_each(pairs) == each
    assert MATCHER.compare_each(pairs, 50) == [
        match if match.same(50) else replace(match, evidence=()) for match in each
    ]


def test_a_judgement_explains_what_counts_alone() -> None:
    rival = replace(ELSEWHERE, id="c", name="Tong Garden Cashew Nuts 400g")
    whole = MATCHER.judge(PEANUTS, [ELSEWHERE, rival])
    short = MATCHER.judge(PEANUTS, [ELSEWHERE, rival], SAME_FROM)
    assert short["b"] == whole["b"]
    assert short["c"] == replace(whole["c"], evidence=())


@given(OFFERS)
def test_keys_are_document_ids(offer: Offer) -> None:
    keys = blocking_keys(offer)
    assert keys == MATCHER.keys(offer)
    assert len(set(keys)) == len(keys) <= MAX_KEYS
    for key in keys:
        assert 0 < len(key.encode()) <= 200
        assert "/" not in key
        assert key == key.strip(".")
        assert not key.startswith("__")


def test_other_wording_shares_a_key() -> None:
    spelt = replace(PEANUTS, name="Peanuts Coated - TONG GARDEN 0.045kg")
    assert set(blocking_keys(PEANUTS)) & set(blocking_keys(spelt))


def test_a_retailers_own_name_is_no_key_of_its_own() -> None:
    own = replace(PEANUTS, name="Keells Red Lentils Mysore Split 1kg")
    assert "w-keells" not in blocking_keys(own)


def test_the_same_wording_and_size_elsewhere_is_the_same_product() -> None:
    match = MATCHER.compare(PEANUTS, ELSEWHERE)
    assert match.same(SAME_FROM)
    assert match.confidence >= 85


def test_another_size_is_another_product() -> None:
    larger = replace(ELSEWHERE, name="Tong Garden Coated Peanuts 180g", price_minor=110000)
    match = MATCHER.compare(PEANUTS, larger)
    assert not match.same(SAME_FROM)
    assert {e.field: e.verdict for e in match.evidence}["size"] == "differs"


def test_another_flavour_is_another_product() -> None:
    curry = replace(PEANUTS, name="Maggi Noodles Curry 73g")
    chicken = replace(ELSEWHERE, name="Maggi Chicken Flavour Noodles 73g")
    assert not MATCHER.compare(curry, chicken).same(SAME_FROM)


def test_another_brand_speaks_against() -> None:
    ours, theirs = replace(PEANUTS, brand="Tong Garden"), replace(ELSEWHERE, brand="Jobbie")
    assert MATCHER.compare(ours, theirs).confidence < MATCHER.compare(PEANUTS, ELSEWHERE).confidence


def test_prices_in_different_currencies_say_nothing() -> None:
    abroad = replace(ELSEWHERE, currency="GBP", price_minor=150)
    verdicts = {e.field: e.verdict for e in MATCHER.compare(PEANUTS, abroad).evidence}
    assert verdicts["price"] == "missing"


def test_one_retailer_repeating_a_name_and_size_is_certain() -> None:
    again = replace(PEANUTS, id="b", name="TONG GARDEN coated peanuts 45g")
    assert MATCHER.compare(PEANUTS, again).confidence >= 98


def test_one_retailer_does_not_sell_two_names_for_one_product() -> None:
    alike = replace(PEANUTS, id="b", name="Tong Garden Peanuts Coated Salted 45g")
    assert not MATCHER.compare(PEANUTS, alike).same(SAME_FROM)
    assert MATCHER.compare(PEANUTS, replace(alike, retailer="cargills")).same(SAME_FROM)


def test_a_single_piece_is_no_size() -> None:
    nappies = replace(PEANUTS, name="Pampers Premium 39 pcs", size="1 pcs")
    other = replace(nappies, id="b", retailer="cargills", size="39 pcs")
    verdicts = {e.field: e.verdict for e in MATCHER.compare(nappies, other).evidence}
    assert verdicts["size"] == "missing"


_SPELLINGS = st.sampled_from(
    [
        *(("45g", "0.045 kg"), ("45g", "45 GRAMS"), ("1 L", "1000ml"), ("6x100 ml", "600 ML")),
        *(("1.5 l", "1500 ML"), ("2 kg", "2000 g"), ("400g", "400 G"), ("12 pcs", "12 PCS")),
    ]
)
_GOODS = st.sampled_from(
    [
        *("tong garden coated peanuts", "munchee super cream cracker", "maggi noodles curry"),
        *("araliya keeri samba rice", "anchor full cream milk powder", "sunlight soap"),
        *("sony dsc-w120 digital camera", "bosch gsr 120-li cordless drill", "חלב תנובה טרי"),
        *("hp 364xl ink cartridge black", "elephant house ginger beer", "baby cheramy cologne"),
    ]
)


@cache
def _matcher(taught: str) -> Matcher:
    """The model that ships, and ones that other catalogues made of the prior."""
    if taught == "shipped":
        return DefaultMatcher()
    return LearnedMatcher(
        train(catalogue(300, noise=HARD_NOISE if taught == "hard" else NOISE).offers)
    )


@settings(deadline=None, max_examples=60)
@given(_GOODS, _SPELLINGS, st.data(), st.sampled_from(["shipped", "usual", "hard"]))
def test_spelling_case_and_order_never_make_another_product(
    name: str, size: tuple[str, str], drawn: st.DataObject, taught: str
) -> None:
    words = " ".join(drawn.draw(st.permutations(name.split())))
    cased = drawn.draw(st.sampled_from([str.upper, str.title, str.lower]))(words)
    price = drawn.draw(st.integers(1_000, 1_000_000))
    first = replace(PEANUTS, name=f"{name.title()} {size[0]}", price_minor=price)
    second = replace(ELSEWHERE, name=f"{cased} {size[1]}", price_minor=price)
    matcher = _matcher(taught)
    assert matcher.compare(first, second).same(SAME_FROM)
    # Nor beside what differs from it: another size, of the same shop.
    other = replace(ELSEWHERE, id="c", name=f"{name} 7 kg", price_minor=3 * price)
    judged = matcher.judge(first, [second, other])
    assert judged["b"].same(SAME_FROM)
    assert judged["b"].confidence > judged["c"].confidence
