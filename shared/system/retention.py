"""What is over is removed once it is as old as the settings say; a run that is cut off is no harm.

A run begins with the oldest and removes page by page, so the next one goes on where it ended.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore, storage
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.system import audit, configuration
from shared.system.configuration_records import RetentionDays
from shared.system.retention_rules import (
    CRAWLS,
    EXPORTS,
    JOBS,
    KEPT,
    Kept,
    crawl_file_is_over,
    crawl_is_asked_about,
    file_is_over,
    in_order_of_removal,
    oldest_kept,
)

if TYPE_CHECKING:
    from google.cloud.firestore import Query

log = logging.getLogger(__name__)

# Chunks of uploads hold up to a mebibyte each, but a deletion names them only.
PAGE: Final = 200
PAGE_FILES: Final = 200
# The schedule's own deadline is longer, so that a run always ends by itself.
RUN_SECONDS: Final = 120.0
FILES: Final = "files"


def apply(by: Actor, clock: Clock = utc_now, run_seconds: float = RUN_SECONDS) -> Counter[str]:
    """Removes what is over; says how many of each collection. Raises a DependencyError.

    Documents go before the files that they name, and one audit entry tells the counts.
    """
    give_up = time.monotonic() + run_seconds
    configured = configuration.read().configuration.retention_days
    removed: Counter[str] = Counter()
    try:
        for kept in KEPT:
            _remove_documents(kept, configured, clock, give_up, removed)
        _remove_files(EXPORTS, configured.results, clock, give_up, removed)
        _remove_crawls(configured.crawl_results, clock, give_up, removed)
    finally:
        if removed:
            audit.write(by, "retention", None, dict(removed))
    log.info("Applied the retention", extra={"context": {"removed": dict(removed)}})
    return removed


def _remove_documents(
    kept: Kept, configured: RetentionDays, clock: Clock, give_up: float, removed: Counter[str]
) -> None:
    query = _over(kept, oldest_kept(kept, configured, clock()))
    database = firestore.client()
    while time.monotonic() < give_up:
        with firestore.errors_mapped():
            found = [each.reference for each in query.stream(**firestore.limits())]
            if found:
                batch = database.batch()
                for reference in found:
                    batch.delete(reference)
                batch.commit(**firestore.limits())
                removed[kept.collection] += len(found)
        if len(found) < PAGE:
            return


def _over(kept: Kept, oldest: object) -> "Query":
    from google.cloud.firestore import FieldFilter

    return (
        firestore.client()
        .collection(kept.collection)
        .where(filter=FieldFilter(kept.field, "<", oldest))
        .order_by(kept.field)
        # The document's name is all that a deletion needs.
        .select([])
        .limit(PAGE)
    )


def _remove_files(
    folder: str, days: int, clock: Clock, give_up: float, removed: Counter[str]
) -> None:
    for page in storage.pages(folder, PAGE_FILES):
        over = [each.name for each in page if file_is_over(*each, days, clock())]
        if not _removed(over, give_up, removed):
            return


def _remove_crawls(days: int, clock: Clock, give_up: float, removed: Counter[str]) -> None:
    """What crawls left: a read for each job of the last nights, and for each that is over."""
    for page in storage.pages(CRAWLS, PAGE_FILES):
        now = clock()
        asked = [each for each in page if crawl_is_asked_about(each.written_at, days, now)]
        jobs = _jobs_of(asked)
        over = [
            each.name
            for each in asked
            if crawl_file_is_over(*each, jobs.get(_job_id(each)), days, now)
        ]
        if not _removed(over, give_up, removed):
            return


def _jobs_of(objects: Sequence[storage.Stored]) -> dict[str, dict[str, Any]]:
    collection = firestore.client().collection(JOBS)
    wanted = (collection.document(job_id) for job_id in {_job_id(each) for each in objects})
    found = firestore.existing(wanted, fields=["finished_at", "manifest"])
    return {each.id: each.to_dict() or {} for each in found}


def _job_id(stored: storage.Stored) -> str:
    return stored.name.split("/")[1] or "nobody"


def _removed(names: list[str], give_up: float, removed: Counter[str]) -> bool:
    """Whether there was time to remove all of them."""
    for name in in_order_of_removal(names):
        if time.monotonic() > give_up:
            return False
        storage.remove(name)
        removed[FILES] += 1
    return True
