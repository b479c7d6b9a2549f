"""What a matcher learns, on made-up catalogues."""

from itertools import product

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from shared.products.matching import (
    LearnedMatcher,
    MatchModel,
    Offer,
    decode,
    default_model,
    encode,
    train,
)
from shared.products.matching.explanation import confidence_and_points
from shared.products.matching.logistic import fitted, probability
from shared.products.matching.scoring import TOGETHER, vector
from shared.products.matching.training import Training
from tools.train_default_model import demo_offers, trained

BRANDS = ("Munchee", "Maliban", "Ritzbury", "Kandos", "Revello")
KINDS = ("Cream Cracker", "Milk Chocolate", "Ginger Biscuit", "Wafer")
SIZES = ("45g", "100g", "200g", "400g")


def _shop(retailer: str, pattern: str) -> list[Offer]:
    return [
        Offer(
            f"{retailer}{at}",
            retailer,
            pattern.format(brand=brand, kind=kind, size=size),
            "",
            "",
            "",
            1000 + 37 * at,
            "LKR",
        )
        for at, (brand, kind, size) in enumerate(product(BRANDS, KINDS, SIZES))
    ]


CATALOGUE = [*_shop("a", "{brand} {kind} {size}"), *_shop("b", "{kind} by {brand}, {size} pouch")]


@pytest.fixture(scope="module")
def model() -> MatchModel:
    return train(CATALOGUE)


def test_a_catalogue_teaches_itself(model: MatchModel) -> None:
    matcher = LearnedMatcher(model)
    other_shop = CATALOGUE[80:]
    for offer, partner in zip(CATALOGUE[::7], other_shop[::7], strict=False):
        judged = matcher.judge(offer, other_shop[:40] if partner in other_shop[:40] else other_shop)
        assert max(judged, key=lambda other: judged[other].confidence) == partner.id
        assert judged[partner.id].same(50)


def test_among_many_sources_a_model_is_less_sure(model: MatchModel) -> None:
    # An offer of an unknown retailer is a source of its own.
    scattered = [replace(offer, retailer="") for offer in CATALOGUE]
    assert model.scale == 1
    assert train(scattered).scale < 0.7
    assert train(CATALOGUE[:2]).scale == train([]).scale == 1


def test_a_model_that_is_less_sure_ranks_alike_and_explains_all(model: MatchModel) -> None:
    offer, others = CATALOGUE[0], CATALOGUE[80:100]
    sure, unsure = (
        LearnedMatcher(replace(model, scale=scale)).judge(offer, others) for scale in (1.0, 0.4)
    )
    for other, match in unsure.items():
        assert 50 + sum(e.weight for e in match.evidence) == match.confidence
        assert abs(match.confidence - 50) <= abs(sure[other].confidence - 50)
        assert (match.confidence - 50) * (sure[other].confidence - 50) >= 0
    assert sure[CATALOGUE[80].id].confidence > unsure[CATALOGUE[80].id].confidence > 50


def test_what_people_say_of_a_model_that_is_less_sure_begins_at_what_it_says() -> None:
    training = Training([replace(offer, retailer="") for offer in CATALOGUE])
    model = training.unsupervised()
    # As few as these leave the weights alone.
    decided = [("a0", "b0", True), ("a1", "b30", False)]
    moved = training.refined(model, decided)
    assert moved.scale == model.scale
    expected = vector(model.together, TOGETHER)
    assert vector(moved.together, TOGETHER) == pytest.approx(expected, abs=0.1)
    # Many of both kinds say how sure to be; many of one kind do not.
    confirmed = [(f"a{n}", f"b{n}", True) for n in range(80)] * 5
    assert training.refined(model, confirmed).scale == model.scale
    refused = [(f"a{n}", f"b{n + 1}", False) for n in range(60)] * 5
    assert training.refined(model, confirmed + refused).scale > 0.8 > model.scale


def test_the_same_catalogue_makes_the_same_model(model: MatchModel) -> None:
    assert encode(train(CATALOGUE)) == encode(model)


def test_a_model_is_stored_and_read(model: MatchModel) -> None:
    assert decode(encode(model)) == model
    assert len(encode(model)) < 100_000
    with pytest.raises(ValueError, match="version 0"):
        decode(encode(replace(model, version=0)))
    with pytest.raises(msgspec.ValidationError):
        decode(b"{}")


def test_weights_are_named_as_features_are(model: MatchModel) -> None:
    assert {*model.alone, *model.together} <= set(TOGETHER)


def test_the_shipped_model_is_the_one_that_its_command_trains() -> None:
    shipped, fresh = default_model(), trained()
    assert shipped.vocabulary.counts == fresh.vocabulary.counts
    assert shipped.together == pytest.approx(fresh.together, abs=0.05)
    assert shipped.vocabulary.offers == len(demo_offers())


def test_people_move_a_model(model: MatchModel) -> None:
    pouch = [(a.id, b.id, False) for a, b in zip(CATALOGUE[:80], CATALOGUE[80:], strict=True)]
    strangers = [(a.id, b.id, True) for a, b in zip(CATALOGUE[:80], CATALOGUE[81:], strict=False)]
    moved = train(CATALOGUE, [*pouch, *strangers, ("unknown", "a1", True)])
    a, b = CATALOGUE[0], CATALOGUE[80]
    assert moved.decisions == 159
    assert (
        LearnedMatcher(moved).compare(a, b).confidence
        < LearnedMatcher(model).compare(a, b).confidence
    )


def test_decisions_on_unknown_offers_change_nothing(model: MatchModel) -> None:
    assert train(CATALOGUE, [("a1", "gone", True), ("gone", "b1", False)]) == model


def test_offers_of_one_retailer_are_rivals(model: MatchModel) -> None:
    matcher = LearnedMatcher(model)
    offer, partner = CATALOGUE[0], CATALOGUE[80]

    def against(rival: Offer) -> int:
        match = matcher.judge(offer, [partner, rival])[partner.id]
        return next(e.weight for e in match.evidence if e.field == "rivals")

    twin = replace(partner, id="rival")
    assert against(twin) < 0
    assert against(replace(twin, retailer="c")) == 0
    assert against(replace(twin, retailer="")) == 0


@pytest.mark.parametrize(
    "shares", [[0.0, 0.0], [2.0, -2.0], [1e-12, 0.0], [5.0, -1.0, 0.3], [-40.0, 3.0], [400.0]]
)
def test_points_add_up_to_the_confidence(shares: list[float]) -> None:
    confidence, points = confidence_and_points(shares)
    assert confidence == 50 + sum(points)
    assert 0 <= confidence <= 100
    assert confidence == round(100 * probability(np.array([sum(shares)]))[0])


def test_a_prior_yields_to_examples_only_as_far_as_they_pull() -> None:
    chance = np.random.default_rng(0)
    examples = chance.normal(size=(400, 3))
    labels = (examples @ np.array([2.0, -1.0, 0.0]) > 0).astype(float)
    prior = np.array([1.0, 1.0, 1.0])
    loose, tight = fitted(examples, labels, prior, 0.1), fitted(examples, labels, prior, 1e6)
    assert tight == pytest.approx(prior, abs=0.01)
    assert loose[0] > 2
    assert loose[1] < 0
