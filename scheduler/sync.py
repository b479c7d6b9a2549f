"""Makes the project's queues and jobs what is declared: `python -m scheduler.sync`.

Foreign queues and jobs are never touched. Exits with 0 when all is as declared, 1 when --check
found a difference, 2 when something stands in the way.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from scheduler import cloud_queues
from scheduler.jobs import MARKER, declared_jobs
from scheduler.queues import QUEUES, RETIRED, Queue
from shared.clients import scheduler as cloud_jobs
from shared.clients.scheduler import Job
from shared.errors import ShoppleError


class Step(msgspec.Struct, frozen=True):
    """One change that is due, in words and as a call."""

    words: str
    take: Callable[[], None]


class ForeignJob(Exception):
    """A job has the name of one of ours, but somebody else made it."""


def plan_queues(
    declared: Sequence[Queue], found: Sequence[Queue], retired: Sequence[str]
) -> Iterator[Step]:
    """The steps from the queues that were found to those declared; `retired` ones are deleted."""
    present = {queue.name: queue for queue in found}
    for queue in declared:
        now = present.get(queue.name)
        if now is None:
            yield Step(f"create queue {queue.name}", partial(cloud_queues.create_queue, queue))
            continue
        if changes := _differences(now, queue):
            words = f"update queue {queue.name}: {changes}"
            yield Step(words, partial(cloud_queues.update_queue, queue))
        if queue.paused and not now.paused:
            yield Step(f"pause queue {queue.name}", partial(cloud_queues.pause_queue, queue.name))
        elif now.paused and not queue.paused:
            yield Step(f"resume queue {queue.name}", partial(cloud_queues.resume_queue, queue.name))
    for name in retired:
        if name in present:
            yield Step(f"delete queue {name}", partial(cloud_queues.delete_queue, name))


def plan_jobs(declared: Sequence[Job], found: Sequence[Job]) -> Iterator[Step]:
    """The steps from the jobs that were found to those declared; raises ForeignJob."""
    present = {job.name: job for job in found}
    for job in declared:
        now = present.pop(job.name, None)
        if now is None:
            yield Step(f"create job {job.name}", partial(cloud_jobs.create_job, job))
            continue
        if not now.description.endswith(MARKER):
            raise ForeignJob(
                f"Job {job.name} is not ours: rename ours, or delete that one if it may go."
            )
        if changes := _differences(now, job):
            yield Step(f"update job {job.name}: {changes}", partial(cloud_jobs.update_job, job))
        if job.paused and not now.paused:
            yield Step(f"pause job {job.name}", partial(cloud_jobs.pause_job, job.name))
        elif now.paused and not job.paused:
            yield Step(f"resume job {job.name}", partial(cloud_jobs.resume_job, job.name))
    for name, job in present.items():
        if job.description.endswith(MARKER):
            yield Step(f"delete job {name}", partial(cloud_jobs.delete_job, name))


def _differences(now: Queue | Job, declared: Queue | Job) -> str:
    """What an update has to change, in words; the state has calls of its own."""
    now = msgspec.structs.replace(now, paused=declared.paused)
    pairs = [
        (name, getattr(now, name), getattr(declared, name)) for name in declared.__struct_fields__
    ]
    return ", ".join(f"{name} {old!r} -> {new!r}" for name, old, new in pairs if old != new)


def main(arguments: Sequence[str] | None = None) -> int:
    """Sync as the command line says, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scheduler.sync", description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="say what would be done")
    mode.add_argument("--check", action="store_true", help="likewise, and exit 1 on a difference")
    parser.add_argument(
        "--delete-queues", action="store_true", help="delete retired queues with their tasks"
    )
    options = parser.parse_args(arguments)
    try:
        retired = RETIRED if options.delete_queues else ()
        # Planned in full first, so that an obstacle is met before anything is changed.
        steps = [
            *plan_queues(QUEUES, cloud_queues.list_queues(), retired),
            *plan_jobs(declared_jobs(), cloud_jobs.list_jobs()),
        ]
        for step in steps:
            print(f"would {step.words}" if options.dry_run or options.check else step.words)
            if not (options.dry_run or options.check):
                step.take()
    except (ForeignJob, ShoppleError) as obstacle:
        cause = f" ({obstacle.__cause__})" if obstacle.__cause__ else ""
        print(f"{obstacle}{cause}", file=sys.stderr)
        return 2
    if not steps:
        print("nothing to do")
    return 1 if options.check and steps else 0


if __name__ == "__main__":
    sys.exit(main())
