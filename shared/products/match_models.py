"""The model that matching goes by: trained artefacts in Storage, one of which is current.

`match_models/current` names it. An instance asks for that name once in a minute at most and
fetches an artefact once; until there is one, and where one cannot be had, the default serves.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, storage
from shared.errors import DependencyError
from shared.products.matching import Matcher, Offer

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

log = logging.getLogger(__name__)

COLLECTION: Final = "match_models"
FOLDER: Final = "match-models/"
# The version of the model that needs no training.
DEFAULT: Final = "default"
FRESH_SECONDS: Final = 60.0

_kept: "_Kept | None" = None


class Model(msgspec.Struct, frozen=True):
    """A trained model: the object that holds it is named by its version."""

    version: str
    trained_at: datetime
    offers: int
    decisions: int
    train_seconds: float


class _Kept(msgspec.Struct):
    version: str
    matcher: Matcher
    asked_at: float


def current(at_least: str = DEFAULT) -> Matcher:
    """The matcher of the model that was current at most a minute ago, or when `at_least` was."""
    return _current(at_least).matcher


def version() -> str:
    """Which model is current now; raises a DependencyError."""
    model = read()
    return model.version if model else DEFAULT


def read() -> Model | None:
    """The current model, None before the first; raises a DependencyError."""
    with firestore.errors_mapped():
        snapshot = pointer().get(**firestore.limits())
    return firestore.record_of(snapshot, Model)


def pointer() -> "DocumentReference":
    """Where it stands which model is current."""
    return firestore.client().collection(COLLECTION).document("current")


def object_name(model_version: str) -> str:
    """The object of Storage that holds a model."""
    return f"{FOLDER}{model_version}.bin"


def built(artefact: bytes | None) -> Matcher:
    """The matcher of an artefact, or of the default model; raises ValueError for a foreign one."""
    from shared.products.matching import LearnedMatcher, decode, default_model
    from shared.products.matching.scoring import TOGETHER

    model = default_model() if artefact is None else decode(artefact)
    # A feature that has another name now would count for nothing, and nobody would be told.
    if unknown := (model.alone.keys() | model.together.keys()) - set(TOGETHER):
        raise ValueError(f"a model of features that are not measured: {', '.join(sorted(unknown))}")
    return LearnedMatcher(model)


def trained(offers: Sequence[Offer], decisions: Sequence[tuple[str, str, bool]]) -> bytes:
    """The artefact of a model that is trained on offers and on what people decided of pairs."""
    from shared.products.matching import encode, train

    return encode(train(offers, decisions))


def _current(at_least: str) -> _Kept:
    global _kept  # noqa: PLW0603 - one model for the process
    began = time.monotonic()
    is_fresh = _kept is not None and began - _kept.asked_at <= FRESH_SECONDS
    if _kept is None or not is_fresh or _is_older(_kept.version, at_least):
        _kept = _renewed(_kept, began)
    return _kept


def _is_older(one: str, other: str) -> bool:
    """Whether a model came before another; a trained one begins with its moment."""
    return other != DEFAULT and (one == DEFAULT or one < other)


def _renewed(kept: _Kept | None, now: float) -> _Kept:
    try:
        model = read()
        named = model.version if model else DEFAULT
        if kept is not None and kept.version == named:
            return _Kept(named, kept.matcher, now)
        artefact = storage.read(object_name(named)) if model else None
        if model is None or artefact is not None:
            return _Kept(named, built(artefact), now)
        reason = "it is not in Storage"
    except (DependencyError, ValueError, msgspec.MsgspecError) as error:
        reason = f"{type(error).__name__}: {error}"
    # What was learnt makes matching better; what cannot be had must not end it.
    log.warning("The trained model is not at hand", extra={"context": {"reason": reason}})
    if kept is not None:
        return _Kept(kept.version, kept.matcher, now)
    return _Kept(DEFAULT, built(None), now)
