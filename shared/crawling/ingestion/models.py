"""How far the rows of a crawl have come: one document for each job that ended."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from shared.crawling.models import CrawlJob, Status
from shared.crawling.results import Manifest

# `removed` stands for a result that was deleted, so that no late event brings it back.
Stage = Literal["pending", "running", "done", "failed", "removed"]
Telling = Literal["due", "claimed", "sent", "off", "failed"]
# Of a quarantined price.
Held = Literal["open", "released", "discarded"]
# Rows that could not be read are counted; so many are shown.
MOST_REFUSED: Final = 20


class Counts(msgspec.Struct, frozen=True):
    """What became of the rows so far; they add up to the rows that were read."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    failed: int = 0

    @property
    def rows(self) -> int:
        """How many rows have been dealt with: the number of the last one."""
        return self.new + self.changed + self.unchanged + self.quarantined + self.failed

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        both = {n: getattr(self, n) + getattr(other, n) for n in self.__struct_fields__}
        return Counts(**both)


class Ingestion(msgspec.Struct, frozen=True, kw_only=True):
    """A job's result on its way into the catalogue, with what the list of results shows.

    `object` holds the rows, `rows` of them with the checksum `sha256`; all three are None where
    the job ended without a result. `seen_at` is the moment of the crawl's prices. `error` is the
    job's, `failure` why its rows are not taken in.
    """

    id: str
    retailer: str
    category: str
    job_status: Status
    seen_at: datetime
    finished_at: datetime
    status: Stage = "pending"
    attempt: int = 1
    whole: bool | None = None
    object: str | None = None
    sha256: str | None = None
    rows: int | None = None
    size_bytes: int | None = None
    pages_done: int = 0
    pages_failed: int = 0
    errors: int = 0
    counts: Counts = Counts()
    refused: list[str] = []
    error: str | None = None
    failure: str | None = None
    told: Telling = "due"
    claimed_at: datetime | None = None

    @property
    def under_way(self) -> bool:
        """Whether rows are still to be dealt with, and nothing has failed."""
        return self.status in ("pending", "running")


def begun(job: CrawlJob, manifest: Manifest | None) -> Ingestion:
    """The ingestion of an ended job that handed over `manifest`, or nothing."""
    ended_at = job.finished_at or job.created_at
    known = Ingestion(
        id=job.id,
        retailer=job.retailer,
        category=job.category,
        job_status=job.status,
        seen_at=ended_at,
        finished_at=ended_at,
        attempt=job.attempt,
        pages_done=job.pages_done,
        pages_failed=job.pages_failed,
        error=job.error,
    )
    if manifest is None:
        return msgspec.structs.replace(known, status="done")
    return msgspec.structs.replace(
        known,
        # A pod's clock may be ahead, and then no later crawl would ever be the younger one.
        seen_at=min(manifest.finished_at, ended_at),
        whole=manifest.whole,
        object=manifest.rows.name,
        sha256=manifest.rows.sha256,
        rows=manifest.rows.rows,
        size_bytes=manifest.rows.size_bytes,
        pages_done=manifest.counts.pages_done,
        pages_failed=manifest.counts.pages_failed,
        errors=manifest.errors_total,
        error=job.error or manifest.detail,
    )


def to_document(ingestion: Ingestion) -> dict[str, Any]:
    """The fields in Firestore; what is listed has `listed_at`, which a removed one lacks."""
    fields = msgspec.structs.asdict(ingestion)
    del fields["id"]
    fields["counts"] = msgspec.structs.asdict(ingestion.counts)
    if ingestion.status != "removed":
        fields["listed_at"] = ingestion.finished_at
    return fields


def from_document(job_id: str, fields: dict[str, Any]) -> Ingestion:
    """The ingestion in a document's fields."""
    known = {name: fields[name] for name in _STORED if name in fields}
    known["counts"] = Counts(**fields.get("counts", {}))
    return Ingestion(id=job_id, **known)


_STORED: Final = tuple(n for n in Ingestion.__struct_fields__ if n not in ("id", "counts"))
