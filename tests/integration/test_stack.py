"""The local cloud itself, with toy functions in place of the product's."""

import json
import os
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.storage import Client as StorageClient

from local import accounts
from local.firestore import clear_documents
from local.plan import BUCKET, PROJECT, Plan
from local.ports import Ports
from local.process import Process
from local.stack import Stack
from tests.polling import eventually

ANYONE = AnonymousCredentials()  # type: ignore[no-untyped-call]
FUNCTIONS = '''
    """Toy functions, declared as the product's are."""
    import json
    from pathlib import Path
    from types import SimpleNamespace

    # Several processes may serve the functions: what they share is a file.
    SEEN = Path(__file__).with_name("seen")

    def seen():
        return [json.loads(line) for line in SEEN.open()] if SEEN.exists() else []

    def show(request):
        return {"path": request.path, "root": request.script_root,
                "forwarded": request.headers.get("X-Forwarded-For"),
                "authorization": request.headers.get("Authorization"), "seen": seen()}

    def work(request):
        return show(request)

    def on_item(event):
        with SEEN.open("a") as file:
            file.write(json.dumps([event["id"], event["document"]]) + "\\n")

    def on_broken(event):
        raise RuntimeError("this trigger always fails")

    def declare(function, kind, document=None):
        private = kind != "http"
        function.__shopple__ = SimpleNamespace(
            kind=kind, private=private, path=None, document=document)

    declare(show, "http")
    declare(work, "task")
    declare(on_item, "firestore", "items/{id}")
    declare(on_broken, "firestore", "broken/{id}")

    def __dir__():
        return ["show", "work", "on_item", "on_broken"]
'''


def toy_root(folder: Path) -> Path:
    (folder / "functions" / "toy").mkdir(parents=True)
    (folder / "functions" / "toy" / "main.py").write_text(textwrap.dedent(FUNCTIONS))
    (folder / "console").mkdir()
    (folder / "console" / "index.html").write_text("the console")
    rewrites = [{"source": "/api/**", "function": {"functionId": "show"}}]
    hosting = {"public": "console", "rewrites": rewrites}
    (folder / "firebase.json").write_text(json.dumps({"hosting": hosting}))
    return folder


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = toy_root(tmp_path_factory.mktemp("root"))
    plan = Plan(Ports.free(), tmp_path_factory.mktemp("state"), root=root, reload=True)
    with Stack(plan) as running:
        yield running


@pytest.fixture
def database(toys: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    host = toys.environment()["FIRESTORE_EMULATOR_HOST"]
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    clear_documents(toys.plan)
    toys.control.wait_until_idle()
    toys.control.reset_events()
    client = firestore.Client(project=PROJECT, credentials=ANYONE)
    yield client
    toys.control.reset_events()
    client.close()  # type: ignore[no-untyped-call]


def counts(toys: Stack) -> Mapping[str, Any]:
    toys.control.wait_until_idle()
    return toys.control.events()


def test_the_gateway_serves_the_console_and_the_functions(toys: Stack) -> None:
    assert httpx.get(toys.plan.origin).text == "the console"
    told = httpx.get(f"{toys.plan.origin}/api/x?a=1").json()
    assert (told["path"], told["root"]) == ("/api/x", "/show")


def test_a_forged_address_is_left_of_the_true_ones(toys: Stack) -> None:
    forged = {"X-Forwarded-For": "198.51.100.1"}
    trusted = toys.environment()["TRUSTED_PROXIES"]
    by_hosting = httpx.get(f"{toys.plan.origin}/api/x", headers=forged).json()["forwarded"]
    assert by_hosting == f"198.51.100.1, 127.0.0.1, {trusted}"
    direct = httpx.get(f"{toys.plan.functions_url}/show", headers=forged).json()["forwarded"]
    assert direct == "198.51.100.1, 127.0.0.1"


def test_functions_are_listed_with_what_they_declare(toys: Stack) -> None:
    kinds = {each["name"]: each["kind"] for each in toys.functions()}
    assert kinds == {
        "on_broken": "firestore",
        "on_item": "firestore",
        "show": "http",
        "work": "task",
    }


def test_an_unknown_function_is_not_found(toys: Stack) -> None:
    assert httpx.get(f"{toys.plan.functions_url}/absent").status_code == 404


def test_a_private_function_gets_its_token_without_the_signature(toys: Stack) -> None:
    token = toys.control.invoker_token()
    answer = httpx.post(
        f"{toys.plan.functions_url}/work", headers={"Authorization": f"Bearer {token}"}
    )
    signed, _, signature = answer.json()["authorization"].rpartition(".")
    assert signature == "SIGNATURE_REMOVED_BY_GOOGLE"
    assert f"Bearer {token}".startswith(signed)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"email": "someone@else.iam.gserviceaccount.com"}, 403),
        ({"audience": "https://elsewhere.example"}, 401),
    ],
)
def test_a_private_function_is_closed_to_others(
    toys: Stack, changes: dict[str, str], status: int
) -> None:
    headers = {"Authorization": f"Bearer {toys.control.invoker_token(**changes)}"}
    answer = httpx.post(f"{toys.plan.functions_url}/work", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("header", "status"), [("", 403), ("Bearer x.y.z", 401), ("Basic eA==", 403)]
)
def test_a_private_function_needs_a_token(toys: Stack, header: str, status: int) -> None:
    for name in ("work", "on_item"):
        answer = httpx.post(f"{toys.plan.functions_url}/{name}", headers={"Authorization": header})
        assert answer.status_code == status


def test_a_forged_signature_is_refused(toys: Stack) -> None:
    stripped = toys.control.invoker_token().rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
    headers = {"Authorization": f"Bearer {stripped}"}
    assert httpx.post(f"{toys.plan.functions_url}/work", headers=headers).status_code == 401


def test_a_write_reaches_its_trigger_once(toys: Stack, database: firestore.Client) -> None:
    database.document("items/one").set({"a": 1})
    told = counts(toys)
    assert (told["received"], told["delivered"], told["failed"]) == (1, 1, 0)
    seen = httpx.get(f"{toys.plan.functions_url}/show").json()["seen"]
    assert seen[-1][1] == "items/one"


def test_a_write_that_changes_nothing_is_no_event(toys: Stack, database: firestore.Client) -> None:
    database.document("items/one").set({"a": 1})
    database.document("items/one").set({"a": 1})
    told = counts(toys)
    assert (told["delivered"], told["unchanged"]) == (1, 1)


def test_a_failed_event_is_not_tried_again(toys: Stack, database: firestore.Client) -> None:
    database.document("broken/one").set({"a": 1})
    told = counts(toys)
    assert (told["received"], told["delivered"], told["failed"]) == (1, 0, 1)
    assert told["failures"][0].startswith("on_broken: 500")


def test_events_can_be_lost_and_doubled(toys: Stack, database: firestore.Client) -> None:
    toys.control.disturb_events(drop=True)
    database.document("items/one").set({"a": 1})
    assert counts(toys)["dropped"] == 1
    toys.control.disturb_events(copies=3, delay_seconds=0.05)
    database.document("items/one").set({"a": 2})
    assert counts(toys)["delivered"] == 3
    seen = httpx.get(f"{toys.plan.functions_url}/show").json()["seen"]
    assert len({event_id for event_id, _ in seen[-3:]}) == 1


def test_objects_are_kept_in_the_bucket(toys: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", toys.environment()["STORAGE_EMULATOR_HOST"])
    client = StorageClient(project=PROJECT, credentials=ANYONE)
    blob = client.bucket(BUCKET).blob("a/b.txt")
    blob.upload_from_string("text", if_generation_match=0)
    assert blob.download_as_bytes() == b"text"


def test_accounts_log_in_with_their_password(toys: Stack) -> None:
    host = toys.environment()["FIREBASE_AUTH_EMULATOR_HOST"]
    uid = accounts.create(host, accounts.ADMIN)
    assert accounts.create(host, accounts.ADMIN) == uid
    assert accounts.id_token(host, accounts.ADMIN.email).count(".") == 2


def test_a_part_comes_back_after_a_crash(toys: Stack) -> None:
    part = toys.part("valkey")
    url, token = (toys.environment()[f"UPSTASH_REDIS_REST_{each}"] for each in ("URL", "TOKEN"))

    def ping() -> httpx.Response:
        return httpx.post(url, headers={"Authorization": f"Bearer {token}"}, json=["PING"])

    assert ping().json() == {"result": "PONG"}
    part.kill()
    assert ping().status_code == 503
    part.start()
    assert ping().json() == {"result": "PONG"}


def test_a_changed_source_is_served_and_a_broken_one_says_so(toys: Stack) -> None:
    source = toys.plan.root / "functions" / "toy" / "main.py"
    good = source.read_text()

    def shown() -> httpx.Response:
        with suppress(httpx.TransportError):
            return httpx.get(f"{toys.plan.functions_url}/show")
        return httpx.Response(0)

    source.write_text(good.replace('"root":', '"changed": True, "root":'))
    eventually(lambda: shown().is_success and shown().json().get("changed"), timeout_seconds=20)
    source.write_text(good + "def broken(:\n")
    # Each of the server's two workers notices by itself, and either may answer.
    eventually(lambda: "main.py" in shown().text, timeout_seconds=20)
    source.write_text(good)
    eventually(lambda: shown().is_success and "changed" not in shown().json(), timeout_seconds=20)


def test_kept_data_is_there_in_the_next_run_and_nothing_runs_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = toy_root(tmp_path / "root")
    data = tmp_path / "data"
    for run in (1, 2):
        state = tmp_path / f"state{run}"
        state.mkdir()
        with Stack(Plan(Ports.free(), state, root=root, data=data)) as kept:
            environment = kept.environment()
            monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", environment["FIRESTORE_EMULATOR_HOST"])
            database = firestore.Client(project=PROJECT, credentials=ANYONE)
            host = environment["FIREBASE_AUTH_EMULATOR_HOST"]
            if run == 1:
                database.document("items/kept").set({"a": 1})
                accounts.create(host, accounts.ADMIN)
            assert database.document("items/kept").get().to_dict() == {"a": 1}
            assert accounts.id_token(host, accounts.ADMIN.email)
            database.close()  # type: ignore[no-untyped-call]
            parts = kept.parts
        for part in parts:
            eventually(partial(is_gone, part), timeout_seconds=1)


def is_gone(part: Process) -> bool:
    assert part.pid is not None
    try:
        os.killpg(part.pid, 0)
    except ProcessLookupError:
        return True
    return False
