"""A crawl as it is stored: one document, from its order to its result."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

Status = Literal["queued", "running", "stopping", "stopped", "completed", "failed"]
ENDED: Final[tuple[Status, ...]] = ("stopped", "completed", "failed")


class CrawlJob(msgspec.Struct, frozen=True, kw_only=True):
    """One crawl of one category of one retailer.

    `token` fences pods: only the pod that holds the present one is heard. A job without
    `lease_until` waits for a place in its group; beyond that moment its pod counts as lost.
    `manifest` names the one object whose result counts. While it is `growing`, lists are unread
    and nobody knows how many pages there will be. `version` rises with each change. `waits` counts
    how often the cluster took no pod for it, and `error` then says why. `loss_told` is set with
    the first restart of a lost pod, the only one that Slack hears of. `placed_at` is when it was
    first entitled to a pod.
    """

    id: str
    retailer: str
    category: str
    requested_by: str
    created_at: datetime
    status: Status = "queued"
    max_pages: int | None = None
    group_id: str | None = None
    schedule_id: str | None = None
    slot: str | None = None
    token: int = 1
    attempt: int = 1
    waits: int = 0
    loss_told: bool = False
    placed_at: datetime | None = None
    lease_until: datetime | None = None
    heartbeat_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pages_done: int = 0
    pages_total: int | None = None
    products_found: int = 0
    pages_failed: int = 0
    pages_per_second: float | None = None
    seconds_left: float | None = None
    growing: bool = True
    note: str | None = None
    error: str | None = None
    manifest: str | None = None
    rows: int | None = None
    whole: bool | None = None
    version: int = 1

    @property
    def ended(self) -> bool:
        """Whether nothing can change its result any more."""
        return self.status in ENDED

    @property
    def percent(self) -> int | None:
        """How much of what is known is done; None while lists are unread."""
        if self.status == "completed":
            return 100
        if self.growing or not self.pages_total:
            return None
        return min(100 * self.pages_done // self.pages_total, 99)


def to_document(job: CrawlJob) -> dict[str, Any]:
    """The job's fields in Firestore."""
    fields = msgspec.structs.asdict(job)
    del fields["id"]
    return fields


def from_document(job_id: str, fields: dict[str, Any]) -> CrawlJob:
    """The job in a document's fields."""
    known = {name: fields[name] for name in _STORED if name in fields}
    return CrawlJob(id=job_id, **known)


_STORED: Final = tuple(name for name in CrawlJob.__struct_fields__ if name != "id")
