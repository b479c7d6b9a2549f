"""What a matcher has learned: a small artefact that is stored, versioned and loaded."""

from functools import cache
from importlib import resources
from typing import Final

import msgspec

from shared.products.matching.vocabulary import Vocabulary

VERSION: Final = 1
BIAS: Final = "bias"

Weights = dict[str, float]


class MatchModel(msgspec.Struct, frozen=True):
    """Log-odds of one product per unit of each feature; a feature that is not named has none."""

    vocabulary: Vocabulary
    alone: Weights
    """For two offers by themselves."""
    together: Weights
    """For two offers among the others of a catalogue."""
    scale: float = 1.0
    """What the log-odds among others are multiplied with: below 1 the model is less sure."""
    decisions: int = 0
    """How many pairs that people decided it has learned from."""
    version: int = VERSION


def encode(model: MatchModel) -> bytes:
    """The model as JSON in UTF-8."""
    return msgspec.json.encode(model)


def decode(stored: bytes) -> MatchModel:
    """The model that `encode` wrote; raises ValueError for anything else or another version."""
    model = msgspec.json.decode(stored, type=MatchModel)
    if model.version != VERSION:
        raise ValueError(f"a model of version {model.version}, where {VERSION} is wanted")
    return model


@cache
def default_model() -> MatchModel:
    """The model for a catalogue of which nothing is known yet; it ships with the package."""
    return decode(resources.files(__package__).joinpath("default_model.json").read_bytes())
