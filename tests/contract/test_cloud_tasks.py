"""Our Cloud Tasks, and the product's client of it, through Google's own library."""

import itertools
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from local.cloud_tasks import CloudTasks
from local.cloud_tasks.dispatch import Accidents
from local.oidc import Issuer
from shared.clients import tasks as product
from shared.config import settings
from shared.errors import DependencyFailed, DependencyUnavailable
from tests.polling import eventually
from tests.task_cloud import PARENT, Cloud, task_cloud

names = (f"q-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with task_cloud() as started:
        yield started


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> tasks_v2.CloudTasksClient:
    return cloud.tasks_client()


@pytest.fixture
def environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("FIREBASE_PROJECT_ID", "demo")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")
    monkeypatch.setenv("REGION", "asia-south1")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setenv("FUNCTIONS_URL", cloud.url)
    monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", f"127.0.0.1:{cloud.tasks_port}")
    settings.cache_clear()
    product.client.cache_clear()
    yield monkeypatch
    settings.cache_clear()
    product.client.cache_clear()


def make_queue(
    client: tasks_v2.CloudTasksClient,
    retry: dict[str, object] | None = None,
    limits: dict[str, object] | None = None,
) -> str:
    queue = tasks_v2.Queue(
        name=f"{PARENT}/queues/{next(names)}",
        retry_config=tasks_v2.RetryConfig(retry or {}),
        rate_limits=tasks_v2.RateLimits(limits or {}),
    )
    return client.create_queue(parent=PARENT, queue=queue).name


def http_task(url: str, **fields: object) -> tasks_v2.Task:
    request = tasks_v2.HttpRequest(url=url, body=b'{"a": 1}')
    return tasks_v2.Task({"http_request": request, **fields})


def short_name(queue: str) -> str:
    return queue.rpartition("/")[2]


def test_a_task_arrives_once_with_a_token_that_verifies(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client)
    path = short_name(queue)
    task = http_task(f"{cloud.url}/{path}", name=f"{queue}/tasks/one_A-1")
    task.http_request.headers["Content-Type"] = "application/json"
    task.http_request.oidc_token.service_account_email = "invoker@demo.example"
    created = client.create_task(parent=queue, task=task)
    assert not created.http_request.body  # the basic view
    cloud.run(cloud.tasks.idle())
    (delivery,) = cloud.sink.of(path)
    assert delivery.body == b'{"a": 1}'
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["user-agent"] == "Google-Cloud-Tasks"
    assert delivery.headers["x-cloudtasks-queuename"] == path
    assert delivery.headers["x-cloudtasks-taskname"] == "one_A-1"
    assert delivery.headers["x-cloudtasks-taskretrycount"] == "0"
    assert delivery.headers["x-cloudtasks-taskexecutioncount"] == "0"
    assert float(delivery.headers["x-cloudtasks-tasketa"]) > 0
    claims = cloud.verified(delivery, audience=task.http_request.url)
    assert claims["email"] == "invoker@demo.example"
    assert claims["email_verified"] is True
    with pytest.raises(exceptions.NotFound):
        client.get_task(name=created.name)


def test_by_accident_tasks_come_twice_and_out_of_order(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client)
    path = short_name(queue)

    async def disturb() -> bool:
        accidents = Accidents(repeated_percent=100, late_seconds=0.3, seed=1)
        return cloud.tasks.disturb(path, accidents)

    assert cloud.run(disturb())
    for number in range(8):
        task = http_task(f"{cloud.url}/{path}", name=f"{queue}/tasks/{number}")
        client.create_task(parent=queue, task=task)
    cloud.run(cloud.tasks.idle())
    came = [each.headers["x-cloudtasks-taskname"] for each in cloud.sink.of(path)]
    assert sorted(came) == sorted(2 * [str(number) for number in range(8)])
    assert list(dict.fromkeys(came)) != [str(number) for number in range(8)]


def test_a_name_stays_taken_while_and_after_its_task_is_there(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client)
    task = http_task(f"{cloud.url}/{short_name(queue)}", name=f"{queue}/tasks/same")
    client.create_task(parent=queue, task=task)
    cloud.run(cloud.tasks.idle())
    with pytest.raises(exceptions.Conflict):
        client.create_task(parent=queue, task=task)
    later = datetime.now(UTC) + timedelta(hours=1)
    waiting = http_task("http://x.example", name=f"{queue}/tasks/w", schedule_time=later)
    client.create_task(parent=queue, task=waiting)
    with pytest.raises(exceptions.AlreadyExists):
        client.create_task(parent=queue, task=waiting)
    client.delete_task(name=waiting.name)
    with pytest.raises(exceptions.AlreadyExists):
        client.create_task(parent=queue, task=waiting)


def test_a_task_waits_for_its_time(cloud: Cloud, client: tasks_v2.CloudTasksClient) -> None:
    queue = make_queue(client)
    path = short_name(queue)
    soon = datetime.now(UTC) + timedelta(seconds=0.4)
    for _ in range(3):
        client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}", schedule_time=soon))
    assert len(list(client.list_tasks(parent=queue))) == 3
    cloud.run(cloud.tasks.idle())
    assert len(cloud.sink.of(path)) == 3
    assert datetime.now(UTC) >= soon


def test_failures_are_repeated_with_growing_pauses(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    retry = {"min_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=5)}
    queue = make_queue(client, retry={**retry, "max_doublings": 4})
    path = short_name(queue)
    cloud.sink.answers[path] = lambda number: {1: 503, 2: 404, 3: 302}.get(number, 204)
    client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    cloud.run(cloud.tasks.idle())
    deliveries = cloud.sink.of(path)
    pauses = [late.at - early.at for early, late in itertools.pairwise(deliveries)]
    assert [d.headers["x-cloudtasks-taskretrycount"] for d in deliveries] == list("0123")
    for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert pause > least * 0.9
    assert deliveries[1].headers["x-cloudtasks-taskpreviousresponse"] == "503"


def test_it_gives_up_after_the_last_attempt(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client, {"max_attempts": 3, "min_backoff": timedelta(seconds=0.02)})
    path = short_name(queue)
    cloud.sink.answers[path] = lambda _: 500
    client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    cloud.run(cloud.tasks.idle())
    assert len(cloud.sink.of(path)) == 3
    assert list(client.list_tasks(parent=queue)) == []
    with urllib.request.urlopen(f"{cloud.url}/tasks") as answer:  # noqa: S310 - our own loopback
        shown = {queue["name"]: queue for queue in json.load(answer)["queues"]}[path]
    assert (shown["dispatched"], shown["failed"], shown["given_up"]) == (3, 3, 1)
    assert "500" in shown["last_error"]


def test_a_retry_duration_outlasts_the_attempts(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    retry = {
        "max_attempts": 1,
        "max_retry_duration": timedelta(seconds=0.3),
        "min_backoff": timedelta(seconds=0.05),
        "max_backoff": timedelta(seconds=0.05),
    }
    queue = make_queue(client, retry)
    path = short_name(queue)
    cloud.sink.answers[path] = lambda _: 500
    client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    cloud.run(cloud.tasks.idle())
    deliveries = cloud.sink.of(path)
    assert len(deliveries) > 2
    assert deliveries[-1].at - deliveries[0].at >= 0.25


def test_no_more_run_at_once_than_the_queue_allows(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client, limits={"max_concurrent_dispatches": 3})
    path = short_name(queue)
    cloud.sink.delays[path] = 0.03
    for _ in range(12):
        client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    cloud.run(cloud.tasks.idle())
    assert len(cloud.sink.of(path)) == 12
    assert cloud.sink.most_open[path] == 3


def test_no_more_go_out_in_a_second_than_the_queue_allows(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client, limits={"max_dispatches_per_second": 20})
    path = short_name(queue)
    client.pause_queue(name=queue)
    for _ in range(30):
        client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    client.resume_queue(name=queue)
    cloud.run(cloud.tasks.idle())
    times = [delivery.at for delivery in cloud.sink.of(path)]
    assert len(times) == 30
    # A burst of 20, then ten more at 20 a second.
    assert times[-1] - times[0] > 0.4


def test_a_paused_queue_keeps_its_tasks_unless_forced(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client)
    path = short_name(queue)
    assert client.pause_queue(name=queue).state == tasks_v2.Queue.State.PAUSED
    first = client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    client.create_task(parent=queue, task=http_task(f"{cloud.url}/{path}"))
    client.run_task(name=first.name)
    eventually(lambda: len(cloud.sink.of(path)) == 1)
    cloud.run(cloud.tasks.idle())
    assert len(cloud.sink.of(path)) == 1
    client.resume_queue(name=queue)
    cloud.run(cloud.tasks.idle())
    assert len(cloud.sink.of(path)) == 2


def test_a_slow_answer_is_cut_off_and_repeated(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = make_queue(client, {"max_attempts": 2, "min_backoff": timedelta(seconds=0.5)})
    path = short_name(queue)
    cloud.sink.delays[path] = 1
    task = http_task(f"{cloud.url}/{path}", dispatch_deadline=timedelta(seconds=0.1))
    name = client.create_task(parent=queue, task=task).name

    def seen() -> tasks_v2.Task | None:
        shown = client.get_task(name=name)
        return shown if shown.last_attempt.response_status.code else None

    failed = eventually(seen)
    assert failed.last_attempt.response_status.code == 4  # DEADLINE_EXCEEDED
    assert (failed.dispatch_count, failed.response_count) == (1, 0)
    cloud.run(cloud.tasks.idle())
    assert len(cloud.sink.of(path)) == 2


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("http://127.0.0.1:1/away", "plain"),
        ("http://x.example:port/", "plain"),
        ("http://127.0.0.1:1/away", "\u0d9a\u0dda\u0d9a\u0dca"),
    ],
)
def test_a_target_that_cannot_be_called_is_a_failed_attempt(
    cloud: Cloud, client: tasks_v2.CloudTasksClient, url: str, header: str
) -> None:
    queue = make_queue(client, {"max_attempts": 1})
    task = http_task(url)
    task.http_request.headers["X-Name"] = header
    client.create_task(parent=queue, task=task)
    cloud.run(cloud.tasks.idle())
    status = {shown["name"]: shown for shown in cloud.tasks.status()["queues"]}
    assert status[short_name(queue)]["given_up"] == 1


def test_a_purge_removes_what_waits(cloud: Cloud, client: tasks_v2.CloudTasksClient) -> None:
    queue = make_queue(client)
    client.pause_queue(name=queue)
    for _ in range(3):
        client.create_task(parent=queue, task=http_task(f"{cloud.url}/{short_name(queue)}"))
    assert client.purge_queue(name=queue).purge_time is not None
    client.resume_queue(name=queue)
    cloud.run(cloud.tasks.idle())
    assert cloud.sink.of(short_name(queue)) == []


def test_settings_are_completed_changed_and_listed(client: tasks_v2.CloudTasksClient) -> None:
    queue = make_queue(client)
    made = client.get_queue(name=queue)
    assert made.rate_limits.max_dispatches_per_second == 500
    assert made.retry_config.max_attempts == 100
    made.retry_config.max_attempts = 7
    made.rate_limits.max_dispatches_per_second = 9
    mask = {"paths": ["retry_config.max_attempts"]}
    changed = client.update_queue(request={"queue": made, "update_mask": mask})
    assert changed.retry_config.max_attempts == 7
    assert changed.rate_limits.max_dispatches_per_second == 500
    assert queue in [listed.name for listed in client.list_queues(parent=PARENT)]


def test_a_deleted_queue_is_gone_and_its_name_unusable(
    client: tasks_v2.CloudTasksClient,
) -> None:
    queue = make_queue(client)
    client.delete_queue(name=queue)
    with pytest.raises(exceptions.NotFound):
        client.create_task(parent=queue, task=http_task("http://x.example"))
    with pytest.raises(exceptions.FailedPrecondition):
        client.create_queue(parent=PARENT, queue=tasks_v2.Queue(name=queue))


def test_pages_of_tasks_hold_each_task_once(client: tasks_v2.CloudTasksClient) -> None:
    queue = make_queue(client)
    client.pause_queue(name=queue)
    for _ in range(5):
        client.create_task(parent=queue, task=http_task("http://x.example"))
    listed = client.list_tasks(request={"parent": queue, "page_size": 2})
    assert len({task.name for task in listed}) == 5


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule_time": datetime.now(UTC) + timedelta(days=31)},
        {"dispatch_deadline": timedelta(minutes=31)},
        {"name": "tasks/elsewhere"},
        {"http_request": tasks_v2.HttpRequest(url="ftp://x.example")},
        {"http_request": tasks_v2.HttpRequest(url="http://x.example", body=b"x" * 1_000_001)},
        {"http_request": tasks_v2.HttpRequest(url="http://x.example", http_method=2, body=b"x")},
    ],
)
def test_it_refuses_what_google_refuses(
    client: tasks_v2.CloudTasksClient, fields: dict[str, object]
) -> None:
    queue = make_queue(client)
    task = tasks_v2.Task({"http_request": tasks_v2.HttpRequest(url="http://x.example"), **fields})
    with pytest.raises(exceptions.InvalidArgument):
        client.create_task(parent=queue, task=task)


def test_it_refuses_a_queue_name_with_an_underscore(client: tasks_v2.CloudTasksClient) -> None:
    queue = tasks_v2.Queue(name=f"{PARENT}/queues/with_underscore")
    with pytest.raises(exceptions.InvalidArgument):
        client.create_queue(parent=PARENT, queue=queue)


@pytest.mark.usefixtures("environment")
def test_enqueue_calls_the_function_as_the_invoker(
    cloud: Cloud, client: tasks_v2.CloudTasksClient
) -> None:
    queue = short_name(make_queue(client))
    product.list_states()
    assert product.enqueue(queue, "match_product", b'{"id": "p1"}', name="p1_v1", delay_seconds=0.1)
    assert not product.enqueue(queue, "match_product", b'{"id": "p1"}', name="p1_v1")
    assert product.enqueue(queue, "match_product", b'{"id": "p2"}')
    cloud.run(cloud.tasks.idle())
    deliveries = cloud.sink.of("match_product")
    assert [delivery.body for delivery in deliveries] == [b'{"id": "p2"}', b'{"id": "p1"}']
    assert {delivery.headers["content-type"] for delivery in deliveries} == {"application/json"}
    claims = cloud.verified(deliveries[0], audience=settings().audience("match_product"))
    assert claims["email"] == settings().tasks_invoker


@pytest.mark.usefixtures("environment")
def test_enqueue_to_an_absent_queue_is_a_failure_of_the_dependency() -> None:
    with pytest.raises(DependencyFailed, match="Cloud Tasks refused the call"):
        product.enqueue("absent", "match_product", b"{}")


def test_enqueue_says_when_nothing_listens(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLOUD_TASKS_EMULATOR_HOST", "127.0.0.1:1")
    settings.cache_clear()
    product.client.cache_clear()
    with pytest.raises(DependencyUnavailable, match="Cloud Tasks cannot be reached"):
        product.enqueue("matching", "match_product", b"{}")
    with pytest.raises(DependencyUnavailable):
        product.list_states()


def test_a_taken_port_is_refused(cloud: Cloud) -> None:
    async def start_another() -> None:
        await CloudTasks(Issuer("https://accounts.example")).start(cloud.tasks_port)

    with pytest.raises(RuntimeError, match="bind"):
        cloud.run(start_another())
