"""Learning a model from a catalogue and from what people decided.

Without decisions it teaches itself: the prior judges the candidates among their rivals, and the
judgements become examples. The prior holds the weights, so that a few rounds sharpen a judgement
and do not drift away from it. Decided pairs then refine what was learned.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching.columns import Prepared, name_terms, prepare, with_vocabulary
from shared.products.matching.features import expanded, features
from shared.products.matching.habits import learned_habits
from shared.products.matching.logistic import fitted, probability
from shared.products.matching.model import MatchModel
from shared.products.matching.nearest import near_pairs
from shared.products.matching.offer import Offer
from shared.products.matching.prior import ALONE as PRIOR
from shared.products.matching.prior import prior_model, surrounded
from shared.products.matching.scoring import ALONE, TOGETHER, Scoring, named, vector
from shared.products.matching.vocabulary import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Pairs = tuple[Places, Places]

Decision = tuple[str, str, bool]
"""Two ids, and whether they are one product."""

_ROUNDS: Final = 2
_MOST_EXAMPLES: Final = 60_000
# In surprises per unit of a weight: what a catalogue believes of itself counts less than the prior.
_HOLD_OF_PRIOR: Final = 30.0
_HOLD_OF_CATALOGUE: Final = 1.0


def train(offers: Sequence[Offer], decisions: Sequence[Decision] = ()) -> MatchModel:
    """The model of a catalogue; the same offers and decisions make the same model."""
    prepared = prepare(offers, counted(map(name_terms, offers)))
    training = _Training(prepared, near_pairs(prepared), _Decided(offers, decisions))
    model = prior_model(counted(map(name_terms, offers)))
    for _ in range(_ROUNDS):
        model = training.round(model)
    return training.refined(model) if decisions else model


class _Decided:
    """The decided pairs of known offers, as places."""

    def __init__(self, offers: Sequence[Offer], decisions: Sequence[Decision]) -> None:
        place = {offer.id: at for at, offer in enumerate(offers)}
        kept = [(place[a], place[b], same) for a, b, same in decisions if a in place and b in place]
        self.left = np.array([a for a, _, _ in kept], np.intp)
        self.right = np.array([b for _, b, _ in kept], np.intp)
        self.same = np.array([same for _, _, same in kept], np.float64)


class _Training:
    def __init__(self, prepared: Prepared, candidates: "Pairs", decided: _Decided) -> None:
        self._prepared, self._candidates, self._decided = prepared, candidates, decided

    def round(self, model: MatchModel) -> MatchModel:
        """A model that agrees with the judgements of the last one."""
        scoring = Scoring(
            with_vocabulary(self._prepared, model.vocabulary), self._candidates, model
        )
        judged = probability(scoring.log_odds_of_candidates)
        vocabulary = learned_habits(model.vocabulary, scoring.prepared, self._candidates, judged)
        prepared = with_vocabulary(self._prepared, vocabulary)
        step = max(1, len(judged) // _MOST_EXAMPLES)
        left, right = (side[::step] for side in self._candidates)
        measured = expanded(features(prepared, left, right))
        examples = np.concatenate([measured, np.ones((len(measured), 1))], axis=1)
        weights = fitted(examples, judged[::step], vector(PRIOR, ALONE), _HOLD_OF_PRIOR)
        alone = named(weights, ALONE)
        return MatchModel(vocabulary, alone, surrounded(alone))

    def refined(self, model: MatchModel) -> MatchModel:
        """The model, moved towards what people decided."""
        left, right, same = self._decided.left, self._decided.right, self._decided.same
        for _ in range(_ROUNDS):
            prepared = with_vocabulary(self._prepared, model.vocabulary)
            scoring = Scoring(prepared, self._candidates, model)
            together = fitted(
                scoring.examples(left, right),
                same,
                vector(model.together, TOGETHER),
                _HOLD_OF_CATALOGUE,
            )
            examples = scoring.examples(left, right)
            alone = fitted(
                np.concatenate([examples[:, : len(ALONE) - 1], examples[:, -1:]], axis=1),
                same,
                vector(model.alone, ALONE),
                _HOLD_OF_CATALOGUE,
            )
            model = msgspec.structs.replace(
                model,
                alone=named(alone, ALONE),
                together=named(together, TOGETHER),
                decisions=len(same),
            )
        return model
