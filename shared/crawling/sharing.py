"""How many pods crawl one retailer's site at present: together they keep to its pace.

A pod knows its own turns only. Told how many there are, each waits so many times as long.
"""

import logging
import time
from math import inf
from typing import Final

from shared.clients import firestore
from shared.crawling import job_store
from shared.errors import DependencyError

log = logging.getLogger(__name__)

# Pods report once a second each; so often at most an instance counts again.
KNOWN_SECONDS: Final = 5.0
MOST: Final = 100
_counted: dict[str, tuple[float, int]] = {}


def pods_at(retailer: str, *, afresh: bool = False) -> int:
    """How many, whoever asks among them; what cannot be counted is as it was."""
    now = time.monotonic()
    counted_at, pods = _counted.get(retailer, (-inf, 1))
    if not afresh and now - counted_at < KNOWN_SECONDS:
        return pods
    try:
        pods = max(_count(retailer), 1)
    except DependencyError as error:
        log.warning("Pods cannot be counted", extra={"context": {"error": error.detail}})
    _counted[retailer] = (now, pods)
    return pods


def _count(retailer: str) -> int:
    from google.cloud.firestore import FieldFilter

    query = firestore.client().collection(job_store.COLLECTION)
    own = query.where(filter=FieldFilter("retailer", "==", retailer))
    at_work = own.where(filter=FieldFilter("status", "in", ["running", "stopping"]))
    with firestore.errors_mapped():
        return firestore.count(at_work.limit(MOST), timeout_seconds=2.0)
