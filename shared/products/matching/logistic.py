"""Logistic regression that leaves its prior only as far as the examples pull it."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_LARGEST: Final = 30.0
_MOST_STEPS: Final = 25
_LONGEST_STEP: Final = 5.0
_CLOSE: Final = 1e-4


def probability(log_odds: "NDArray[Any]") -> "Numbers":
    """From log-odds to probabilities."""
    odds: Numbers = 1 / (1 + np.exp(-np.clip(log_odds, -_LARGEST, _LARGEST)))
    return odds


def fitted(
    examples: "NDArray[Any]", labels: "NDArray[Any]", prior: "Numbers", strength: float
) -> "Numbers":
    """(k) the weights nearest to `prior` that explain the labels, from 0 to 1, of (n, k) examples.

    `strength` is how many surprises a weight costs that is one off its prior.
    """
    x, y = examples.astype(np.float64), labels.astype(np.float64)
    weights = prior.copy()
    for _ in range(_MOST_STEPS):
        p = probability(x @ weights)
        slope = x.T @ (y - p) - strength * (weights - prior)
        bend = (x * (p * (1 - p))[:, None]).T @ x + strength * np.eye(len(prior))
        step = np.linalg.solve(bend, slope)
        longest = float(np.abs(step).max())
        weights += step * min(1.0, _LONGEST_STEP / max(longest, _CLOSE))
        if longest < _CLOSE:
            break
    return weights
