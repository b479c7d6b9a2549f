"""Learning a model from a catalogue and from what people decided.

Without decisions it teaches itself: the prior judges the candidates among their rivals, and the
judgements become examples. The prior holds the weights, so that a few rounds sharpen a judgement
and do not drift away from it. Decided pairs then refine what was learned.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching.columns import prepare, with_vocabulary
from shared.products.matching.features import EXPANDED, expanded, features
from shared.products.matching.habits import learned_habits
from shared.products.matching.logistic import fitted, probability
from shared.products.matching.model import MatchModel
from shared.products.matching.nearest import near_pairs
from shared.products.matching.offer import Offer
from shared.products.matching.preferring import Preferred
from shared.products.matching.prior import ALONE as PRIOR
from shared.products.matching.prior import prior_model, surrounded
from shared.products.matching.reading import all_name_terms
from shared.products.matching.refining import Belief, Said, Usual, hold
from shared.products.matching.sampling import sample
from shared.products.matching.scoring import (
    ALONE,
    TOGETHER,
    Scoring,
    by_themselves,
    named,
    vector,
)
from shared.products.matching.vocabulary import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

Decision = tuple[str, str, bool]
"""Two ids, and whether they are one product."""

_ROUNDS: Final = 2
_MOST_EXAMPLES: Final = 30_000
# What a catalogue believes of itself counts less than what is known of offers in general.
_HOLD_OF_PRIOR: Final = 30.0
# Among many sources what looks alike is less often one product: as measured in docs/adr/0036.
_MORE_SOURCES_LESS_SURE: Final = -1 / 3


def train(offers: Sequence[Offer], decisions: Sequence[Decision] = ()) -> MatchModel:
    """The model of a catalogue; the same offers and decisions make the same model.

    A large catalogue is taught on a part of it, and on what was decided.
    """
    training = Training(sample(offers, {each for a, b, _ in decisions for each in (a, b)}))
    model = training.unsupervised()
    return training.refined(model, decisions) if decisions else model


class Training:
    """A catalogue, and what can be learned from it."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self._place = {offer.id: at for at, offer in enumerate(offers)}
        self._vocabulary = counted(all_name_terms(offers))
        self._prepared = prepare(offers, self._vocabulary)
        self.candidates = near_pairs(self._prepared)

    def unsupervised(self) -> MatchModel:
        """The model that the catalogue alone makes of the prior."""
        model = prior_model(self._vocabulary)
        for _ in range(_ROUNDS):
            model = self._sharpened(model)
        scale = self._sources_met() ** _MORE_SOURCES_LESS_SURE
        return msgspec.structs.replace(model, scale=round(scale, 4))

    def refined(self, model: MatchModel, decisions: Sequence[Decision]) -> MatchModel:
        """The model, moved towards what people decided of offers that are known here."""
        left, right, same = self._decided(decisions)
        if not len(same):
            return model
        told = model.scale * vector(model.together, TOGETHER)
        # How sure to be is for people to say where they say much.
        scale = round(model.scale ** min(hold(same), 1), 4)
        model = msgspec.structs.replace(model, scale=scale, decisions=len(same))
        model = _together(model, told)
        scoring = self.scoring(model)
        usual = Usual.of(probability(scoring.log_odds_of_candidates))
        among = self.candidates[0][usual.places], self.candidates[1][usual.places]
        decided, others = scoring.examples(left, right), scoring.examples(*among)
        ahead = _ahead(scoring, left, right, same)
        believed = Belief.of(vector(model.alone, ALONE), usual, _by_itself(others))
        said = Said(_by_itself(decided), same, _by_itself(ahead))
        alone = believed.refined(said, _by_itself(others))
        model = msgspec.structs.replace(model, alone=named(alone, ALONE))
        believed = Belief.of(told, usual, others)
        for _ in range(_ROUNDS):
            model = _together(model, believed.refined(Said(decided, same, ahead), others))
            # What people say of pairs also changes what surrounds others.
            scoring = self.scoring(model)
            decided, others = scoring.examples(left, right), scoring.examples(*among)
        return model

    def scoring(self, model: MatchModel) -> Scoring:
        """The catalogue under a model."""
        return Scoring(with_vocabulary(self._prepared, model.vocabulary), self.candidates, model)

    def _sharpened(self, model: MatchModel) -> MatchModel:
        """A model that agrees with the judgements of the last one."""
        scoring = self.scoring(model)
        judged = probability(scoring.log_odds_of_candidates)
        vocabulary = learned_habits(model.vocabulary, scoring.prepared, self.candidates, judged)
        step = 1 + len(judged) // _MOST_EXAMPLES
        left, right = (side[::step] for side in self.candidates)
        measured = expanded(features(with_vocabulary(self._prepared, vocabulary), left, right))
        examples = np.concatenate([measured, np.ones((len(measured), 1))], axis=1)
        alone = fitted(examples, judged[::step], vector(PRIOR, ALONE), _HOLD_OF_PRIOR)
        weights = named(alone, ALONE)
        return MatchModel(vocabulary, weights, surrounded(weights))

    def _sources_met(self) -> float:
        """Of how many other sources an offer's candidates are, on average; 1 where there are none.

        An offer of an unknown retailer is a source of its own.
        """
        retailer, (left, right) = self._prepared.retailer, self.candidates
        source = np.where(retailer < 0, len(retailer) + np.arange(len(retailer)), retailer)
        meetings = np.stack([np.append(left, right), source[np.append(right, left)]], axis=1)
        offers = np.unique(meetings, axis=0)[:, 0]
        return len(offers) / len(np.unique(offers)) if len(offers) else 1.0

    def _decided(self, decisions: Sequence[Decision]) -> "tuple[Places, Places, Floats]":
        known = [d for d in decisions if d[0] in self._place and d[1] in self._place]
        left = np.array([self._place[a] for a, _, _ in known], np.intp)
        right = np.array([self._place[b] for _, b, _ in known], np.intp)
        return left, right, np.array([float(same) for _, _, same in known])


def _together(model: MatchModel, scaled: "Floats") -> MatchModel:
    """The model with these weights among others, which are multiplied with its scale already."""
    return msgspec.structs.replace(model, together=named(scaled / model.scale, TOGETHER))


def _by_itself(examples: "Floats") -> "Floats":
    """What examples of pairs among others say of the two by themselves."""
    return np.concatenate([examples[:, : len(EXPANDED)], examples[:, -1:]], axis=1)


def _ahead(scoring: Scoring, left: "Places", right: "Places", same: "Floats") -> "Floats":
    """(p, len(TOGETHER)) how much more confirmed pairs have of everything than their rivals.

    What surrounds them is left out: a rival is there because of what it is a rival of.
    """
    likely = scoring.candidates, scoring.log_odds_of_candidates
    found = Preferred.of((left, right), same, scoring.prepared.retailer, likely)
    confirmed = left[found.decided], right[found.decided]
    measured = by_themselves(scoring.prepared, *confirmed)
    return measured - by_themselves(scoring.prepared, found.left, found.right)
