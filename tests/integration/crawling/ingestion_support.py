"""What the tests of ingestion share: a result as a pod hands it over, and the job that ended."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler_pod.storing import RowsWriter, put_manifest
from shared.crawling.models import CrawlJob, to_document
from shared.crawling.recipes import Job
from shared.crawling.results import Counts, Manifest, Row, manifest_name
from tests.integration.products.support import Json, Shop
from tests.integration.system.conftest import Objects

RETAILER = "corner"
CATEGORY = "tea"


class Bucket:
    """The stack's Storage in the shape that a pod writes to."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @contextmanager
    def open_for_writing(self, name: str, content_type: str) -> Iterator[Any]:  # noqa: ARG002
        stream = io.BytesIO()
        yield stream
        self._objects.put(name, stream.getvalue())

    def create(self, name: str, content: bytes, content_type: str, cache_control: str) -> bool:  # noqa: ARG002
        self._objects.put(name, content)
        return True


def found(number: int, price_minor: int = 10_000, **fields: Any) -> Row:
    """A row of a crawl, unlike every other number's."""
    known: dict[str, Any] = {
        "url": f"https://corner.example/p/{number}",
        "name": f"Alpha{number} Beta{number}",
        "currency": "LKR",
        "source": "json-ld",
        "sku": f"C{number}",
    }
    return Row(price_minor=price_minor, **{**known, **fields})


def stored(
    objects: Objects, job_id: str, rows: Iterable[Row], *, token: int = 1, at: datetime
) -> Manifest:
    """What a pod with this token leaves in Storage."""
    bucket, job = Bucket(objects), Job(job_id, CATEGORY, token)
    with RowsWriter(bucket, job) as writer:
        for row in rows:
            writer.write(row)
    manifest = Manifest(
        job_id=job_id,
        fencing_token=token,
        retailer=RETAILER,
        category=CATEGORY,
        recipe_version=1,
        started_at=at - timedelta(minutes=1),
        finished_at=at,
        ending="completed",
        whole=True,
        counts=Counts(pages_known=9, pages_done=8, pages_failed=1, products=writer.rows),
        rows=writer.stored(),
        errors=[],
        errors_total=1,
    )
    put_manifest(bucket, job, manifest)
    return manifest


def ended(job_id: str, *, token: int = 1, at: datetime, **fields: Any) -> Json:
    """The document of a job that has ended, with a result unless told."""
    name = manifest_name(Job(job_id, CATEGORY, token))
    known: dict[str, Any] = {"status": "completed", "manifest": name}
    job = CrawlJob(
        id=job_id,
        retailer=RETAILER,
        category=CATEGORY,
        requested_by="drill",
        created_at=at,
        finished_at=at,
        token=token,
        **{**known, **fields},
    )
    return to_document(job)


def now() -> datetime:
    """The present moment: whatever was written before is older."""
    return datetime.now(UTC)


def ingest(shop: Shop, job_id: str) -> Json:
    """The ingestion after its task has run once more."""
    answer = shop.call_private("ingest_crawl", {"job_id": job_id})
    assert answer.status_code == 204, answer.text
    known = shop.database.document(f"crawl_ingestions/{job_id}").get().to_dict()
    assert known is not None
    return known
