"""The first reaction to a write: caches at once, everything else by a task."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.clients import tasks
from shared.edge import cache
from shared.errors import DependencyError
from shared.products.background_schemas import MatchProduct

log = logging.getLogger(__name__)

QUEUE = "matching"
FUNCTION = "match_product"


def product_written(product_id: str, commit_micros: int) -> None:
    """Replaces the cache's generation where the writer could not, and enqueues the rest."""
    _ensure_bumped("products", commit_micros)
    _ensure_bumped("matcher", commit_micros)
    request_follow(product_id, f"{product_id}-{commit_micros}")


def price_written(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
    """Has the history told, where the write gave the product another price."""
    from shared.products import price_changes

    price_changes.written(before, after)


def category_written(category_id: str, version: int | None, commit_micros: int) -> None:
    """Replaces the cache's generation where the writer could not, and settles the outbox."""
    if _ensure_bumped("categories", commit_micros) and version is not None:
        from shared.products import sweeping

        sweeping.settle_category(category_id, version)


def request_follow(product_id: str, name: str) -> None:
    """Enqueues the task that does what follows a write; the same name is taken once an hour."""
    tasks.enqueue(QUEUE, FUNCTION, msgspec.json.encode(MatchProduct(product_id)), name=name)


def _ensure_bumped(namespace: str, commit_micros: int) -> bool:
    try:
        cache.ensure_bumped(namespace, commit_micros)
    except DependencyError:
        # The task tries again until Redis is back; a trigger has one attempt only.
        log.warning("Cache not invalidated", extra={"context": {"namespace": namespace}})
        return False
    return True
