"""Schedules: what people set, what Cloud Scheduler and Cloud Tasks are told, and what starts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from local.firestore import clear_documents
from local.stack import Stack
from shared.clients import firestore, scheduler, tasks
from shared.crawling import dispatching, driving, jobs, retailers, schedules
from shared.crawling.schedule_models import slot_key
from shared.crawling.schedule_schemas import ScheduleContent
from shared.edge.request import Actor
from shared.errors import DependencyUnavailable
from tests.integration.edge.instance import instance
from tests.polling import eventually
from tests.sessions import SUPER_ADMIN, log_in, new_client
from tests.task_cloud import ManualClock

PATH = "/api/crawler/schedules"
RETAILER = "slot-shop"
SITE = {
    "start_urls": {"tea": ["https://shop.example/tea"], "rice": ["https://shop.example/rice"]},
    "listing": {"products": "a@href"},
}
DAILY = {
    "name": "Tea",
    "retailer": RETAILER,
    "category": "tea",
    "type": "daily",
    "time": "03:00",
    "timezone": "Europe/London",
}
BY = Actor("scheduler", "", "crawl_job.scheduled", "", "")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[httpx.Client]:
    """A super admin, and a retailer whose recipe names two categories."""
    clear_documents(stack.plan)
    with new_client(stack, log_in(stack, SUPER_ADMIN)) as client:
        client.put(f"/api/crawler/retailers/{RETAILER}", json=SITE).raise_for_status()
        yield client


@pytest.fixture
def as_function(stack: Stack, http: httpx.Client) -> Iterator[httpx.Client]:
    """Likewise; this process acts as a function, and no crawl stands in a slot's way."""
    with instance(stack.environment()):
        for each in firestore.client().collection(jobs.LANES).stream():
            each.reference.delete()
        yield http


def made(http: httpx.Client, **changes: Any) -> Json:
    answer = http.post(PATH, json={**DAILY, **changes})
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    return told


def row(http: httpx.Client, schedule_id: str) -> Json:
    listed = http.get(PATH).raise_for_status().json()["schedules"]
    return next(each for each in listed if each["id"] == schedule_id)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def runs_of(schedule_id: str) -> list[Json]:
    from google.cloud.firestore import FieldFilter

    mine = FieldFilter("schedule_id", "==", schedule_id)
    found = firestore.client().collection("crawl_jobs").where(filter=mine).stream()
    return [each.to_dict() or {} for each in found]


def test_a_schedule_says_when_it_runs_next(http: httpx.Client) -> None:
    answer = http.post(PATH, json=DAILY)
    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert moment(told["next_run_at"]) > datetime.now(UTC)
    assert (told["last_run_at"], told["last_status"], told["enabled"]) == (None, None, True)
    assert row(http, told["id"]) == told

    path = f"{PATH}/{told['id']}"
    paused = http.put(path, json={**DAILY, "enabled": False}, headers={"If-Match": '"1"'})
    assert paused.status_code == 200
    assert (paused.json()["next_run_at"], paused.json()["version"]) == (None, 2)
    assert http.put(path, json=DAILY, headers={"If-Match": '"1"'}).status_code == 412
    assert http.delete(path).status_code == 204
    assert http.put(path, json=DAILY).status_code == 404
    assert http.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"time": None}, "time"),
        ({"time": "24:00"}, "time"),
        ({"type": "weekly"}, "weekday"),
        ({"weekday": 1}, "weekday"),
        ({"type": "once", "time": None}, "at"),
        ({"type": "once", "time": None, "at": "2020-01-01T00:00:00Z"}, "at"),
        ({"type": "interval", "time": None}, "interval_minutes"),
        ({"type": "interval", "time": None, "interval_minutes": 239}, "interval_minutes"),
        ({"retailer": "nobody"}, "retailer"),
        ({"category": "nothing"}, "category"),
    ],
)
def test_what_fits_no_schedule_is_refused(http: httpx.Client, changes: Json, field: str) -> None:
    answer = http.post(PATH, json={**DAILY, **changes})
    assert answer.status_code == 422
    assert field in [each["field"] for each in answer.json()["errors"]]


def test_pages_of_schedules(http: httpx.Client) -> None:
    ids = [made(http, name=name)["id"] for name in ("a", "b", "c")]
    first = http.get(PATH, params={"limit": 2}).json()
    second = http.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    listed = [each["id"] for each in (*first["schedules"], *second["schedules"])]
    assert listed[:3] == ids[::-1]
    assert http.get(PATH, params={"cursor": "made-up"}).status_code == 400


def test_cloud_scheduler_is_told_and_drift_is_repaired(as_function: httpx.Client) -> None:
    told = made(as_function)
    name = f"crawl-{told['id']}"
    job = scheduler.find_job(name)
    assert job is not None
    assert (job.schedule, job.time_zone, job.paused) == ("0 3 * * *", "Europe/London", False)
    assert not row(as_function, told["id"])["last_status"]

    weekly = {**DAILY, "type": "weekly", "weekday": 6, "enabled": False}
    as_function.put(f"{PATH}/{told['id']}", json=weekly).raise_for_status()
    job = scheduler.find_job(name)
    assert job is not None
    assert (job.schedule, job.paused) == ("0 3 * * 0", True)

    scheduler.delete_job(name)
    foreign = f"crawl-foreign-{told['id']}"
    scheduler.create_job(job_like(job, foreign, "Somebody's."))
    orphan = f"crawl-{'0' * 20}"
    scheduler.create_job(job_like(job, orphan, f"Ours. {driving.MARKER}"))
    now = datetime.now(UTC)
    driving.repair(schedules.all_schedules, now)
    assert scheduler.find_job(name) == job
    assert scheduler.find_job(orphan) is None
    assert driving.repair(schedules.all_schedules, now) == 0
    assert scheduler.find_job(foreign) is not None
    scheduler.delete_job(foreign)

    as_function.delete(f"{PATH}/{told['id']}").raise_for_status()
    assert scheduler.find_job(name) is None


def test_a_repair_leaves_the_job_of_a_schedule_that_is_made_meanwhile(
    as_function: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, meanwhile = scheduler.list_jobs, []

    def list_jobs() -> list[scheduler.Job]:
        meanwhile.append(made(as_function, name="Before"))
        jobs_found = listing()
        meanwhile.append(made(as_function, name="After"))
        return jobs_found

    monkeypatch.setattr(scheduler, "list_jobs", list_jobs)
    driving.repair(schedules.all_schedules, datetime.now(UTC))
    for told in meanwhile:
        assert scheduler.find_job(f"crawl-{told['id']}") is not None
        as_function.delete(f"{PATH}/{told['id']}").raise_for_status()


def job_like(job: scheduler.Job, name: str, description: str) -> scheduler.Job:
    return msgspec.structs.replace(job, name=name, description=description)


def cron_of(schedule_id: str) -> str:
    job = scheduler.find_job(f"crawl-{schedule_id}")
    assert job is not None
    return job.schedule


def pending(stack: Stack) -> int:
    queues = {each["name"]: each for each in stack.control.tasks()["queues"]}
    return int(queues[driving.QUEUE]["pending"])


def test_what_cron_cannot_say_is_a_task_and_a_far_one_comes_in_steps(
    stack: Stack, as_function: httpx.Client
) -> None:
    far = (datetime.now(UTC) + timedelta(days=75)).isoformat()
    before = pending(stack)
    told = made(as_function, type="once", time=None, at=far)
    assert scheduler.find_job(f"crawl-{told['id']}") is None
    assert pending(stack) == before + 1

    # Each step but the last leads to the next, and starts nothing.
    clock = ManualClock(datetime.now(UTC) + timedelta(days=29))
    dispatching.run(told["id"], BY, clock)
    dispatching.run(told["id"], BY, clock)
    assert pending(stack) == before + 2
    assert runs_of(told["id"]) == []
    assert row(as_function, told["id"])["next_run_at"] == told["next_run_at"]


def test_on_a_day_on_which_clocks_change_a_task_stands_in_beside_the_job(
    as_function: httpx.Client,
) -> None:
    told = made(as_function, time="02:30", timezone="America/New_York", enabled=False)
    stored = schedules.find(told["id"])
    assert stored is not None
    enabled = msgspec.structs.replace(stored, enabled=True)
    before = datetime(2026, 3, 7, 12, tzinfo=UTC)
    # That half hour does not exist there the next day: its slot is the first moment after it.
    changed, usual = (enabled.slot_after(before + timedelta(days=each)) for each in (0, 1))
    assert changed == datetime(2026, 3, 8, 7, tzinfo=UTC)
    for slot in (changed, usual):
        driving.drive(msgspec.structs.replace(enabled, next_run_at=slot), before)
        job = scheduler.find_job(f"crawl-{told['id']}")
        assert job is not None
        assert (job.schedule, job.time_zone) == ("30 2 * * *", "America/New_York")
        assert not job.paused
    task = task_of(told["id"], changed)
    assert task is not None
    assert msgspec.json.decode(task.http_request.body) == {"schedule_id": told["id"]}
    assert task.http_request.url.endswith("/run_crawl_schedule")
    # It comes after as long as the slot was away.
    away = task.schedule_time - datetime.now(UTC)
    assert away == pytest.approx(changed - before, abs=timedelta(minutes=1))
    assert task_of(told["id"], usual) is None
    as_function.delete(f"{PATH}/{told['id']}").raise_for_status()


def task_of(schedule_id: str, slot: datetime | None) -> Any:
    """The task that waits for a slot of a schedule, None where there is none."""
    from google.api_core.exceptions import NotFound
    from google.cloud.tasks_v2 import GetTaskRequest, Task

    assert slot is not None
    name = f"{tasks.queue_path(driving.QUEUE)}/tasks/crawl-{slot_key(schedule_id, slot)}"
    asked = GetTaskRequest(name=name, response_view=Task.View.FULL)
    try:
        return tasks.client().get_task(asked, timeout=tasks.TIMEOUT_SECONDS)
    except NotFound:
        return None


@pytest.mark.parametrize(
    ("changes", "following"),
    [
        ({"type": "once", "time": None, "at": "2041-01-01T03:00:00Z"}, None),
        ({"type": "daily"}, 24),
        ({"type": "weekly", "weekday": 6}, 7 * 24),
        ({"type": "interval", "time": None, "interval_minutes": 240}, 4),
    ],
    ids=lambda each: each.get("type") if isinstance(each, dict) else "",
)
def test_twenty_dispatchers_at_one_slot_start_one_run(
    as_function: httpx.Client, changes: Json, following: int | None
) -> None:
    told = made(as_function, **changes)
    slot = moment(told["next_run_at"])
    clock = ManualClock(slot + timedelta(seconds=2))
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: dispatching.run(told["id"], BY, clock), range(20)))

    (run,) = runs_of(told["id"])
    assert (run["retailer"], run["category"], run["status"]) == (RETAILER, "tea", "queued")
    after = row(as_function, told["id"])
    if following is None:
        assert after["next_run_at"] is None
    else:
        # To the hour by which clocks may change meanwhile.
        hours = (moment(after["next_run_at"]) - slot).total_seconds() / 3_600
        assert hours == pytest.approx(following, abs=1)
    assert after["last_status"] == "queued"
    assert moment(after["last_run_at"]) == clock()
    # A forced run, or one that comes again.
    dispatching.run(told["id"], BY, clock)
    assert len(runs_of(told["id"])) == 1


def test_slots_that_an_outage_swallowed_are_one_run(as_function: httpx.Client) -> None:
    # Alone: whether others are due before it depends on the time of the day.
    for each in firestore.client().collection(schedules.COLLECTION).stream():
        each.reference.delete()
    told = made(as_function, type="interval", time=None, interval_minutes=240)
    missed = moment(told["next_run_at"])
    clock = ManualClock(missed + timedelta(days=3, minutes=7))
    dispatching.sweep(BY, clock)
    dispatching.sweep(BY, clock)
    assert len(runs_of(told["id"])) == 1
    # The slot after it would come too soon, and the one after that would not.
    following = moment(row(as_function, told["id"])["next_run_at"])
    assert following == missed + timedelta(days=3, minutes=240)
    clock = ManualClock(following + timedelta(seconds=1))
    dispatching.run(told["id"], BY, clock)
    assert row(as_function, told["id"])["last_status"] == "skipped"
    for _ in range(3):
        due = moment(row(as_function, told["id"])["next_run_at"])
        clock = ManualClock(due + timedelta(seconds=1))
        dispatching.run(told["id"], BY, clock)
    assert len(runs_of(told["id"])) == 4


def test_a_dispatcher_that_dies_is_made_good_by_the_next(
    as_function: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = made(as_function)
    slot = moment(told["next_run_at"])
    with monkeypatch.context() as dying:
        # After the crawl was ordered, and before anybody knows of it.
        dying.setattr(dispatching, "_settle", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            dispatching.run(told["id"], BY, ManualClock(slot))
    dispatching.run(told["id"], BY, ManualClock(slot + timedelta(seconds=30)))
    assert row(as_function, told["id"])["next_run_at"] == told["next_run_at"]
    dispatching.sweep(BY, ManualClock(slot + timedelta(minutes=5)))
    assert len(runs_of(told["id"])) == 1
    assert row(as_function, told["id"])["last_status"] == "queued"


def test_a_slot_that_was_paused_or_moved_away_starts_nothing_and_one_that_began_is_one_run(
    as_function: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = {"type": "once", "time": None, "at": "2040-01-01T03:00:00Z"}
    told = made(as_function, **once)
    slot = moment(told["next_run_at"])

    def changed(**changes: Any) -> Json:
        answer = as_function.put(f"{PATH}/{told['id']}", json={**DAILY, **once, **changes})
        after: Json = answer.raise_for_status().json()
        return after

    # Each time the call that was ordered for the slot comes all the same.
    for changes in ({"enabled": False}, {"at": "2040-01-02T03:00:00Z"}):
        changed(**changes)
        dispatching.run(told["id"], BY, ManualClock(slot + timedelta(seconds=2)))
        assert runs_of(told["id"]) == []
    slot = moment(row(as_function, told["id"])["next_run_at"])
    take, start, edited = dispatching._take, jobs.start, list[Json]()

    def take_once_it_is_paused(*claim: Any) -> bool:
        changed(at="2040-01-02T03:00:00Z", enabled=False)
        return take(*claim)

    with monkeypatch.context() as paused:
        paused.setattr(dispatching, "_take", take_once_it_is_paused)
        dispatching.run(told["id"], BY, ManualClock(slot + timedelta(seconds=2)))
    assert runs_of(told["id"]) == []
    changed(at="2040-01-02T03:00:00Z")

    def start_while_it_is_edited(*order: Any, **more: Any) -> Any:
        edited.append(changed(at="2040-01-03T03:00:00Z"))
        return start(*order, **more)

    monkeypatch.setattr(jobs, "start", start_while_it_is_edited)
    dispatching.run(told["id"], BY, ManualClock(slot + timedelta(seconds=2)))
    assert len(runs_of(told["id"])) == 1
    after = row(as_function, told["id"])
    assert (after["next_run_at"], after["last_status"]) == (edited[0]["next_run_at"], "queued")


@pytest.mark.usefixtures("as_function")
def test_what_could_not_be_driven_is_driven_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: str) -> None:
        raise DependencyUnavailable("away")

    content = msgspec.convert({**DAILY, "name": "Undriven"}, ScheduleContent)
    with monkeypatch.context() as away:
        away.setattr(scheduler, "find_job", unavailable)
        told = schedules.create(content, BY)
    assert scheduler.find_job(f"crawl-{told.id}") is None
    dispatching.sweep(BY)
    assert scheduler.find_job(f"crawl-{told.id}") is not None
    schedule = schedules.find(told.id)
    assert schedule is not None
    assert not schedule.undriven

    # Of two changes the earlier is told last.
    schedules.change(told.id, msgspec.structs.replace(content, time="04:00"), None, BY)
    driving.drive(msgspec.structs.replace(schedule, undriven=True), datetime.now(UTC))
    assert cron_of(told.id) == "0 3 * * *"
    dispatching.sweep(BY)
    assert cron_of(told.id) == "0 4 * * *"


def test_the_job_of_a_schedule_that_is_gone_removes_itself(as_function: httpx.Client) -> None:
    told = made(as_function)
    schedules.reference(told["id"]).delete()
    dispatching.run(told["id"], BY)
    assert scheduler.find_job(f"crawl-{told['id']}") is None


def test_a_schedule_whose_retailer_is_gone_says_so_and_lives_on(as_function: httpx.Client) -> None:
    told = made(as_function)
    slot = moment(told["next_run_at"])
    recipe = firestore.client().collection(retailers.COLLECTION).document(RETAILER)
    kept = recipe.get().to_dict() or {}
    recipe.delete()
    try:
        dispatching.run(told["id"], BY, ManualClock(slot + timedelta(seconds=2)))
    finally:
        recipe.set(kept)
    after = row(as_function, told["id"])
    assert (after["last_status"], runs_of(told["id"])) == ("failed", [])
    assert moment(after["next_run_at"]) > slot


def test_the_function_that_tasks_call_starts_what_is_due(
    stack: Stack, as_function: httpx.Client
) -> None:
    at = datetime.now(UTC) + timedelta(minutes=1)
    told = made(as_function, category="rice", type="once", time=None, at=at.isoformat())
    # Its slot is made to have come, and the call is ours: test_scheduled_ways.py has a task come.
    due = {"next_run_at": datetime.now(UTC) - timedelta(seconds=1)}
    schedules.reference(told["id"]).update(due)
    answer = httpx.post(
        f"{stack.plan.functions_url}/run_crawl_schedule",
        headers={"Authorization": f"Bearer {stack.control.invoker_token()}"},
        json={"schedule_id": told["id"]},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 204, answer.text
    after = eventually(lambda: (r := row(as_function, told["id"]))["last_run_at"] and r)
    assert after["last_job_id"]
