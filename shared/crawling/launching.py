"""From a queued crawl to its pod in the cluster."""

import logging
from contextlib import suppress
from datetime import datetime
from typing import Final

from shared.clients import kubernetes
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.crawling import job_store, jobs, lifecycle, retailers
from shared.crawling.models import CrawlJob
from shared.crawling.pod_manifest import JOB_LABEL, TOKEN_LABEL, Launch, Place, manifest
from shared.errors import (
    ConfigurationError,
    DependencyError,
    DependencyRefused,
    DependencyTimeout,
    NotFound,
    ShoppleError,
)

log = logging.getLogger(__name__)

REPORT_FUNCTION: Final = "crawl_report"
# How long a pod before it may take to be gone; after that the task comes again.
GONE_SECONDS: Final = 20.0
# Of a reason, as long as what a pod may say of itself.
MOST_WORDS: Final = 500
REFUSED: Final = "The cluster starts no pod for it"
WAITS: Final = "The cluster has no pod for it yet, and is asked again"


def launch(job_id: str, token: int, clock: Clock = utc_now) -> bool:
    """Starts the pod of this token, if it is still wanted; says whether it is there.

    Pods under earlier tokens are ended first and waited for, so that a site never sees two. A
    cluster that is full or away leaves the crawl waiting, for the sweep to ask again; one that
    will never take it fails the crawl. Raises what failed it, or a DependencyError of ours.
    """
    job = job_store.read(job_id)
    if job.token != token or job.status != "queued" or job.lease_until is None:
        return False
    try:
        recipe = retailers.recipe(job.retailer)
        wanted = Launch(job.id, token, recipe.limits.most_seconds, bool(recipe.javascript))
        if token > 1:
            _end_earlier(job)
        kubernetes.create_job(manifest(wanted, _place()))
    except (NotFound, DependencyRefused, ConfigurationError) as error:
        _refused(job, error, clock)
        raise
    except DependencyError as error:
        _put_off(job, error, clock)
        return False
    return True


def give_up(job_id: str, token: int, clock: Clock = utc_now) -> None:
    """Fails the crawl whose launch failed for a reason that nobody foresaw."""
    with suppress(NotFound):
        _change(job_id, token, lambda job, now: lifecycle.failed(job, f"{REFUSED}.", now), clock)


def _refused(job: CrawlJob, error: ShoppleError, clock: Clock) -> None:
    why = f"{REFUSED}: {error.detail}"[:MOST_WORDS]
    _change(job.id, job.token, lambda known, now: lifecycle.failed(known, why, now), clock)


def _put_off(job: CrawlJob, error: ShoppleError, clock: Clock) -> None:
    why, terms = f"{WAITS}: {error.detail}"[:MOST_WORDS], job_store.terms()
    log.warning(WAITS, extra={"context": {"job_id": job.id, "error": error.detail}})
    _change(job.id, job.token, lambda known, now: lifecycle.waiting(known, why, now, terms), clock)


def _change(job_id: str, token: int, decide: job_store.Decide, clock: Clock) -> None:
    """Changes the job while it waits for the pod of this token, and for no other."""

    def decided(job: CrawlJob, now: datetime) -> CrawlJob:
        if job.token != token or job.status != "queued" or job.lease_until is None:
            return job
        return decide(job, now)

    jobs.launch(job_store.change(job_id, decided, clock=clock).to_launch)


def _end_earlier(job: CrawlJob) -> None:
    selector = f"{JOB_LABEL}={job.id},{TOKEN_LABEL}!={job.token}"
    earlier = kubernetes.list_jobs(selector)
    for each in earlier:
        if not each.deleting:
            kubernetes.delete_job(each.name)
    if earlier and not kubernetes.await_gone(selector, GONE_SECONDS):
        raise DependencyTimeout("The pod before this one has not ended yet.")


def _place() -> Place:
    known = settings()
    if known.crawler_image is None:
        raise ConfigurationError("CRAWLER_IMAGE is missing: set it to the crawler's image.")
    return Place(
        namespace=known.crawler_namespace,
        image=known.crawler_image,
        account=known.crawler_account,
        report_url=known.function_url(REPORT_FUNCTION),
        audience=known.audience(REPORT_FUNCTION),
        bucket=known.storage_bucket,
        start_seconds=known.crawler_start_seconds,
    )
