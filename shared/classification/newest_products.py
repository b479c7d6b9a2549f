"""The catalogue's newest products, with the categories that people and uploads have given.

Read once in ten minutes for each instance, at most a thousand, whatever the catalogue's size.
"""

import logging
import time
from threading import Lock
from typing import Any, Final

from shared.classification import labels
from shared.classification.models import Example
from shared.clients import firestore
from shared.errors import DependencyError

log = logging.getLogger(__name__)

MOST_PRODUCTS: Final = 1000
FRESH_SECONDS: Final = 600.0

_lock = Lock()
_kept: tuple[float, list[Example]] | None = None


def known() -> list[Example]:
    """As they were at most ten minutes ago, the category empty where there is none.

    None where they are out of reach.
    """
    global _kept  # noqa: PLW0603 - one copy for the process
    with _lock:
        now = time.monotonic()
        if _kept is None or now - _kept[0] > FRESH_SECONDS:
            _kept = (now, _read())
        return _kept[1]


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
    try:
        with firestore.errors_mapped():
            found = [s.to_dict() or {} for s in query.stream(**firestore.limits())]
    except DependencyError as error:
        log.warning("No products", extra={"context": {"why": error.detail}})
        return []
    return [_example(fields) for fields in found]


def _example(fields: dict[str, Any]) -> Example:
    text = labels.label_text(fields.get("brand"), fields["name"], fields.get("size"))
    return Example(text, fields.get("category") or "")
