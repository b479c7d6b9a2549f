"""The catalogue's newest products, with the categories that people and uploads have given.

Read once in ten minutes, at most a thousand, whatever the catalogue's size; one instance reads them
for all, and makes them comparable.
"""

import logging
import sys
import time
from threading import Lock
from typing import Any, Final

import msgspec

from shared.classification import artefacts, labels, neighbours, product_text, renewal
from shared.classification.models import Example
from shared.classification.neighbours import Comparable, comparable
from shared.classification.renewal import Kept
from shared.clients import firestore
from shared.clock import utc_now
from shared.errors import ShoppleError
from shared.products import letters
from shared.products.matching import quantity, text

log = logging.getLogger(__name__)

MOST_PRODUCTS: Final = 1000
FRESH_SECONDS: Final = 600.0
# Whoever could not read them tries again after so long.
OUT_OF_REACH_SECONDS: Final = 60.0
ARTEFACT: Final = "newest-products"
# Those that say which they are, and how they are made comparable.
_RULES: Final = (sys.modules[__name__], labels, neighbours, product_text, quantity, text, letters)

_decoder = msgspec.msgpack.Decoder(list[Comparable])
_lock = Lock()
_kept: Kept[list[Comparable] | None] | None = None


def known() -> list[Comparable] | None:
    """As they were at most ten minutes ago, the category empty where there is none.

    None where they are out of reach, which is not the same as that there are none.
    """
    global _kept  # noqa: PLW0603 - one copy for the process
    with _lock:
        began, began_at = time.monotonic(), utc_now()
        if _kept is not None and began < _kept.renew_at:
            return _kept.value
        taken = _taken_over(renewal.least_seconds(_kept, began))
        found, fresh_seconds = taken or _found()
        _kept = renewal.kept(found, began, fresh_seconds)
    # Others of this instance need not wait until it is handed over.
    if taken is None and found is not None:
        packed = msgspec.msgpack.encode(found)
        artefacts.write(ARTEFACT, _of(), packed, fresh_seconds, now=lambda: began_at)
    return found


def _taken_over(least_seconds: float) -> tuple[list[Comparable], float] | None:
    """What another instance has read, and for how long it is good."""
    artefact = artefacts.read(ARTEFACT, _of(), least_seconds=least_seconds)
    if artefact is None:
        return None
    try:
        return _decoder.decode(artefact.content), artefact.left_seconds
    except msgspec.MsgspecError as error:
        log.warning("A foreign list of products", extra={"context": {"why": str(error)}})
        return None


def _found() -> tuple[list[Comparable] | None, float]:
    try:
        return [comparable(each) for each in _read()], FRESH_SECONDS
    except ShoppleError as error:
        log.warning("No products", extra={"context": {"why": error.detail}})
        return None, OUT_OF_REACH_SECONDS


def _of() -> str:
    return artefacts.rules(*_RULES)


def _read() -> list[Example]:
    from google.cloud.firestore import FieldFilter, Query

    query = (
        firestore.client()
        .collection("products")
        .where(filter=FieldFilter("listed", "==", True))
        .order_by("updated_at", direction=Query.DESCENDING)
        .select(["name", "brand", "size", "category"])
        .limit(MOST_PRODUCTS)
    )
    with firestore.errors_mapped():
        found = [s.to_dict() or {} for s in query.stream(**firestore.limits())]
    return [_example(fields) for fields in found]


def _example(fields: dict[str, Any]) -> Example:
    told = labels.label_text(fields.get("brand"), fields["name"], fields.get("size"))
    return Example(told, fields.get("category") or "")
