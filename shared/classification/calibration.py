"""How right a provider is at what it says of itself, learnt from what reviewers decided; no I/O.

From 50 decisions on, Platt's scaling: a logistic curve through raw figures and right answers. With
fewer, a raw figure above the share of right answers known so far is shrunk to it, and that share
starts at one half: a figure that nobody has checked yet stays below the usual thresholds.
"""

import math
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

# The newest count; a provider's models change, and with them how right they are.
MOST_DECISIONS: Final = 500
FEWEST_TO_FIT: Final = 50
# Of what is sure enough, so that the curve does not rest on what is not alone.
SAMPLED_ONE_IN: Final = 50
# As if so many decisions had been made before the first, half of them right, at a figure of 50.
PRIOR_DECISIONS: Final = 10.0
# How much of its distance from the middle a raw figure keeps while little is known.
SHRUNK_TO: Final = 0.3
# Holds the curve to the straight one where the decisions say little.
_RIDGE: Final = 0.5
_NEWTON_STEPS: Final = 25
_EDGE: Final = 0.01


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """A raw figure (0 to 100), and whether the answer that it came with was right."""

    raw: int
    right: bool


class Curve(msgspec.Struct, frozen=True):
    """From a raw figure to the chance of being right; `decisions` is what it was learnt from."""

    decisions: int
    slope: float
    intercept: float
    is_fitted: bool

    def of(self, raw: int) -> int:
        """The calibrated figure, 0 to 100; never falls as the raw one rises."""
        share = raw / 100
        if self.is_fitted:
            share = _logistic(self.slope * _logit(share) + self.intercept)
        else:
            # What models say of themselves errs upwards: until it is known better, never more.
            share = min(share, self.slope * share + self.intercept)
        return round(100 * min(1.0, max(0.0, share)))


def in_sample(text: str) -> bool:
    """Whether a product of this text is asked of a person, however sure its answer is."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) % SAMPLED_ONE_IN == 0


def curve(outcomes: Sequence[Outcome]) -> Curve:
    """What the outcomes teach, newest first; those beyond the newest 500 are left out."""
    known = outcomes[:MOST_DECISIONS]
    if len(known) < FEWEST_TO_FIT:
        return _shrunk(known)
    slope, intercept = _platt(known)
    return Curve(len(known), slope, intercept, is_fitted=True)


def _shrunk(known: Sequence[Outcome]) -> Curve:
    weight = len(known) + PRIOR_DECISIONS
    half = PRIOR_DECISIONS / 2
    right = (sum(each.right for each in known) + half) / weight
    middle = (sum(each.raw for each in known) / 100 + half) / weight
    return Curve(len(known), SHRUNK_TO, right - SHRUNK_TO * middle, is_fitted=False)


def _platt(known: Sequence[Outcome]) -> tuple[float, float]:
    """Slope and intercept by Newton's method, on the logit of the figure and smoothed targets."""
    rights = sum(each.right for each in known)
    # Platt's targets: even where all were right, the next one may be wrong.
    high, low = (rights + 1) / (rights + 2), 1 / (len(known) - rights + 2)
    points = [(_logit(each.raw / 100), high if each.right else low) for each in known]
    slope, intercept = 1.0, 0.0
    for _ in range(_NEWTON_STEPS):
        slope, intercept = _step(points, slope, intercept)
    if slope < 0:
        # It is surer where it is wrong: its figure says nothing, its share of right answers does.
        share = sum(target for _, target in points) / len(points)
        return 0.0, _logit(share)
    return slope, intercept


def _step(
    points: Sequence[tuple[float, float]], slope: float, intercept: float
) -> tuple[float, float]:
    to_slope, to_intercept = _RIDGE * (slope - 1), 0.0
    a, b, c = _RIDGE, 0.0, 1e-9
    for x, target in points:
        p = _logistic(slope * x + intercept)
        to_slope += (p - target) * x
        to_intercept += p - target
        w = p * (1 - p)
        a, b, c = a + w * x * x, b + w * x, c + w
    determinant = a * c - b * b
    # A step is kept short: far out the curve is flat, and a whole step would leap.
    return (
        slope - _short((c * to_slope - b * to_intercept) / determinant),
        intercept - _short((a * to_intercept - b * to_slope) / determinant),
    )


def _short(step: float) -> float:
    return max(-1.0, min(1.0, step))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, x))))


def _logit(share: float) -> float:
    within = min(1 - _EDGE, max(_EDGE, share))
    return math.log(within / (1 - within))
