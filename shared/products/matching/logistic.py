"""Logistic regression that leaves its prior only as far as the examples pull it."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_LARGEST: Final = 30.0
_MOST_STEPS: Final = 25
_CLOSE: Final = 1e-2


def probability(log_odds: "NDArray[Any]") -> "Numbers":
    """From log-odds to probabilities."""
    bounded = np.maximum(np.minimum(log_odds, _LARGEST), -_LARGEST)
    odds: Numbers = 1 / (1 + np.exp(-bounded))
    return odds


def fitted(
    examples: "NDArray[Any]",
    labels: "NDArray[Any]",
    prior: "Numbers",
    strength: float,
    counts: "NDArray[Any] | float" = 1.0,
) -> "Numbers":
    """(k) the weights nearest to `prior` that explain the labels, from 0 to 1, of (n, k) examples.

    `strength` is how many surprises a weight costs that is one off its prior; `counts`, how often
    each example counts.
    """
    x, y = examples.astype(np.float64), labels.astype(np.float64)

    def cost(at: "Numbers") -> float:
        log_odds = x @ at
        surprise = (counts * (np.logaddexp(0, log_odds) - y * log_odds)).sum()
        return float(surprise + strength / 2 * ((at - prior) ** 2).sum())

    weights, known = prior.copy(), cost(prior)
    for _ in range(_MOST_STEPS):
        p = probability(x @ weights)
        slope = x.T @ (counts * (y - p)) - strength * (weights - prior)
        bend = (x * (counts * p * (1 - p))[:, None]).T @ x + strength * np.eye(len(prior))
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
