"""The catalogue's newest products, with the categories that people and uploads have given.

Read once in ten minutes, at most a thousand, whatever the catalogue's size; one instance reads them
for all, and makes them comparable.
"""

import logging
import time
from threading import Lock
from typing import Any, Final

import msgspec

from shared.classification import artefacts, labels
from shared.classification.models import Example
from shared.classification.neighbours import Comparable, comparable
from shared.clients import firestore
from shared.clock import utc_now
from shared.errors import DependencyError

log = logging.getLogger(__name__)

MOST_PRODUCTS: Final = 1000
FRESH_SECONDS: Final = 600.0
ARTEFACT: Final = "newest-products"
# Of another form or by other rules it would be another list.
_FORM: Final = "1"

_decoder = msgspec.msgpack.Decoder(list[Comparable])
_lock = Lock()
_kept: tuple[float, list[Comparable]] | None = None


def known() -> list[Comparable]:
    """As they were at most ten minutes ago, the category empty where there is none.

    None where they are out of reach.
    """
    global _kept  # noqa: PLW0603 - one copy for the process
    with _lock:
        if _kept is None or time.monotonic() >= _kept[0]:
            began = time.monotonic()
            found, fresh_seconds = _taken_over() or _found()
            _kept = (began + fresh_seconds, found)
        return _kept[1]


def _taken_over() -> tuple[list[Comparable], float] | None:
    """What another instance has read, and for how long it is good."""
    artefact = artefacts.read(ARTEFACT, _FORM)
    if artefact is None:
        return None
    try:
        return _decoder.decode(artefact.content), artefact.left_seconds
    except msgspec.MsgspecError as error:
        log.warning("A foreign list of products", extra={"context": {"why": str(error)}})
        return None


def _found() -> tuple[list[Comparable], float]:
    began_at = utc_now()
    try:
        found = [comparable(each) for each in _read()]
    except DependencyError as error:
        log.warning("No products", extra={"context": {"why": error.detail}})
        return [], FRESH_SECONDS
    packed = msgspec.msgpack.encode(found)
    artefacts.write(ARTEFACT, _FORM, packed, FRESH_SECONDS, now=lambda: began_at)
    return found, FRESH_SECONDS


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
    text = labels.label_text(fields.get("brand"), fields["name"], fields.get("size"))
    return Example(text, fields.get("category") or "")
