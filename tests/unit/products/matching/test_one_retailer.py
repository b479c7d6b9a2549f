"""Two offers of one retailer are one product on strong evidence alone, wherever that is asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.products.matching import LearnedMatcher, MatchModel, Offer, default_model
from shared.products.matching.columns import prepare
from shared.products.matching.logistic import probability
from shared.products.matching.match import Match
from shared.products.matching.one_retailer import HELD, STRONG, Clusters, held
from shared.products.matching.scoring import Scoring
from shared.products.upload_models import StoredRow
from shared.products.upload_preview import _Seen
from shared.products.upload_rows import UploadRow

OURS = Offer("a", "keells", "Tong Garden Coated Peanuts 45g", "", "", "Snacks", 36500, "LKR")
# A model that all but overlooks that two offers are of one retailer: the rule needs no weight.
_OVERLOOKED = {"retailer_same": -0.5, "retailer_twin": 2.0}
LENIENT = replace(
    default_model(),
    alone=default_model().alone | _OVERLOOKED,
    together=default_model().together | _OVERLOOKED | {"bias": default_model().alone["bias"]},
)
MATCHER = LearnedMatcher(LENIENT)
TWIN = replace(OURS, id="b", name="coated peanuts TONG GARDEN 45 g")
SIBLING = replace(OURS, id="b", name="Tong Garden Coated Peanuts Spicy Wasabi 45g")


def test_what_is_but_alike_is_one_product_elsewhere_and_two_at_one_retailer() -> None:
    elsewhere, unknown = replace(SIBLING, retailer="cargills"), replace(SIBLING, retailer="")
    assert 50 <= MATCHER.compare(OURS, elsewhere).confidence < STRONG
    assert 50 <= MATCHER.compare(OURS, unknown).confidence < STRONG
    assert MATCHER.compare(replace(OURS, retailer=""), unknown).same(50)
    for match in (MATCHER.compare(OURS, SIBLING), MATCHER.judge(OURS, [SIBLING])["b"]):
        assert match.confidence == HELD == 50 + sum(piece.weight for piece in match.evidence)
        (retailer,) = [piece for piece in match.evidence if piece.field == "retailer"]
        assert retailer.weight < 0
        # Whatever a threshold is set to.
        assert not match.same(50)
        assert not match.same(0)


def test_what_says_the_very_same_is_listed_twice() -> None:
    for match in (MATCHER.compare(OURS, TWIN), MATCHER.judge(OURS, [TWIN])["b"]):
        assert match.confidence >= STRONG
        assert match.same(50)
        assert match.confidence == 50 + sum(piece.weight for piece in match.evidence)


@pytest.mark.parametrize("model", [LENIENT, replace(LENIENT, scale=0.4)])
def test_one_by_one_and_as_a_catalogue_the_verdicts_are_the_same(model: MatchModel) -> None:
    offers = [OURS, SIBLING, replace(SIBLING, id="c", retailer="cargills"), replace(TWIN, id="d")]
    prepared = prepare(offers, model.vocabulary)
    left, right = np.triu_indices(len(offers), 1)
    likely = 100 * probability(Scoring(prepared, (left, right), model).log_odds(left, right))
    for offer_at, offer in enumerate(offers):
        judged = LearnedMatcher(model).judge(offer, offers)
        for a, b, sure in zip(left, right, likely, strict=True):
            if offer_at in (a, b):
                other = offers[a + b - offer_at]
                assert judged[other.id].confidence == pytest.approx(sure, abs=0.51)


@given(st.floats(-30, 30), st.booleans())
def test_weak_evidence_is_held_and_all_else_is_left(log_odds: float, own: bool) -> None:  # noqa: FBT001
    (found,) = held(np.array([log_odds]), np.array([own]))
    likely, before = 100 * probability(np.array([found, log_odds]))
    if own and before < STRONG - 1e-9:
        assert found <= log_odds
        assert likely < HELD + 1e-9
    elif not own or before > STRONG + 1e-9:
        assert found == log_odds


@pytest.mark.parametrize(
    ("lowest", "others", "own"), [(0, True, False), (50, True, False), (95, False, False)]
)
def test_no_threshold_makes_weak_evidence_strong(lowest: int, others: bool, own: bool) -> None:  # noqa: FBT001
    assert Match(STRONG - 1, ()).same(lowest) is others
    assert Match(STRONG - 1, (), one_retailer=True).same(lowest) is own
    assert Match(STRONG, (), one_retailer=True).same(50)
    assert not Match(STRONG, (), one_retailer=True).same(STRONG + 1)


SHOPS = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c", "u1": "", "u2": ""}
_OFFERS = st.sampled_from(sorted(SHOPS))
_PAIRS = st.lists(st.tuples(_OFFERS, _OFFERS, st.integers(50, 100)), max_size=14)


@given(_PAIRS, st.lists(st.tuples(_OFFERS, _OFFERS).filter(lambda p: p[0] != p[1]), max_size=4))
def test_no_chain_brings_together_what_a_person_refused(
    pairs: list[tuple[str, str, int]], refused: list[tuple[str, str]]
) -> None:
    clusters = Clusters(SHOPS, refused)
    for a, b, _ in pairs:
        sides = [{e for e in SHOPS if clusters.together(e, side)} for side in (a, b)]
        clusters.join(a, b, 100)
        apart = any(x in sides[0] and y in sides[1] for p in refused for x, y in (p, p[::-1]))
        assert clusters.together(a, b) is not apart
    assert not any(clusters.together(*pair) for pair in refused)
    for a, b in refused:
        # A person's merge does.
        clusters.merge(a, b)
        assert clusters.together(a, b)


@given(_PAIRS)
def test_no_chain_of_weak_pairs_brings_a_retailer_in_twice(
    pairs: list[tuple[str, str, int]],
) -> None:
    clusters = Clusters(SHOPS)
    for a, b, confidence in sorted(pairs, key=lambda pair: -pair[2]):
        apart = not clusters.together(a, b)
        sold = [{SHOPS[e] for e in SHOPS if clusters.together(e, side)} - {""} for side in (a, b)]
        clusters.join(a, b, confidence)
        refused = apart and confidence < STRONG and bool(sold[0] & sold[1])
        assert clusters.together(a, b) is not refused


def test_a_chain_takes_the_surer_of_two_offers_of_a_retailer() -> None:
    clusters = Clusters({"a1": "a", "b": "b", "a2": "a", "u1": "", "u2": ""})
    for a, b, confidence in (("a1", "b", 80), ("b", "a2", 70), ("b", "u1", 66), ("u1", "u2", 60)):
        clusters.join(a, b, confidence)
    assert clusters.together("a1", "b")
    assert not clusters.together("a2", "b")
    # An unknown retailer is nobody's: two of them may join, and they block nobody.
    assert clusters.together("a1", "u2")


def row(number: int, name: str) -> StoredRow:
    return StoredRow(
        UploadRow(number, name, "", "", "Snacks", "keells", None, None, None, None, 36500, "LKR")
    )


def test_a_file_has_a_row_twice_on_strong_evidence_alone() -> None:
    first, sibling, twin = row(1, OURS.name), row(2, SIBLING.name), row(3, TWIN.name)
    seen = _Seen(MATCHER, 50, [first, sibling, twin])
    seen.remember(first)
    assert not seen.judge(sibling)
    assert seen.judge(twin)
    assert (twin.verdict, twin.duplicate_of_row) == ("duplicate", 1)
