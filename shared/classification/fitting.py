"""Learns categories from texts that are more or less alike: regression that knows its errors.

A Gaussian process whose mean is the prior: each known text pulls what is like it towards its
category, and so does each text of unknown category, weakly, towards what is itself believed of it.
Noise and the prior's share are those under which the known texts are likeliest, each judged without
itself, which costs nothing more here; heats make the scores shares that can be relied on.
"""

from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

# How much a known category may be wrong, and one that is only believed.
_NOISES: Final = (0.1, 0.3)
_BELIEVED_NOISE: Final = 5.0
_PRIOR_SHARES: Final = (0.1, 0.4, 0.8)
_ROUNDS: Final = 5
_FOLDS: Final = 10
_BELIEF_HEAT: Final = 0.06
_HEATS: Final = np.geomspace(0.02, 1.0, 60)
FEWEST_TO_MEASURE: Final = 30
_UNMEASURED: Final = (0.1, 0.4)
_SURER: Final = 1.25
# So far the heat may be off either way where nothing can be measured: all between are averaged.
_UNSURE_OF_HEAT: Final = np.geomspace(1 / 2.5, 2.5, 7)
_SURE_OF_HEAT: Final = np.ones(1)
# How strongly the correction of a share is drawn to none.
_DOUBT: Final = 16.0
_STEPS: Final = 20


class Fit(NamedTuple):
    """How strongly each text pulls to each category, and how to read what comes of it."""

    pull: "Floats"
    prior_share: float
    # What each text scores without its own pull.
    alone: "Floats"
    heats: "Floats"
    # Slope and offset on the scale of log odds.
    correction: tuple[float, float] = (1.0, 0.0)

    def scores(self, likeness: "Floats", prior: "Floats") -> "Floats":
        """What texts (rows) score for each category, by their likeness to those fitted."""
        found: Floats = likeness @ self.pull + self.prior_share * prior
        return found

    def shares(self, scores: "Floats") -> "Floats":
        """How likely each category is for texts (rows) with these scores."""
        return _mixed(scores, self.heats)

    def sure(self, share: float) -> float:
        """How often an answer with such a share is right."""
        slope, offset = self.correction
        return float(1 / (1 + np.exp(-slope * _log_odds(np.array(share)) - offset)))


def fit(likeness: "Floats", prior: "Floats", truth: "Floats") -> Fit:
    """Fits texts to each other; the first of them are those whose category is known (`truth`)."""
    if len(truth) < FEWEST_TO_MEASURE:
        noise, share = _UNMEASURED
        pull, _, alone = _pull(likeness, prior, truth, noise, share)
        return Fit(pull, share, alone, _guessed_heats(alone, prior))
    known = likeness[: len(truth), : len(truth)]
    noise, share, scores = min(_tried(known, prior, truth), key=itemgetter(0))[1]
    if len(likeness) > len(truth):
        scores = _held_out(likeness, prior, truth, noise, share)
    pull, _, alone = _pull(likeness, prior, truth, noise, share)
    heats = _measured(scores, truth)[1] * _SURE_OF_HEAT
    return Fit(pull, share, alone, heats, _correction(_mixed(scores, heats), truth))


def _tried(
    likeness: "Floats", prior: "Floats", truth: "Floats"
) -> "Iterator[tuple[float, tuple[float, float, Floats]]]":
    """How surprising the truth is under each noise and share, each text judged without itself."""
    known = prior[: len(truth)]
    for noise in _NOISES:
        inverse = np.linalg.inv(likeness + noise * np.eye(len(truth), dtype=np.float32))
        for share in _PRIOR_SHARES:
            pull = inverse @ (truth - share * known)
            scores = truth - pull / np.diag(inverse)[:, None]
            yield _measured(scores, truth)[0], (noise, share, scores)


def _held_out(
    likeness: "Floats", prior: "Floats", truth: "Floats", noise: float, share: float
) -> "Floats":
    """What each known text scores where it is one of those that are not."""
    scores = np.zeros_like(truth)
    every = np.arange(len(likeness))
    for fold in range(_FOLDS):
        out = every[: len(truth)][fold::_FOLDS]
        order = np.concatenate([np.setdiff1d(every[: len(truth)], out), out, every[len(truth) :]])
        kept = len(truth) - len(out)
        _, _, found = _pull(
            likeness[np.ix_(order, order)], prior[order], truth[order[:kept]], noise, share
        )
        scores[out] = found[kept : kept + len(out)]
    return scores


def _pull(
    likeness: "Floats", prior: "Floats", truth: "Floats", noise: float, share: float
) -> "tuple[Floats, Floats, Floats]":
    """The pull of each text, what each scores, and what it scores without its own pull."""
    known = len(truth)
    noises = np.full((len(likeness), 1), _BELIEVED_NOISE, np.float32)
    noises[:known] = noise
    inverse = np.linalg.inv(likeness + np.diag(noises[:, 0]))
    wanted = np.concatenate([truth, prior[known:]])
    pull: Floats = inverse @ (wanted - share * prior)
    for _ in range(_ROUNDS if len(prior) > known else 0):
        scores = wanted - noises * pull
        wanted[known:] = shares(scores[known:] / _BELIEF_HEAT)
        pull = inverse @ (wanted - share * prior)
    return pull, wanted - noises * pull, wanted - pull / np.diag(inverse)[:, None]


def _correction(told: "Floats", truth: "Floats") -> tuple[float, float]:
    """Slope and offset of the best share's log odds that fit how often it is right (Platt)."""
    right = truth[np.arange(len(truth)), told.argmax(axis=1)].astype(float)
    columns = np.stack([_log_odds(told.max(axis=1)), np.ones(len(told))], axis=1)
    plain = np.array([1.0, 0.0])
    found = plain.copy()
    for _ in range(_STEPS):
        sure = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (sure - right) + _DOUBT * (found - plain)
        bend = (columns * (sure * (1 - sure))[:, None]).T @ columns + _DOUBT * np.eye(2)
        found -= np.linalg.solve(bend, slope)
    return float(found[0]), float(found[1])


def _log_odds(share: "Floats") -> "Floats":
    held: Floats = np.clip(share.astype(float), 1e-4, 1 - 1e-4)
    found: Floats = np.log(held / (1 - held))
    return found


def _guessed_heats(scores: "Floats", prior: "Floats") -> "Floats":
    """Where nothing can be measured: heats that leave it somewhat surer than the prior is."""
    wanted = _SURER * float(prior.max(axis=1).mean())
    return min(
        (heat * _UNSURE_OF_HEAT for heat in _HEATS),
        key=lambda heats: abs(float(_mixed(scores, heats).max(axis=1).mean()) - wanted),
    )


def _mixed(scores: "Floats", heats: "Floats") -> "Floats":
    """Scores as shares of one under each heat, and what these are on average."""
    found: Floats = np.mean([shares(scores / heat) for heat in heats], axis=0)
    return found


def _measured(scores: "Floats", truth: "Floats") -> tuple[float, float]:
    """The least surprise at the truth, and the heat that has it."""
    return min(
        (-float(np.log((shares(scores / heat) * truth).sum(axis=1) + 1e-6).mean()), float(heat))
        for heat in _HEATS
    )


def shares(scores: "Floats") -> "Floats":
    """Scores as shares of one, row by row."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = grown / grown.sum(axis=1, keepdims=True)
    return found
