"""The objects of crawls in Storage: `crawls/<job>/<fencing token>/...`."""

from typing import Final

from shared.clients import storage
from shared.crawling.models import CrawlJob

PAGE: Final = 200


def remove_superseded(job: CrawlJob) -> None:
    """Removes what pods left that do not count: all but what lies beside the job's manifest."""
    counted = job.manifest.rpartition("/")[0] + "/" if job.manifest else None
    for name in _names(job.id):
        if counted is None or not name.startswith(counted):
            storage.remove(name)


def remove_all(job_id: str) -> None:
    """Removes what every pod of the job stored, manifests first: none names what is gone."""
    for name in sorted(_names(job_id), key=lambda n: (not n.endswith("/manifest.json"), n)):
        storage.remove(name)


def _names(job_id: str) -> list[str]:
    """A job has as many pods as it has attempts, and each leaves two objects."""
    return [each.name for page in storage.pages(f"crawls/{job_id}/", PAGE) for each in page]
