"""A hundred decisions of people never make the matcher worse, however they were chosen."""

import numpy as np
import pytest

from shared.products.matching import MatchModel
from shared.products.matching.preferring import MOST_RIVALS, Preferred
from shared.products.matching.refining import Belief, Said, Usual
from shared.products.matching.training import Decision, Training
from tests.benchmarks.generated import HARD_NOISE, catalogue
from tests.benchmarks.hundred_decisions import draws, f1, of_set
from tests.datasets import require_data

GOODS = catalogue(500, noise=HARD_NOISE)
WAYS = ("listed", "listed, confirmed", "the least sure")
# Verdicts at the very limit go either way: so many of them are noise.
NOISE_VERDICTS = 2


@pytest.fixture(scope="module")
def training() -> Training:
    return Training(GOODS.offers)


@pytest.fixture(scope="module")
def model(training: Training) -> MatchModel:
    return training.unsupervised()


def _decisions(training: Training) -> list[Decision]:
    left, right = training.candidates
    same = (GOODS.products[left] == GOODS.products[right]) & (GOODS.products[left] >= 0)
    ids = [offer.id for offer in GOODS.offers]
    return [(ids[a], ids[b], bool(s)) for a, b, s in zip(left, right, same, strict=True)]


def test_a_hundred_decisions_of_any_choice_do_no_harm(
    training: Training, model: MatchModel
) -> None:
    decisions = _decisions(training)
    same = np.array([decided for _, _, decided in decisions])
    scoring = training.scoring(model)
    asked = scoring.candidates[0][1::2], scoring.candidates[1][1::2]
    alone = f1(scoring.log_odds(*asked), same[1::2])
    moved = {}
    for way, chosen in draws(scoring.log_odds_of_candidates[::2], same[::2], seed=0, ways=WAYS):
        taught = training.refined(model, [decisions[2 * at] for at in chosen])
        moved[way] = f1(training.scoring(taught).log_odds(*asked), same[1::2]) - alone
    print(f"F1 {alone:.1f} moves by {moved}")  # noqa: T201 - what it is run for
    assert set(moved) == set(WAYS)
    assert min(moved.values()) >= -NOISE_VERDICTS * 100 / same[1::2].sum()


def test_many_refusals_and_few_confirmations_do_no_harm(
    training: Training, model: MatchModel
) -> None:
    decisions = _decisions(training)
    same = np.array([decided for _, _, decided in decisions])
    asked = training.candidates[0][1::2], training.candidates[1][1::2]
    alone = f1(training.scoring(model).log_odds(*asked), same[1::2])
    half = decisions[::2]
    few = [at for at, (_, _, decided) in enumerate(half) if decided][::12]
    lopsided = [half[at] for at in range(len(half)) if at in few or not half[at][2]]
    assert len(lopsided) > 2_000
    for chosen in (half, lopsided):
        taught = training.refined(model, chosen)
        moved = f1(training.scoring(taught).log_odds(*asked), same[1::2]) - alone
        print(f"{len(chosen)} decisions: F1 {alone:.1f} moves by {moved}")  # noqa: T201
        assert moved >= -NOISE_VERDICTS * 100 / same[1::2].sum()


@pytest.mark.drill
def test_a_hundred_decisions_on_real_offers_do_no_harm() -> None:
    require_data("matching", "abt-buy", "train.csv")
    ways = ("any confirmed", "the surest", "the least sure")
    moved = {way: by for way, _, _, by in of_set("abt-buy", [0], ways)}
    print(f"Abt-Buy: F1 moves by {moved}")  # noqa: T201 - what it is run for
    assert set(moved) == set(ways)
    assert min(moved.values()) >= -NOISE_VERDICTS * 100 / 206


def test_what_few_decisions_say_of_their_choice_is_not_believed_of_others() -> None:
    chance = np.random.default_rng(5)
    usual = np.column_stack([chance.normal(size=(2_000, 3)), np.ones(2_000)])
    weights = np.array([3.0, 0.0, 0.0, -2.0])
    belief = Belief.of(weights, Usual(np.arange(2_000), np.ones(2_000)), usual)
    decided = usual[belief.likely > 0.5][:100]
    for same in (np.ones(100), np.zeros(100)):
        moved = belief.refined(Said(decided, same, usual[:0]), usual)
        assert np.abs(usual @ (moved - weights)).max() < 0.3
    # The same share of them confirmed, but by what the second number says.
    by_second = (decided[:, 1] > 0).astype(float)
    told = belief.refined(Said(decided, by_second, usual[:0]), usual)
    assert told[1] > 0.1


def test_confirmations_alone_tell_what_rivals_lack() -> None:
    chance = np.random.default_rng(7)
    usual = np.column_stack([chance.normal(size=(2_000, 2)), np.ones(2_000)])
    belief = Belief.of(np.array([3.0, 0.0, -2.0]), Usual(np.arange(2_000), np.ones(2_000)), usual)
    confirmed = usual[belief.likely > 0.5][:100]
    ahead = np.tile([0.0, 1.0, 0.0], (200, 1))
    moved = belief.refined(Said(confirmed, np.ones(100), ahead), usual) - belief.weights
    assert moved[1] > 0.05
    assert np.abs(moved[[0, 2]]).max() < moved[1] / 2


def test_a_confirmed_offer_was_preferred_to_its_likeliest_undecided_rivals() -> None:
    # Offer 0 is of one retailer, 1 to 7 of another, 8 of none that is known, 9 of the first.
    retailer = np.array([0, 1, 1, 1, 1, 1, 1, 1, -1, 0])
    left, right = np.array([0] * 8 + [1, 9]), np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 2])
    log_odds = np.array([5.0, 1, 2, 3, 4, 6, 0, 9, -1, 8])
    decided, same = (np.array([1, 0, 8]), np.array([0, 6, 0])), np.array([1.0, 0.0, 1.0])
    found = Preferred.of(decided, same, retailer, ((left, right), log_odds))
    pairs = list(
        zip(found.decided.tolist(), found.left.tolist(), found.right.tolist(), strict=True)
    )
    assert pairs[:1] == [(0, 1, 9)]
    assert pairs[1 : MOST_RIVALS + 1] == [(0, 0, 5), (0, 0, 4), (0, 0, 3), (0, 0, 2)]
    # What is known of no shop is nobody's rival; its other side is.
    assert all(its != 8 for _, _, its in pairs)
    nobody = Preferred.of(decided, np.zeros(3), retailer, ((left, right), log_odds))
    assert len(nobody.decided) == 0


def test_many_decisions_of_both_kinds_are_believed() -> None:
    chance = np.random.default_rng(6)
    usual = np.column_stack([chance.normal(size=(2_000, 2)), np.ones(2_000)])
    belief = Belief.of(np.array([3.0, 0.0, -2.0]), Usual(np.arange(2_000), np.ones(2_000)), usual)
    decided = np.column_stack([chance.normal(size=(6_000, 2)), np.ones(6_000)])
    same = (decided[:, 1] > 0.5).astype(float)
    said = decided @ belief.refined(Said(decided, same, usual[:0]), usual) > 0
    assert (said == (same > 0)).mean() > 0.95
    # As many refusals, but hardly anything to hold them against.
    rare = same * (np.cumsum(same) <= 5)
    heard = (same == 0) | (rare > 0)
    moved = belief.refined(Said(decided[heard], rare[heard], usual[:0]), usual)
    assert np.abs(usual @ (moved - belief.weights)).mean() < 1


def test_usual_pairs_stand_for_all() -> None:
    likely = np.concatenate([np.full(5_000, 0.9), np.full(40_000, 0.001), np.full(10, 0.5)])
    usual = Usual.of(likely)
    assert len(usual.places) < 3_100
    assert len(np.unique(usual.places)) == len(usual.places)
    assert usual.counts.sum() == pytest.approx(len(likely), rel=0.001)
    assert usual.counts @ likely[usual.places] == pytest.approx(likely.sum(), rel=0.001)
    assert len(Usual.of(np.zeros(0)).places) == 0
