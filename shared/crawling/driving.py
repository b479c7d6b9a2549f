"""What wakes a schedule: a job of Cloud Scheduler where cron can say when, else a task.

A task also stands in where cron says it wrongly, on days on which clocks change. Both only call:
whether a slot is due is decided from the schedule's own document.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, scheduler, tasks
from shared.clients.scheduler import Job
from shared.config import settings
from shared.crawling.schedule_models import CrawlSchedule, slot_key
from shared.crawling.schedule_schemas import RunCrawlSchedule
from shared.crawling.slots import cron_of, cron_says
from shared.errors import DependencyError

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

FUNCTION: Final = "run_crawl_schedule"
QUEUE: Final = "schedules"
COLLECTION: Final = "crawl_schedules"
# Ends every description: these jobs are neither foreign nor those that are declared once for all.
MARKER: Final = "[shopple-admin crawl schedule]"
PREFIX: Final = "crawl-"
# Cloud Tasks takes none that is due in more than 30 days: such a slot is reached in steps.
LONGEST_STEP: Final = timedelta(days=29)


def drive(schedule: CrawlSchedule, now: datetime) -> None:
    """Makes Cloud Scheduler and Cloud Tasks know the schedule as it is; raises DependencyError."""
    wanted = job_of(schedule)
    _make_so(_name(schedule.id), scheduler.find_job(_name(schedule.id)), wanted)
    arm(schedule, now)
    if schedule.undriven:
        _note_driven(schedule)


def drive_or_leave(schedule: CrawlSchedule, now: datetime) -> None:
    """Likewise; what fails is left to the sweep, since the schedule itself is stored."""
    try:
        drive(schedule, now)
    except DependencyError as error:
        log.warning("A schedule could not be driven yet", extra={"context": {"error": str(error)}})


def arm(schedule: CrawlSchedule, now: datetime) -> None:
    """Has a task wake the schedule where cron does not say its next slot; a repeat is harmless."""
    slot = schedule.next_run_at
    if slot is None or cron_says(schedule.timing, slot):
        return
    at = min(slot, now + LONGEST_STEP)
    body = msgspec.json.encode(RunCrawlSchedule(schedule.id))
    step = f"-{int(at.timestamp()) // 86_400}" if at < slot else ""
    tasks.enqueue(
        QUEUE,
        FUNCTION,
        body,
        name=f"{PREFIX}{slot_key(schedule.id, slot)}{step}",
        delay_seconds=(at - now).total_seconds(),
    )


def withdraw(schedule_id: str) -> None:
    """Removes the job of a schedule that is gone; raises DependencyError."""
    if scheduler.find_job(_name(schedule_id)) is not None:
        scheduler.delete_job(_name(schedule_id))


def withdraw_or_leave(schedule_id: str) -> None:
    """Likewise; a job that is left calls a schedule that is gone, and is removed then."""
    try:
        withdraw(schedule_id)
    except DependencyError as error:
        log.warning("A job could not be removed yet", extra={"context": {"error": str(error)}})


def repair(schedules: Callable[[], Sequence[CrawlSchedule]], now: datetime) -> int:
    """Makes the jobs that are found what the schedules say, and ours only; how many it changed."""
    # Jobs before schedules: a job is younger than its schedule, so one without has lost it.
    found = {job.name: job for job in scheduler.list_jobs() if job.description.endswith(MARKER)}
    changed = 0
    for schedule in schedules():
        name, wanted = _name(schedule.id), job_of(schedule)
        known = found.pop(name, None)
        if known is None and wanted is not None:
            # Whoever made the schedule meanwhile may have made its job as well.
            known = scheduler.find_job(name)
        changed += _make_so(name, known, wanted)
        slot = schedule.next_run_at
        # What is further ahead has its steps, and would get another one each day.
        if slot is not None and slot <= now + LONGEST_STEP:
            arm(schedule, now)
    for name in found:
        scheduler.delete_job(name)
    return changed + len(found)


def job_of(schedule: CrawlSchedule) -> Job | None:
    """The job that the schedule should have; None where cron cannot say when it is due."""
    cron = cron_of(schedule.timing)
    if cron is None:
        return None
    configured = settings()
    return Job(
        name=_name(schedule.id),
        description=f"Crawls a retailer's category by schedule {schedule.id}. {MARKER}",
        schedule=cron.schedule,
        time_zone=cron.time_zone,
        url=configured.function_url(FUNCTION),
        invoker=configured.tasks_invoker,
        audience=configured.audience(FUNCTION),
        body=msgspec.json.encode(RunCrawlSchedule(schedule.id)),
        attempt_deadline_seconds=60,
        retries=3,
        paused=not schedule.enabled,
    )


def _make_so(name: str, found: Job | None, wanted: Job | None) -> bool:
    """Whether anything had to be changed."""
    if wanted is None:
        if found is not None:
            scheduler.delete_job(name)
        return found is not None
    if found is None:
        scheduler.create_job(wanted)
        return True
    if found == wanted:
        return False
    if msgspec.structs.replace(found, paused=wanted.paused) != wanted:
        scheduler.update_job(wanted)
    if wanted.paused and not found.paused:
        scheduler.pause_job(name)
    elif found.paused and not wanted.paused:
        scheduler.resume_job(name)
    return True


def _note_driven(schedule: CrawlSchedule) -> None:
    document = firestore.client().collection(COLLECTION).document(schedule.id)

    def run(transaction: "Transaction") -> None:
        fields = document.get(transaction=transaction, **firestore.limits()).to_dict()
        if fields is not None:
            # A later change may have been told before this one, which then has the last word.
            transaction.update(document, {"undriven": fields["version"] != schedule.version})

    firestore.in_transaction(run)


def _name(schedule_id: str) -> str:
    return f"{PREFIX}{schedule_id}"
