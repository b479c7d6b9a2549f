"""What `local` has learned, handed from the instance that learned it to the others.

The vectors of all its texts go along, those of the categories' own included: nearly all of the time
that learning takes is theirs.
"""

import logging
import sys
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.classification import artefacts, fitting, local_model, meaning, synonyms, wording
from shared.classification.fitting import Fit
from shared.classification.local_model import Learned, LocalModel, texts_of
from shared.classification.models import Categories
from shared.classification.wording import PackedFeatures, Wording

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

log = logging.getLogger(__name__)

ARTEFACT: Final = "local"
# Those that say what the figures mean, and in what form they are packed.
_RULES: Final = (local_model, fitting, wording, synonyms, meaning, sys.modules[__name__])


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """`vectors` are of all `texts`, of which the first `learned` were learned from.

    `categories` is a digest of those that it was learned for.
    """

    categories: str
    texts: list[str]
    vectors: bytes
    learned: int
    known: int
    wording: list[PackedFeatures]
    pull: bytes
    prior_share: float
    alone: bytes
    heats: list[float]
    correction: tuple[float, float]


_decoder = msgspec.msgpack.Decoder(_Packed)


def read(
    categories: Categories, *, even_if_old: bool, least_seconds: float = 0.0
) -> tuple[LocalModel, float] | None:
    """What was learned of these categories, and for how many seconds it is as good as new."""
    artefact = artefacts.read(ARTEFACT, _of(), even_if_old=even_if_old, least_seconds=least_seconds)
    if artefact is None:
        return None
    try:
        model = unpacked(artefact.content, categories)
    except (msgspec.MsgspecError, ValueError) as error:
        log.warning("A foreign model of local", extra={"context": {"why": str(error)}})
        return None
    return None if model is None else (model, artefact.left_seconds)


def write(
    categories: Categories, model: LocalModel, fresh_seconds: float, began_at: datetime
) -> None:
    """Hands over what was learned of what there was at that moment, if it was anything."""
    if model.learned is not None:
        content = packed(model.learned, categories)
        artefacts.write(ARTEFACT, _of(), content, fresh_seconds, now=lambda: began_at)


def packed(learned: Learned, categories: Categories) -> bytes:
    """What was learned of the categories, as bytes."""
    texts, known, worded, fit = learned
    every = [*texts, *texts_of(categories)]
    return msgspec.msgpack.encode(
        _Packed(
            categories=_digest(categories),
            texts=every,
            vectors=meaning.vectors(every).astype(np.float16).tobytes(),
            learned=len(texts),
            known=known,
            wording=worded.packed(),
            pull=_bytes(fit.pull),
            prior_share=fit.prior_share,
            alone=_bytes(fit.alone),
            heats=fit.heats.tolist(),
            correction=fit.correction,
        )
    )


def unpacked(content: bytes, categories: Categories) -> LocalModel | None:
    """The model that was packed, None where it is of other categories: its vectors are kept.

    Raises MsgspecError or ValueError where there is none such.
    """
    found = _decoder.decode(content)
    rows = np.frombuffer(found.vectors, np.float16).reshape(len(found.texts), meaning.DIMENSIONS)
    meaning.take_over(found.texts, _finite(rows))
    if found.categories != _digest(categories):
        return None
    texts, columns = found.texts[: found.learned], len(categories.choices)
    fit = Fit(
        _floats(found.pull, len(texts), columns),
        found.prior_share,
        _floats(found.alone, len(texts) - found.known, columns),
        np.array(found.heats),
        found.correction,
    )
    worded = Wording.unpacked(len(texts), found.wording)
    learned = Learned(texts, found.known, worded, fit)
    return LocalModel(categories, [], embed=meaning.vectors, learned=learned)


def _of() -> str:
    return f"{meaning.MODEL} {artefacts.rules(*_RULES)}"


def _digest(categories: Categories) -> str:
    return sha256(msgspec.json.encode(categories)).hexdigest()


def _bytes(rows: "Floats") -> bytes:
    return rows.astype(np.float32).tobytes()


def _floats(content: bytes, rows: int, columns: int) -> "Floats":
    return _finite(np.frombuffer(content, np.float32).reshape(rows, columns))


def _finite(rows: "NDArray[Any]") -> "NDArray[Any]":
    if not np.isfinite(rows).all():
        raise ValueError("figures that are none")
    return rows
