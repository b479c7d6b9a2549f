"""From a queued crawl to its pod in the cluster."""

from datetime import datetime
from typing import Final

from shared.clients import kubernetes
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.crawling import job_store, jobs, lifecycle, retailers
from shared.crawling.models import CrawlJob
from shared.crawling.pod_manifest import JOB_LABEL, TOKEN_LABEL, Launch, Place, manifest
from shared.errors import ConfigurationError, DependencyTimeout, NotFound

REPORT_FUNCTION: Final = "crawl_report"
# How long a pod before it may take to be gone; after that the task comes again.
GONE_SECONDS: Final = 20.0
REFUSED: Final = "The cluster starts no pod for it; the dead letters say why."


def launch(job_id: str, token: int) -> bool:
    """Starts the pod of this token, if it is still wanted; says whether it is there.

    Pods under earlier tokens are ended first and waited for, so that a site never sees two.
    Raises NotFound, ConfigurationError or a DependencyError.
    """
    job = job_store.read(job_id)
    if job.token != token or job.status != "queued" or job.lease_until is None:
        return False
    recipe = retailers.recipe(job.retailer)
    if token > 1:
        _end_earlier(job)
    wanted = Launch(job.id, token, recipe.limits.most_seconds, bool(recipe.javascript))
    kubernetes.create_job(manifest(wanted, _place()))
    return True


def give_up(job_id: str, token: int, clock: Clock = utc_now) -> None:
    """Fails the crawl for which no pod can be had."""

    def decide(job: CrawlJob, now: datetime) -> CrawlJob:
        if job.token != token or job.status != "queued":
            return job
        return lifecycle.failed(job, REFUSED, now)

    try:
        change = job_store.change(job_id, decide, clock=clock)
    except NotFound:
        return
    jobs.launch(change.to_launch)


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
