"""llmock as every provider at once, whose answer depends on each product's text, and which fails.

llmock itself answers with one text until it is told another; here a call's own question says what
is answered, and a seed says which calls fail, and how.
"""

import json
import random
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from threading import Event, Lock
from typing import Any, Final
from urllib.parse import urlsplit

from llmock.journal import Journal
from llmock.scenarios import Delay, Fail, Plan, Reply, RequestInfo, ScenarioQueue, StreamFault
from llmock.testing import LLMockServer

from local.ports import HOST
from local.stack import Stack

STATUSES: Final = {
    "rate limited": 429,
    "overloaded": 503,
    "failed": 500,
    "refused": 400,
    "wrong key": 401,
    "to be paid first": 402,
    "no such model": 404,
    "out of time": 504,
}
# Beside these a call finds nobody who listens, while an outage lasts.
KINDS: Final = (
    *STATUSES,
    "cut off",
    "ended early",
    "no JSON",
    "off the list",
    "slow",
)
# What was asked together is refused together, and each product is asked about again alone.
REFUSED: Final = ("refused", "no JSON", "off the list")
# Of these nothing more is heard, as of whatever a busy machine does not answer in time.
UNHEARD: Final = ("cut off", "ended early", "slow", "out of time")
RETRY_AFTER_SECONDS: Final = 0.1
# Whatever is said of a product of this brand is off the list.
HOPELESS: Final = "Hopeless"
# So many calls are answered before one is held, for a worker to be killed that waits for it.
_HELD_CALL: Final = 5
_HELD_SECONDS: Final = 1.5
# So that every drill has at least one, however few calls it takes.
_OUT_OF_TIME_CALL: Final = 6
_JOURNAL: Final = 10_000_000
_LISTED: Final = re.compile(r"^([^\s:]+): ", re.MULTILINE)
_body: ContextVar[bytes] = ContextVar("body")


@dataclass(frozen=True)
class Asked:
    """One call: of how many products, and what became of it."""

    products: int
    fault: str | None


class Answers(ScenarioQueue):
    """What llmock does with each call, by what it asks."""

    def __init__(self, seed: int, faulty_percent: float, slow_seconds: float | None) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self._luck = random.Random(seed)  # noqa: S311 - luck, and no secret
        self._faulty_percent = faulty_percent
        self._slow_seconds = slow_seconds
        self._kinds = [kind for kind in KINDS if slow_seconds is not None or kind != "slow"]
        self._guard = Lock()
        self.is_held = Event()

    def plan_for(self, info: RequestInfo) -> Plan:
        """The answer to what stands in the body, or what goes wrong."""
        system, products = question_in(json.loads(_body.get()))
        with self._guard:
            fault = None
            if self._luck.uniform(0, 100) < self._faulty_percent:
                fault = self._luck.choice(self._kinds)
            if fault in ("cut off", "ended early") and not info.stream:
                fault = "overloaded"
            if any(product.get("brand") == HOPELESS for product in products):
                fault = "off the list"
            if len(self.asked) == _OUT_OF_TIME_CALL:
                fault = "out of time"
            is_held = len(self.asked) == _HELD_CALL
            self.asked.append(Asked(len(products), None if is_held else fault))
        categories = _LISTED.findall(system.rpartition("Categories, as id: path\n")[2])
        told = answer(products, categories)
        if is_held:
            self.is_held.set()
            return Plan(reply=Reply(text=told), delay=Delay(_HELD_SECONDS))
        return self._plan(fault, told)

    def faults(self) -> Counter[str]:
        """How often each kind came."""
        return Counter(each.fault for each in self.asked if each.fault)

    def _plan(self, fault: str | None, text: str) -> Plan:
        reply = Reply(text=text)
        statuses = {
            kind: Plan(fail=Fail(status, retry_after=RETRY_AFTER_SECONDS))
            for kind, status in STATUSES.items()
        }
        plans = statuses | {
            "cut off": Plan(reply=reply, stream_fault=StreamFault("disconnect", after_chunks=2)),
            "ended early": Plan(reply=reply, stream_fault=StreamFault("truncate", after_chunks=2)),
            "no JSON": Plan(reply=Reply(text=text[:-1])),
            "off the list": Plan(
                reply=Reply(text=re.sub(r'"category": "', r"\g<0>no-such-", text))
            ),
            "slow": Plan(reply=reply, delay=Delay(self._slow_seconds or 0.0)),
        }
        return plans[fault] if fault else Plan(reply=reply)


def question_in(body: Any) -> tuple[str, list[dict[str, Any]]]:
    """The instructions of a call, and the products that it asks about."""
    if "messages" in body:
        system, user = (each["content"] for each in body["messages"])
    else:
        system = _text(body["systemInstruction"])
        user = _text(body["contents"][0])
    lines = user.strip().split("\n")[1:-1]
    return system, [json.loads(line) for line in lines]


def answer(products: list[dict[str, Any]], categories: list[str]) -> str:
    """A good answer, the same each time for the same text; some of it is not very sure."""
    verdicts = [_verdict(product, categories) for product in products]
    if "mark" not in products[0]:
        return json.dumps(verdicts[0])
    told = [
        {"mark": product["mark"], "begins": product["name"], **verdict}
        for product, verdict in zip(products, verdicts, strict=True)
    ]
    return json.dumps({"products": told})


class Models:
    """A running llmock, and its log."""

    def __init__(self, port: int, answers: Answers) -> None:
        self.answers = answers
        self.server = LLMockServer(port=port)
        self.server.state.journal = Journal(_JOURNAL)
        self.server.state.scenarios = answers
        self.server.app = _Bodies(self.server.app)  # type: ignore[assignment]
        self._port = port

    def calls(self) -> int:
        """How many its log tells of."""
        return len(self.server.state.journal.records(wait=5))

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Nobody listens, so connections are refused; what is under way is answered first."""
        self.server.stop()
        with socket.socket() as held:
            # Else another process may be given the port meanwhile.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((HOST, self._port))
            try:
                yield
            finally:
                self.server.start()


@contextmanager
def models_at(stack: Stack, answers: Answers) -> Iterator[Models]:
    """A running llmock that answers so, where the stack's functions look for the providers."""
    port = urlsplit(stack.environment()["GROQ_BASE_URL"]).port
    assert port
    models = Models(port, answers)
    with models.server:
        yield models


class _Bodies:
    """Lets whoever plans an answer see the question."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.state = app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        _body.set(body)
        handed = False

        async def replay() -> Any:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def _verdict(product: dict[str, Any], categories: list[str]) -> dict[str, Any]:
    drawn = int(sha256(product["name"].encode()).hexdigest(), 16)
    category = categories[drawn % len(categories)]
    return {"category": category, "confidence": 60 + drawn % 40, "rationale": "Mocked."}


def _text(content: Any) -> str:
    return str(content["parts"][0]["text"])
