"""What a large catalogue is taught on: a part of it in which offers still meet their equals."""

import random
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Final

from shared.products.matching.offer import Offer

MOST_AT_ONCE: Final = 25_000
"""So many offers are taught on as a whole, and have all their candidates compared."""
_SAMPLE: Final = 2_000
_RUN: Final = 500
_SEED: Final = 4


def sample(offers: Sequence[Offer], decided: Collection[str]) -> Sequence[Offer]:
    """The offers, or of more than MOST_AT_ONCE a part, and those of the `decided` ids.

    Single offers would hold hardly any two of one product: these are runs of neighbours in the
    order of names, as `retraining` draws them, and the same ones each time.
    """
    if len(offers) <= MOST_AT_ONCE:
        return offers
    names = [(offer.name, offer.id) for offer in offers]
    order = sorted(range(len(offers)), key=names.__getitem__)
    starts = range(0, len(order), _RUN)
    drawn = random.Random(_SEED).sample(starts, _SAMPLE // _RUN)  # noqa: S311 - no secret
    chosen = set(chain.from_iterable(order[at : at + _RUN] for at in drawn))
    return [each for at, each in enumerate(offers) if at in chosen or each.id in decided]
