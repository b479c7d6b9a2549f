"""The reaction to a job's write: once it has ended, its rows are taken in by a task."""

from collections.abc import Mapping
from typing import Any

from shared.crawling.ingestion import running
from shared.crawling.models import ENDED


def job_written(
    job_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """Enqueues the ingestion of a job that this write ended."""
    if not _ended(after) or _ended(before):
        return
    running.request(job_id, f"{job_id}-ended")


def _ended(fields: Mapping[str, Any] | None) -> bool:
    return fields is not None and fields.get("status") in ENDED
