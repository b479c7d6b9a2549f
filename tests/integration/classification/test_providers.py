"""Each provider's real SDK against llmock, at each fault: the table of docs/classification.md."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import product
from threading import Event

import msgspec
import pytest
from llmock.scenarios import Delay, Fail, Match, StreamFault
from llmock.state import LLMockState

from local.plan import ROOT
from local.stack import Stack
from shared.classification import circuit_rules, circuits, failover, meaning, providers
from shared.classification.circuit_rules import Circuit
from shared.classification.circuits import LeftAlone
from shared.classification.failover import AllFailed, Candidate, Result
from shared.classification.local_model import LocalModel
from shared.classification.models import KEYED, Categories, Choice, Item
from shared.clients import redis
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Reply
from shared.config import settings
from tests.forked import Program
from tests.integration.classification.models import (
    NAMES,
    Cutting,
    Saying,
    answer,
    models_at,
    reply,
)
from tests.integration.classification.vendors import ANSWERS
from tests.integration.edge.instance import instance

CATEGORIES = Categories((Choice("milk", ("Milk",)), Choice("tea", ("Tea",))))
TEA = Item("Ceylon Tea 100g")
# Long for what is to be answered, and short for what never is.
SECONDS, IMPATIENT_SECONDS = 20.0, 0.4
SHORT_WAIT, LONG_WAIT = 0.3, 40
PROCESSES = 3
# What another process is told that would ask Groq, as soon as its input ends.
TRY = """
import sys
from shared.classification import circuits
circuits.read(["gemini"])
print("ready", flush=True)
sys.stdin.readline()
try:
    circuits.permit("groq")
    print(None, flush=True)
except circuits.LeftAlone as alone:
    print(alone.wait_seconds, flush=True)
"""
NOWHERE = "http://127.0.0.1:9"
# What llmock does, what the item meets, and what the circuit makes of one such call.
FAULTS = {
    "ok": ("answered", "closed"),
    "429 with Retry-After": ("rate_limited", "left alone as long as it asks"),
    "500": ("overloaded", "one failure"),
    "slow": ("timeout", "one failure"),
    "cut off": ("network", "one failure"),
    "ended early": ("network", "one failure"),
    "invalid JSON": ("bad_output", "no failure"),
    "category outside the list": ("bad_output", "no failure"),
    "wrong key": ("bad_key", "open"),
    "402, to be paid first": ("no_service", "open"),
    "404, no such model": ("no_service", "open"),
    "connection refused": ("network", "one failure"),
    "403": ("bad_key", "open"),
    "refused by a filter": ("refused", "no failure"),
    "refused before it begins": ("refused", "no failure"),
    "refused in words": ("refused", "no failure"),
    "its own check of the JSON failed": ("bad_output", "no failure"),
    "wrong key, told as 400": ("bad_key", "open"),
    "to be paid first, told as 400": ("no_service", "open"),
    "model withdrawn, told as 400": ("no_service", "open"),
    "429 with its wait in the body": ("rate_limited", "left alone as long as it asks"),
    "429 within the answer": ("rate_limited", "no failure"),
    "an error within the answer": ("network", "one failure"),
}
# Gemini says of itself what OpenRouter says of whoever stands behind it.
OTHERS = {("gemini", "an error within the answer"): "overloaded"}
STATUSES = {
    "500": 500,
    "wrong key": 401,
    "402, to be paid first": 402,
    "403": 403,
    "404, no such model": 404,
}
# Groq's answer comes in one piece: cut off or not at all.
CASES = [
    (provider, fault)
    for provider, fault in product(KEYED, FAULTS)
    if (provider, fault) != ("groq", "ended early") and provider in ANSWERS.get(fault, KEYED)
]


@dataclass
class Asker:
    """Remembers what it is told."""

    restarts: list[tuple[str, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def restart(self, provider: str, reason: str) -> None:
        self.restarts.append((provider, reason))

    def is_gone(self) -> bool:
        return False

    def left(self) -> float:
        return 500.0

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False


@pytest.fixture(scope="module")
def models(stack: Stack) -> Iterator[LLMockState]:
    with instance(stack.environment()), models_at(stack) as state:
        for sdk in ("groq", "google.genai", "openai"):
            # Their imports would count as an answer that does not come.
            import_module(sdk)
        yield state


@pytest.fixture(autouse=True)
def anew(models: LLMockState) -> Iterator[None]:
    models.reset()
    for provider in KEYED:
        circuits.forget(provider)
    yield
    Cutting.cuts, Saying.told = False, None


def arrange(models: LLMockState, provider: str, fault: str) -> None:
    match = Match(provider=NAMES[provider])
    models.scenarios.add(reply(answer("tea"), provider))
    Saying.told = ANSWERS.get(fault, {}).get(provider)
    if fault == "429 with Retry-After":
        models.scenarios.add(Fail(429, retry_after=LONG_WAIT, times=None, match=match))
    elif fault in STATUSES:
        models.scenarios.add(Fail(STATUSES[fault], times=None, match=match))
    elif fault == "slow":
        models.scenarios.add(Delay(IMPATIENT_SECONDS * 3, times=None, match=match))
    elif fault == "cut off":
        Cutting.cuts = provider == "groq"
        models.scenarios.add(StreamFault("disconnect", after_chunks=2, times=None))
    elif fault == "ended early":
        models.scenarios.add(StreamFault("truncate", after_chunks=2, times=None))
    elif fault == "refused by a filter":
        models.reset()
        refusal = replace(reply(answer("tea"), provider), finish_reason="content_filter")
        models.scenarios.add(refusal)
    elif fault == "invalid JSON":
        models.reset()
        models.scenarios.add(reply('{"category": "tea", ', provider))
    elif fault == "category outside the list":
        models.reset()
        models.scenarios.add(reply(answer("coffee"), provider))


def met_by(provider: str, fault: str) -> str:
    return OTHERS.get((provider, fault), FAULTS[fault][0])


def candidate(provider: str) -> Candidate:
    ask = providers.keyed(provider, "canary-key-0123456789")
    return Candidate(provider, providers.model_of(provider, None), ask)


def stand_in() -> Candidate:
    def ask(question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG001
        verdict = LocalModel(CATEGORIES, [], embed=meaning.vectors).classify(question.text)
        return Reply(answer(verdict.category, verdict.confidence))

    return Candidate("local", providers.model_of("local", None), ask, has_circuit=False)


def classify(asker: Asker, *candidates: Candidate, seconds: float = SECONDS) -> Result:
    return failover.classify(TEA, CATEGORIES, candidates, asker, seconds)


def told_of(circuit: Circuit) -> str:
    now = time.time()
    if circuit_rules.state(circuit, now) == "open":
        return "open"
    if circuit_rules.wait_seconds(circuit, now) > LONG_WAIT - 10:
        return "left alone as long as it asks"
    if circuit.failures:
        return "one failure"
    return "closed" if all(sample.ok for sample in circuit.samples) else "no failure"


@pytest.mark.parametrize(("provider", "fault"), CASES)
def test_each_provider_fails_as_the_table_says_and_another_takes_over(
    models: LLMockState, monkeypatch: pytest.MonkeyPatch, provider: str, fault: str
) -> None:
    arrange(models, provider, fault)
    if fault == "connection refused":
        for name in ("GROQ", "GOOGLE", "CEREBRAS", "OPENROUTER"):
            monkeypatch.setenv(f"{name}_BASE_URL", NOWHERE)
        settings.cache_clear()
    asker = Asker()

    seconds = IMPATIENT_SECONDS if fault == "slow" else SECONDS
    result = classify(asker, candidate(provider), stand_in(), seconds=seconds)

    settings.cache_clear()
    circuit = FAULTS[fault][1]
    met = met_by(provider, fault)
    if met == "answered":
        assert (result.provider, result.verdict.category) == (provider, "tea")
        assert result.paid.cost_micros > 0
        assert asker.restarts == []
    else:
        assert (result.provider, result.verdict.category) == ("local", "tea")
        assert asker.restarts == [("local", met)]
    assert told_of(circuits.read([provider])[provider]) == circuit
    # None tries again by itself: who is asked next is for the failover to say.
    calls = models.journal.records(wait=2)
    assert len(calls) == (0 if fault == "connection refused" else 1)


def table() -> str:
    """The table as the documentation has it."""
    rows = ["| what happens | groq | gemini | cerebras | openrouter | its circuit |"]
    rows.append("| --- | --- | --- | --- | --- | --- |")
    for fault, (_, circuit) in FAULTS.items():
        cells = [met_by(p, fault) if (p, fault) in CASES else "—" for p in KEYED]
        rows.append(f"| {' | '.join([fault, *cells, circuit])} |")
    return "\n".join(rows)


def test_the_documentation_has_this_table() -> None:
    assert table() in (ROOT / "docs/classification.md").read_text()


def test_an_open_circuit_is_shared_and_nobody_calls(models: LLMockState) -> None:
    models.scenarios.add(Fail(500, times=None))
    for _ in range(circuit_rules.FAILURES_TO_OPEN):
        classify(Asker(), candidate("groq"), stand_in())
    circuits._own.clear()
    asker = Asker()

    assert classify(asker, candidate("groq"), stand_in()).provider == "local"

    assert len(models.journal.records(wait=2)) == circuit_rules.FAILURES_TO_OPEN
    # It had not begun anywhere, so it does not begin again.
    assert asker.restarts == []


def put(circuit: Circuit) -> None:
    text = msgspec.json.encode(circuit).decode()
    redis.must_call(lambda r: r.set(circuits._key("groq"), text))


def rests() -> float | None:
    """How long Groq is left alone; who may ask it gives the place back at once."""
    try:
        circuits.give_back(circuits.permit("groq"))
    except LeftAlone as alone:
        return alone.wait_seconds
    return None


def test_one_of_many_makes_the_trial_and_closes_it() -> None:
    put(Circuit(failures=3, openings=1, open_until=1.0))

    trial = circuits.permit("groq")

    assert trial.trial
    assert rests() == circuits.TRIAL_SECONDS
    circuits.succeeded(trial, 5)
    assert rests() is None


def test_of_many_processes_one_makes_the_trial(stack: Stack) -> None:
    put(Circuit(failures=3, openings=1, open_until=1.0))
    started = [Program(TRY, (), env=stack.environment()) for _ in range(PROCESSES)]
    # Each has loaded what it needs, so all of them look in one moment.
    assert {each.stdout.readline() for each in started} == {"ready\n"}
    for each in started:
        each.stdin.write("now\n")
        each.stdin.flush()
    told = sorted(each.stdout.readline().strip() for each in started)
    for each in started:
        each.communicate(timeout=20)
    assert told == [*[str(float(circuits.TRIAL_SECONDS))] * (PROCESSES - 1), "None"]


@pytest.mark.parametrize("how", ["succeeds", "fails"])
def test_a_late_report_neither_closes_it_nor_takes_the_place_of_the_trial(how: str) -> None:
    late = circuits.permit("groq")
    began = time.time()
    put(Circuit(failures=3, openings=1, open_until=began, held_since=began))
    trial = circuits.permit("groq")

    if how == "succeeds":
        circuits.succeeded(late, 5)
    else:
        circuits.failed(late, ProviderFailed("timeout"), 5)
    circuits.give_back(late)
    # Nor does a trial that took too long, in whose place another one is made.
    circuits.give_back(msgspec.structs.replace(trial, trial="another"))

    assert rests() == circuits.TRIAL_SECONDS
    circuits.give_back(trial)
    assert rests() is None
    assert circuits.permit("groq").trial


def test_what_becomes_of_calls_with_a_key_says_nothing_of_the_next_key() -> None:
    late = circuits.permit("groq")
    circuits.forget("groq")
    circuits.failed(late, ProviderFailed("bad_key"), 5)
    assert rests() is None


def test_the_only_one_left_is_waited_for_if_it_asks_for_little(models: LLMockState) -> None:
    models.scenarios.add(Fail(429, retry_after=SHORT_WAIT), reply(answer("tea")))
    asker = Asker()
    # Waits in earnest, where the asker only remembers.
    asker.wait = lambda seconds: Event().wait(seconds + 0.05)  # type: ignore[method-assign]

    assert classify(asker, candidate("groq")).provider == "groq"

    assert len(models.journal.records(wait=2)) == 2


def test_when_all_fail_each_is_named_with_its_reason(models: LLMockState) -> None:
    models.scenarios.add(Fail(500, times=None, match=Match(provider="groq")))
    models.scenarios.add(Fail(429, retry_after=LONG_WAIT, times=None))
    asker = Asker()
    with pytest.raises(AllFailed, match="groq: overloaded; gemini: rate_limited"):
        classify(asker, candidate("groq"), candidate("gemini"))
    assert (asker.restarts, asker.waits) == ([("gemini", "overloaded")], [])
