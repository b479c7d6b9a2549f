"""What the pods say and are told: the one way from a crawl into its job."""

from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock, utc_now
from shared.crawling import hosts, job_store, jobs, lifecycle, retailers, sharing
from shared.crawling.background_schemas import Order, PodAnswer, PodReport
from shared.crawling.hosts import HostShare
from shared.crawling.lifecycle import Terms
from shared.crawling.models import CrawlJob
from shared.crawling.recipes import Job
from shared.crawling.results import Progress, manifest_name
from shared.crawling.sharing import Speaker
from shared.errors import Conflict, Invalid

# A pod tells a second at most; whatever comes sooner is answered and not written.
SHORTEST: Final = timedelta(seconds=0.8)
_NOTHING_YET: Final = Progress(0, 0, 0, 0.0, None, growing=True)


def hear(job_id: str, report: PodReport, clock: Clock = utc_now) -> PodAnswer:
    """What the pod has to know; raises Conflict for one whose word does not count, NotFound."""
    restarts = 0
    if report.result is not None:
        restarts = retailers.restarts(job_store.read(job_id).retailer)
    terms = job_store.terms(restarts)

    def decide(job: CrawlJob, now: datetime) -> CrawlJob:
        try:
            return _heard(job, report, now, terms)
        except lifecycle.Refused as refused:
            raise Conflict(str(refused)) from None
        except lifecycle.Impossible as error:
            raise Invalid.one("result", str(error)) from None

    change = job_store.change(job_id, decide, clock=clock)
    jobs.launch(change.to_launch)
    job = change.after
    order = _order(job) if report.order else None
    return PodAnswer(
        status=job.status,
        stop=job.token != report.token or job.status not in ("queued", "running"),
        lease_seconds=terms.lease_seconds,
        order=order,
        hosts=_hosts(job, report, order, Speaker(job.id, clock(), terms.lease_seconds)),
    )


def _hosts(
    job: CrawlJob, report: PodReport, order: Order | None, pod: Speaker
) -> dict[str, HostShare]:
    """Whom else the pod's hosts see; with its order it joins them before it has asked any."""
    if order is not None:
        starts = order.recipe.start_urls.get(job.category, [])
        words = hosts.words_of(starts, order.recipe.limits.delay_seconds)
        return sharing.told(words, pod.joins, job.id, pod.now)
    step = pod.leaves if job.ended else pod.says
    return sharing.told(report.hosts, step, job.id, pod.now)


def _heard(job: CrawlJob, report: PodReport, now: datetime, terms: Terms) -> CrawlJob:
    manifest = manifest_name(_named(job.id, job.category, report.token))
    if job.ended and report.result is not None and job.manifest == manifest:
        # The answer to its last word was lost, and so it says that again.
        return job
    lifecycle.check_pod(job, report.token, now)
    if report.failed is not None:
        return lifecycle.failed(job, report.failed, now)
    if report.result is None and _too_soon(job, report, now):
        return job
    progress = report.progress or _shown(job)
    job = lifecycle.told(job, progress, now, terms)
    if report.result is None:
        return job
    return lifecycle.finished(job, report.result, manifest, now, terms)


def _too_soon(job: CrawlJob, report: PodReport, now: datetime) -> bool:
    return (
        not report.order
        and job.heartbeat_at is not None
        and timedelta() <= now - job.heartbeat_at < SHORTEST
    )


def _shown(job: CrawlJob) -> Progress:
    """What is known already, for a report without figures."""
    if job.pages_total is None:
        return _NOTHING_YET
    return Progress(
        job.pages_done,
        job.pages_total,
        job.products_found,
        job.pages_per_second or 0.0,
        job.seconds_left,
        job.pages_failed,
        job.growing,
        job.note,
    )


def _order(job: CrawlJob) -> Order:
    recipe = retailers.recipe(job.retailer)
    order = Job(
        job_id=job.id,
        category=job.category,
        fencing_token=job.token,
        max_pages=job.max_pages,
        seconds=float(recipe.limits.most_seconds),
    )
    return Order(order, recipe)


def _named(job_id: str, category: str, token: int) -> Job:
    return Job(job_id=job_id, category=category, fencing_token=token)
