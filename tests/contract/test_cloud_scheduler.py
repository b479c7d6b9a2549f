"""Our Cloud Scheduler through Google's own library."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import scheduler_v1

from tests.polling import eventually
from tests.task_cloud import PARENT, Cloud, Delivery, ManualClock, task_cloud

START = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def cloud(clock: ManualClock) -> Iterator[Cloud]:
    with task_cloud(clock) as started:
        yield started


@pytest.fixture
def client(cloud: Cloud) -> scheduler_v1.CloudSchedulerClient:
    return cloud.scheduler_client()


def job(cloud: Cloud, name: str, schedule: str = "* * * * *", **fields: object) -> scheduler_v1.Job:
    target = scheduler_v1.HttpTarget(uri=f"{cloud.url}/{name}", body=b"{}")
    target.oidc_token.service_account_email = "invoker@demo.example"
    target.oidc_token.audience = "https://internal.demo"
    full_name = f"{PARENT}/jobs/{name}"
    given = {"name": full_name, "schedule": schedule, "http_target": target, **fields}
    return scheduler_v1.Job(given)


def slots(deliveries: list[Delivery]) -> list[str]:
    return [delivery.headers["x-cloudscheduler-scheduletime"] for delivery in deliveries]


def wait_for(cloud: Cloud, name: str, count: int) -> list[Delivery]:
    eventually(lambda: len(cloud.sink.of(name)) >= count)
    cloud.run(cloud.scheduler.idle())
    return cloud.sink.of(name)


def test_a_job_runs_when_due_with_a_token_that_verifies(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, clock: ManualClock
) -> None:
    made = client.create_job(parent=PARENT, job=job(cloud, "each", time_zone="Asia/Colombo"))
    assert made.state == scheduler_v1.Job.State.ENABLED
    assert made.schedule_time == datetime(2026, 11, 23, 10, 1, tzinfo=UTC)
    clock.now = datetime(2026, 11, 23, 10, 1, tzinfo=UTC)
    (delivery,) = wait_for(cloud, "each", 1)
    assert delivery.body == b"{}"
    assert delivery.headers["x-cloudscheduler"] == "true"
    assert delivery.headers["x-cloudscheduler-jobname"] == "each"
    assert slots([delivery]) == ["2026-11-23T10:01:00+00:00"]
    assert delivery.headers["content-type"] == "application/octet-stream"
    assert cloud.verified(delivery, "https://internal.demo")["email"] == "invoker@demo.example"
    shown = client.get_job(name=made.name)
    assert shown.last_attempt_time == clock.now
    assert shown.status.code == 0
    assert shown.schedule_time == clock.now + timedelta(minutes=1)


def test_slots_that_passed_unseen_are_one_run(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, clock: ManualClock
) -> None:
    client.create_job(parent=PARENT, job=job(cloud, "asleep"))
    clock.now = START + timedelta(hours=3)
    wait_for(cloud, "asleep", 1)
    clock.now = START + timedelta(hours=3, minutes=1)
    assert slots(wait_for(cloud, "asleep", 2)) == [
        "2026-11-23T10:01:00+00:00",
        "2026-11-23T13:01:00+00:00",
    ]


@pytest.mark.parametrize(
    "moments",
    [
        # 02:30 does not exist on the day that the clocks go forward: it runs at once after.
        ("2027-03-28T00:00Z", "2027-03-28T01:00Z", "2027-03-29T00:30Z"),
        # And comes twice on the day that they go back: it runs at the first.
        ("2026-10-24T23:00Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
    ],
)
def test_a_daily_job_runs_once_on_the_day_the_clocks_change(
    cloud: Cloud,
    client: scheduler_v1.CloudSchedulerClient,
    clock: ManualClock,
    moments: tuple[str, str, str],
) -> None:
    clock.now, fires_at, next_at = (datetime.fromisoformat(moment) for moment in moments)
    daily = job(cloud, "daily", "30 2 * * *", time_zone="Europe/Berlin")
    assert client.create_job(parent=PARENT, job=daily).schedule_time == fires_at
    clock.now = fires_at
    wait_for(cloud, "daily", 1)
    assert client.get_job(name=daily.name).schedule_time == next_at


def test_an_hourly_job_runs_each_hour_that_there_is(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, clock: ManualClock
) -> None:
    clock.now = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    hourly = job(cloud, "hourly", "0 * * * *", time_zone="Europe/Berlin")
    client.create_job(parent=PARENT, job=hourly)
    for count in range(1, 5):
        clock.now = datetime(2026, 10, 25, count - 1, 0, tzinfo=UTC)
        wait_for(cloud, "hourly", count)
    hours = [slot[11:16] for slot in slots(cloud.sink.of("hourly"))]
    assert hours == ["00:00", "01:00", "02:00", "03:00"]


def test_a_paused_job_runs_only_when_forced(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, clock: ManualClock
) -> None:
    name = client.create_job(parent=PARENT, job=job(cloud, "paused")).name
    client.create_job(parent=PARENT, job=job(cloud, "other"))
    assert client.pause_job(name=name).state == scheduler_v1.Job.State.PAUSED
    with pytest.raises(exceptions.FailedPrecondition):
        client.pause_job(name=name)
    clock.now = START + timedelta(minutes=1)
    wait_for(cloud, "other", 1)  # so the clock was read
    assert cloud.sink.of("paused") == []
    client.run_job(name=name)
    wait_for(cloud, "paused", 1)
    client.resume_job(name=name)
    clock.now = START + timedelta(minutes=2)
    assert slots(wait_for(cloud, "paused", 2))[1] == "2026-11-23T10:02:00+00:00"


def test_a_forced_run_carries_the_slot_to_come(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient
) -> None:
    name = client.create_job(parent=PARENT, job=job(cloud, "forced", "0 6 * * *")).name
    client.run_job(name=name)
    assert slots(wait_for(cloud, "forced", 1)) == ["2026-11-24T06:00:00+00:00"]


def test_without_schedules_what_is_forced_runs_until_it_succeeds(clock: ManualClock) -> None:
    with task_cloud(clock, by_schedule=False) as cloud:
        cloud.sink.answers["told"] = lambda number: 200 if number == 2 else 503
        client = cloud.scheduler_client()
        retry = scheduler_v1.RetryConfig(retry_count=2, min_backoff_duration=timedelta(seconds=10))
        waiting = client.create_job(parent=PARENT, job=job(cloud, "waiting"))
        told = client.create_job(
            parent=PARENT, job=job(cloud, "told", "0 * * * *", retry_config=retry)
        )
        client.run_job(name=told.name)
        again = clock.now + timedelta(seconds=10)
        eventually(lambda: client.get_job(name=told.name).schedule_time == again)
        clock.now += timedelta(minutes=2)
        wait_for(cloud, "told", 2)
        assert client.get_job(name=waiting.name).schedule_time < clock.now
        assert cloud.sink.of("waiting") == []


def test_a_failure_is_repeated_and_reported(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, clock: ManualClock
) -> None:
    cloud.sink.answers["failing"] = lambda number: 200 if number == 3 else 503
    retry = scheduler_v1.RetryConfig(retry_count=2, min_backoff_duration=timedelta(seconds=10))
    failing = job(cloud, "failing", "0 * * * *", retry_config=retry)
    client.create_job(parent=PARENT, job=failing)
    slot = clock.now = datetime(2026, 11, 23, 11, tzinfo=UTC)

    def waits_until(due: datetime) -> bool:
        return bool(client.get_job(name=failing.name).schedule_time == due)

    eventually(lambda: waits_until(slot + timedelta(seconds=10)))
    assert client.get_job(name=failing.name).status.code == 14  # UNAVAILABLE
    clock.now = slot + timedelta(seconds=10)
    eventually(lambda: waits_until(slot + timedelta(seconds=30)))
    clock.now = slot + timedelta(seconds=30)
    eventually(lambda: waits_until(slot + timedelta(hours=1)))
    assert client.get_job(name=failing.name).status.code == 0
    assert slots(cloud.sink.of("failing")) == ["2026-11-23T11:00:00+00:00"] * 3
    with urllib.request.urlopen(f"{cloud.url}/scheduler") as answer:  # noqa: S310 - our own loopback
        (shown,) = json.load(answer)["jobs"]
    assert (shown["dispatched"], shown["failed"]) == (3, 2)


def test_a_slow_run_is_cut_off_and_never_overlaps(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, clock: ManualClock
) -> None:
    cloud.sink.delays["slow"] = 0.5
    slow = job(cloud, "slow", attempt_deadline=timedelta(seconds=0.2))
    client.create_job(parent=PARENT, job=slow)
    clock.now = START + timedelta(minutes=1)
    eventually(lambda: cloud.sink.of("slow"))
    clock.now = START + timedelta(minutes=2)
    wait_for(cloud, "slow", 2)
    first, second = cloud.sink.of("slow")
    assert second.at - first.at > 0.15
    assert client.get_job(name=slow.name).status.code == 4  # DEADLINE_EXCEEDED


def test_jobs_are_changed_listed_and_deleted(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient
) -> None:
    made = client.create_job(parent=PARENT, job=job(cloud, "kept"))
    with pytest.raises(exceptions.AlreadyExists):
        client.create_job(parent=PARENT, job=job(cloud, "kept"))
    made.schedule, made.description = "0 6 * * *", "ignored"
    mask = {"paths": ["schedule"]}
    changed = client.update_job(request={"job": made, "update_mask": mask})
    assert changed.schedule_time == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert changed.description == ""
    assert [listed.name for listed in client.list_jobs(parent=PARENT)] == [made.name]
    client.delete_job(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.get_job(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.update_job(job=made)


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "often"},
        {"schedule": "* * * * * *"},
        {"schedule": "0 0 31 2 *"},
        {"time_zone": "Asia/Nowhere"},
        {"attempt_deadline": timedelta(minutes=31)},
        {"http_target": scheduler_v1.HttpTarget()},
        {"retry_config": scheduler_v1.RetryConfig(retry_count=6)},
        {"name": "jobs/elsewhere"},
    ],
)
def test_it_refuses_what_google_refuses(
    cloud: Cloud, client: scheduler_v1.CloudSchedulerClient, fields: dict[str, object]
) -> None:
    refused = job(cloud, "refused")
    for name, value in fields.items():
        setattr(refused, name, value)
    with pytest.raises(exceptions.InvalidArgument):
        client.create_job(parent=PARENT, job=refused)
