"""`python -m scheduler.sync` against our Cloud Tasks and Cloud Scheduler."""

from collections.abc import Iterator

import pytest
from google.cloud import scheduler_v1, tasks_v2
from msgspec.structs import replace

from scheduler import cloud_queues, sync
from scheduler.jobs import MARKER, SCHEDULES, declared_jobs
from scheduler.queues import QUEUES, Queue
from shared.clients import scheduler as cloud_jobs
from shared.clients import tasks
from shared.config import settings
from shared.crawling import driving
from shared.errors import DependencyFailed, DependencyUnavailable
from tests.task_cloud import PARENT, Cloud, task_cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with task_cloud() as started:
        monkeypatch.setenv("FIREBASE_PROJECT_ID", "demo")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")
        monkeypatch.setenv("REGION", "asia-south1")
        monkeypatch.setenv("SECRET_KEY", "x" * 40)
        monkeypatch.setenv("FUNCTIONS_URL", started.url)
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", f"127.0.0.1:{started.tasks_port}")
        monkeypatch.setenv("CLOUD_SCHEDULER_EMULATOR_HOST", f"127.0.0.1:{started.scheduler_port}")
        forget()
        yield started
    forget()


def forget() -> None:
    for cached in (settings, tasks.client, cloud_jobs.client):
        cached.cache_clear()


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str], cloud: Cloud) -> "Run":
    return Run(capsys, cloud)


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str], cloud: Cloud) -> None:
        self._capsys = capsys
        self.queues = cloud.tasks_client()
        self.jobs = cloud.scheduler_client()

    def __call__(self, *arguments: str) -> tuple[int, list[str]]:
        status = sync.main(arguments)
        captured = self._capsys.readouterr()
        return status, (captured.out + captured.err).splitlines()


def test_a_dry_run_and_a_check_change_nothing(ran: Run) -> None:
    status, lines = ran("--dry-run")
    assert status == 0
    assert "would create queue matching" in lines
    assert "would create job sweep-outbox" in lines
    assert ran("--check")[0] == 1
    assert list(ran.queues.list_queues(parent=PARENT)) == []
    assert list(ran.jobs.list_jobs(parent=PARENT)) == []


def test_the_second_run_has_nothing_to_do(ran: Run) -> None:
    status, lines = ran()
    assert status == 0
    queues = [f"create queue {queue.name}" for queue in QUEUES]
    assert lines == [*queues, *(f"create job {schedule.name}" for schedule in SCHEDULES)]
    assert ran() == (0, ["nothing to do"])
    assert ran("--check") == (0, ["nothing to do"])
    job = ran.jobs.get_job(name=f"{PARENT}/jobs/sweep-outbox")
    assert job.http_target.uri == f"{settings().functions_url}/sweep_outbox"
    assert job.http_target.oidc_token.service_account_email == settings().tasks_invoker
    assert job.http_target.oidc_token.audience == settings().audience("sweep_outbox")
    assert job.time_zone == "Asia/Colombo"


def test_drift_is_repaired(ran: Run) -> None:
    ran()
    drifted = tasks_v2.Queue(name=f"{PARENT}/queues/matching", retry_config={"max_attempts": 3})
    ran.queues.update_queue(
        request={"queue": drifted, "update_mask": {"paths": ["retry_config.max_attempts"]}}
    )
    ran.queues.pause_queue(name=f"{PARENT}/queues/uploads")
    job = ran.jobs.get_job(name=f"{PARENT}/jobs/sweep-outbox")
    job.schedule = "0 6 * * *"
    job.http_target.oidc_token.audience = "https://elsewhere"
    ran.jobs.update_job(job=job)
    ran.jobs.pause_job(name=job.name)
    assert ran("--check")[0] == 1
    status, lines = ran()
    assert status == 0
    assert lines == [
        "update queue matching: attempts 3 -> 30",
        "resume queue uploads",
        (
            "update job sweep-outbox: schedule '0 6 * * *' -> '* * * * *', "
            f"audience 'https://elsewhere' -> '{settings().audience('sweep_outbox')}'"
        ),
        "resume job sweep-outbox",
    ]
    assert ran() == (0, ["nothing to do"])


def test_jobs_of_ours_that_are_no_longer_declared_go_and_foreign_ones_stay(ran: Run) -> None:
    # Crawl schedules' own jobs are looked after elsewhere.
    kept = (("foreign", "somebody's"), ("crawl-1", f"Ours too. {driving.MARKER}"))
    for name, description in (*kept, ("former", f"Ours. {MARKER}")):
        target = scheduler_v1.HttpTarget(uri="http://x.example")
        job = scheduler_v1.Job(
            name=f"{PARENT}/jobs/{name}",
            description=description,
            schedule="* * * * *",
            http_target=target,
        )
        ran.jobs.create_job(parent=PARENT, job=job)
    queue = tasks_v2.Queue(name=f"{PARENT}/queues/foreign")
    ran.queues.create_queue(parent=PARENT, queue=queue)
    _, lines = ran("--delete-queues")
    assert [line for line in lines if not line.startswith("create")] == ["delete job former"]
    names = [job.name.rpartition("/")[2] for job in ran.jobs.list_jobs(parent=PARENT)]
    assert sorted(names) == sorted(
        ["crawl-1", "foreign", *(schedule.name for schedule in SCHEDULES)]
    )
    assert ran.queues.get_queue(name=queue.name)


def test_a_foreign_job_under_one_of_our_names_stops_it_before_any_change(ran: Run) -> None:
    job = scheduler_v1.Job(
        name=f"{PARENT}/jobs/sweep-outbox",
        schedule="* * * * *",
        http_target=scheduler_v1.HttpTarget(uri="http://x.example"),
    )
    ran.jobs.create_job(parent=PARENT, job=job)
    status, (line,) = ran()
    assert status == 2
    assert "sweep-outbox is not ours" in line
    assert list(ran.queues.list_queues(parent=PARENT)) == []


def test_a_retired_queue_goes_only_when_asked(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "RETIRED", ("former",))
    ran.queues.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=f"{PARENT}/queues/former"))
    assert not any("former" in line for line in ran()[1])
    assert ran("--delete-queues") == (0, ["delete queue former"])
    assert ran("--delete-queues") == (0, ["nothing to do"])


def test_what_is_declared_paused_is_made_paused(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ran()
    paused_queues = tuple(replace(queue, paused=queue.name == "exports") for queue in QUEUES)
    paused_jobs = [replace(job, paused=True) for job in declared_jobs()]
    monkeypatch.setattr(sync, "QUEUES", (*paused_queues, Queue("added", 1, 1, 1, paused=True)))
    monkeypatch.setattr(sync, "declared_jobs", lambda: paused_jobs)
    _, lines = ran()
    paused = [f"pause job {job.name}" for job in paused_jobs]
    assert lines == ["pause queue exports", "create queue added", *paused]
    assert ran() == (0, ["nothing to do"])


def test_it_says_what_it_cannot_reach(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_SCHEDULER_EMULATOR_HOST", "127.0.0.1:1")
    forget()
    status, (line,) = ran()
    assert status == 2
    assert line.startswith("Cloud Scheduler cannot be reached")
    with pytest.raises(DependencyUnavailable):
        cloud_jobs.list_runs()


@pytest.mark.usefixtures("cloud")
def test_the_clients_name_what_was_refused() -> None:
    cloud_jobs.list_runs()
    with pytest.raises(DependencyFailed, match="Cloud Scheduler refused"):
        cloud_jobs.delete_job("absent")
    with pytest.raises(DependencyFailed, match="Cloud Tasks refused"):
        cloud_queues.pause_queue("absent")
