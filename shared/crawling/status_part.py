"""What `/system/status` tells of the crawls: how many are under way, and whether one hangs."""

from datetime import timedelta
from typing import Any, Final

from shared.clients import firestore, kubernetes
from shared.clock import utc_now
from shared.crawling import job_store
from shared.system.schemas import PartState
from shared.system.status_parts import UNMEASURED, Asked

MOST: Final = 1000
# The reaper has had its turn at what is older.
OVERDUE: Final = timedelta(minutes=2)
ACTIVE: Final = ["queued", "running", "stopping"]


def crawls(name: str) -> PartState:
    """Crawls under way; the cluster itself is not asked. Raises a DependencyError."""
    if not kubernetes.is_set_up():
        return PartState(name, "off", UNMEASURED, "GKE_ENDPOINT is not set")
    active = _count("status", "in", ACTIVE)
    overdue = _count("lease_until", "<=", utc_now() - OVERDUE)
    detail = f"{overdue} without a sign of life, and not ended" if overdue else None
    state: Any = "degraded" if overdue else "ok"
    return PartState(name, state, UNMEASURED, detail, active, True if active >= MOST else None)


def _count(field: str, comparison: str, value: object) -> int:
    from google.cloud.firestore import FieldFilter

    only = FieldFilter(field, comparison, value)
    query = firestore.client().collection(job_store.COLLECTION).where(filter=only)
    with firestore.errors_mapped():
        return firestore.count(query.limit(MOST), timeout_seconds=2.0)


PART: Final = Asked("crawler", crawls)
