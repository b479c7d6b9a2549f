"""Logistic regression that leaves its prior only as far as the examples pull it."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_LARGEST: Final = 30.0
_MOST_STEPS: Final = 25
_CLOSE: Final = 1e-2
_FOLDS: Final = 4
_STRENGTHS: Final = (1.0, 5.0, 25.0, 1000.0)
_HALF: Final = 0.5


def probability(log_odds: "NDArray[Any]") -> "Numbers":
    """From log-odds to probabilities."""
    bounded = np.maximum(np.minimum(log_odds, _LARGEST), -_LARGEST)
    odds: Numbers = 1 / (1 + np.exp(-bounded))
    return odds


def fitted(
    examples: "NDArray[Any]", labels: "NDArray[Any]", prior: "Numbers", strength: float
) -> "Numbers":
    """(k) the weights nearest to `prior` that explain the labels, from 0 to 1, of (n, k) examples.

    `strength` is how many surprises a weight costs that is one off its prior.
    """
    x, y = examples.astype(np.float64), labels.astype(np.float64)

    def cost(at: "Numbers") -> float:
        log_odds = x @ at
        surprise = (np.logaddexp(0, log_odds) - y * log_odds).sum()
        return float(surprise + strength / 2 * ((at - prior) ** 2).sum())

    weights, known = prior.copy(), cost(prior)
    for _ in range(_MOST_STEPS):
        p = probability(x @ weights)
        slope = x.T @ (y - p) - strength * (weights - prior)
        bend = (x * (p * (1 - p))[:, None]).T @ x + strength * np.eye(len(prior))
        step = np.linalg.solve(bend, slope)
        # Far from its end a step of Newton's may overshoot; a shorter one then does not.
        while (found := cost(weights + step)) > known and np.abs(step).max() > _CLOSE:
            step /= 2
        if found >= known:
            break
        weights, gained, known = weights + step, known - found, found
        if gained < _CLOSE:
            break
    return weights


def refined(
    examples: "NDArray[Any]", labels: "NDArray[Any]", prior: "Numbers", groups: "NDArray[Any]"
) -> "Numbers":
    """The fitted weights with as strong a prior as foretells labels best that it has not seen.

    What is of one of the (n) `groups`, numbered from 0, is seen together or not at all.
    The last strength all but keeps the prior: what few labels cannot better they leave alone.
    """
    fold = groups % _FOLDS
    best = min(
        _STRENGTHS,
        key=lambda strength: sum(
            _surprise(
                examples[fold == at]
                @ fitted(examples[fold != at], labels[fold != at], prior, strength),
                labels[fold == at],
            )
            for at in range(_FOLDS)
        ),
    )
    return fitted(examples, labels, prior, best)


def _surprise(log_odds: "NDArray[Any]", labels: "NDArray[Any]") -> float:
    signed = np.where(labels > _HALF, -log_odds, log_odds)
    return float(np.logaddexp(0, signed).sum())
