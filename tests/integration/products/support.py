"""What the catalogue's tests share: a session, the database behind it, and uploads."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc  # type: ignore[import-untyped]
import httpx
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.firestore import clear_documents
from local.plan import PROJECT, REDIS_TOKEN
from local.stack import Stack
from shared.products.recounts import QUEUE as RECOUNTS
from tests import sessions
from tests.forked import Program
from tests.polling import eventually

Json = dict[str, Any]
READS, WRITES, REDIS_CALLS = (
    f"X-Local-{what}" for what in ("Firestore-Reads", "Firestore-Writes", "Redis-Calls")
)
# Other tests run beside these, and the emulator scans: a deadline, not an expectation.
WORK_SECONDS = 180
# Pauses or resumes a queue of Cloud Tasks.
QUEUE = """
import sys
from scheduler import cloud_queues
getattr(cloud_queues, sys.argv[1] + "_queue")(sys.argv[2])
"""
# What is named ends the process when it is called once more than so often; a program follows.
CUT_OFF = """
import os, pkgutil
owner, left = pkgutil.resolve_name({owner!r}), {calls}
whole = getattr(owner, {name!r})
def counted(*arguments, **named):
    global left
    if not left:
        os._exit({status})
    left -= 1
    return whole(*arguments, **named)
setattr(owner, {name!r}, counted)
"""
KILLED = 99
# A recount that is due later than any that was made.
FAR_FUTURE = 4e9


def signed_in(stack: Stack) -> httpx.Client:
    """A client with an admin's session of its own."""
    http = sessions.new_client(stack, sessions.log_in(stack))
    http.timeout = httpx.Timeout(WORK_SECONDS)
    return http


@dataclass(frozen=True, slots=True)
class Shop:
    """The catalogue as an admin reaches it, and as it lies in the database."""

    stack: Stack
    http: httpx.Client
    database: firestore.Client

    def get(self, path: str, **query: Any) -> Json:
        """The answer's body, which must be a good one."""
        return good(self.http.get(path, params=query))

    def upload(self, rows: Iterable[Mapping[str, Any]], accept: object = "new") -> Json:
        """The counts of a preview and a confirm of `rows`, followed to their ends."""
        return self.confirm(self.preview(rows)["upload_id"], accept)

    def preview(self, rows: Iterable[Mapping[str, Any]]) -> Json:
        """The finished preview."""
        told = good(self.http.post("/api/products/preview", json={"products": list(rows)}))
        if "preview" in told:
            return as_json(told["preview"])
        return as_json(self.followed(told["upload_id"], "previewed")["preview"])

    def confirm(self, upload_id: str, accept: object = "new") -> Json:
        """The counts of a finished confirm."""
        body = {"upload_id": upload_id, "accept": accept}
        told = good(self.http.post("/api/products/confirm", json=body))
        if "inserted" in told:
            return told
        return as_json(self.followed(upload_id, "confirmed")["result"])

    def followed(self, upload_id: str, status: str) -> Json:
        """The upload once it has reached `status`."""

        def reached() -> Json | None:
            told = self.get(f"/api/products/uploads/{upload_id}")
            assert told["status"] != "failed", told
            return told if told["status"] == status else None

        return eventually(reached, timeout_seconds=WORK_SECONDS)

    def renew_copy(self) -> None:
        """Give Redis a young copy of the session, so that what is counted next leaves it out.

        A copy made long ago would end between one call and the next.
        """
        self.redis("DEL", f"session:{sessions.sid_of(self.http)}")
        good(self.http.get("/api/admin/session"))

    def settle(self) -> None:
        """Return once everything that was written has had its consequences."""
        self.stack.control.wait_until_idle(WORK_SECONDS, horizon_seconds=5)

    def idle(self) -> None:
        """Return once all is done that is due now: recounts and repeated attempts come later."""
        self.stack.control.wait_until_idle(WORK_SECONDS)

    def documents(self, collection: str) -> dict[str, Json]:
        """Every document of a collection, by id."""
        found = self.database.collection(collection).stream()
        return {each.id: each.to_dict() or {} for each in found}

    def call_private(
        self,
        function: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float = WORK_SECONDS,
    ) -> httpx.Response:
        """The answer of a task or schedule, called as Google calls it."""
        token = self.stack.control.invoker_token()
        return httpx.post(
            f"{self.stack.plan.functions_url}/{function}",
            headers={"Authorization": f"Bearer {token}"},
            json=body or {},
            timeout=timeout_seconds,
            trust_env=False,
            verify=sessions.TLS,
        )

    def begin(self, program: str, *arguments: str) -> Program:
        """A Python program that runs as a function does, in a process of its own."""
        return Program(program, arguments, os.environ | self.stack.environment())

    def run(self, program: str, *arguments: str) -> str:
        """What a program printed that ran like that to its end."""
        process = self.begin(program, *arguments)
        output, _ = process.communicate(timeout=WORK_SECONDS)
        assert process.returncode == 0
        return output

    def cut_off(self, owner: str, name: str, calls: int, program: str, *arguments: str) -> None:
        """Let a program run that dies when it calls `name` of the module or class once more."""
        cut = CUT_OFF.format(owner=owner, name=name, calls=calls, status=KILLED)
        process = self.begin(cut + program, *arguments)
        process.communicate(timeout=WORK_SECONDS)
        assert process.returncode == KILLED

    def redis(self, *command: str) -> Any:
        """The reply to one Redis command."""
        answer = httpx.post(
            self.stack.environment()["UPSTASH_REDIS_REST_URL"],
            headers={"Authorization": f"Bearer {REDIS_TOKEN}"},
            json=list(command),
            trust_env=False,
            verify=sessions.TLS,
        )
        return as_json(good(answer))["result"]

    def clear(self) -> None:
        """Empty the database but for its sessions, which other tests may be using; and Redis."""
        self.stack.control.disturb_events(drop=True)
        self._forget_tasks()
        self.stack.control.wait_until_idle(WORK_SECONDS, horizon_seconds=5)
        self.clear_documents()
        self.redis("FLUSHALL")
        self.stack.control.reset_events()

    def clear_documents(self) -> None:
        """Empty the database but for its sessions, without a trigger from now on."""
        self.stack.control.disturb_events(drop=True)
        records = self.documents("sessions")
        clear_documents(self.stack.plan)
        batch = self.database.batch()
        for sid, fields in records.items():
            batch.set(self.database.collection("sessions").document(sid), fields)
        batch.commit()

    def _forget_tasks(self) -> None:
        """What an upload of thousands still owes would otherwise be waited for, to no end.

        Recounts are few and stay: who asked for one in its window does not ask for it again.
        """
        queues = self.stack.control.tasks()["queues"]
        full = [each["name"] for each in queues if each["pending"] and each["name"] != RECOUNTS]
        if not full:
            return
        channel = grpc.insecure_channel(self.stack.environment()["CLOUD_TASKS_EMULATOR_HOST"])
        with channel:
            client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
            for name in full:
                client.purge_queue(name=client.queue_path(PROJECT, "asia-south1", name))


def good(answer: httpx.Response) -> Json:
    """The body of an answer that must be 2xx."""
    assert answer.is_success, f"{answer.status_code} {answer.text}"
    return as_json(answer.json())


def as_json(value: Any) -> Json:
    """`value`, which must be an object."""
    assert isinstance(value, dict)
    return value


def row(number: int, **fields: Any) -> Json:
    """A row of an upload unlike every other number's: no two share a word of their names."""
    return {
        "name": f"{word(number)} {word(number + 500_000)}",
        "brand": f"b{word(number + 250_000)}",
        "price": f"{100 + number % 900}.50",
        "retailer": "keells",
        "retailer_sku": f"S{number}",
        **fields,
    }


def word(number: int) -> str:
    """A made-up word for a number, the same each time, not close to its neighbours' words."""
    digits = "bcdfghklmnprstvz"
    value = number * 2_654_435_761 % 2**32
    letters = []
    for _ in range(4):
        letters += [digits[value % 16], "aeiou"[value // 16 % 5]]
        value //= 80
    return "".join(letters)


def admin_shop(stack: Stack) -> Shop:
    """An empty catalogue and a session to reach it with."""
    os.environ["FIRESTORE_EMULATOR_HOST"] = stack.environment()["FIRESTORE_EMULATOR_HOST"]
    database = firestore.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
    )
    shop = Shop(stack, signed_in(stack), database)
    shop.clear()
    return shop
