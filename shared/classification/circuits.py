"""The circuit of each provider, shared by all instances through Redis.

Where Redis is away each instance goes on with what it knew. Two calls that end in the same moment
may count as one: the circuit then opens one failure later. What is answered while all is well is
told once a second: it changes nothing but the figures.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import Final

import msgspec

from shared.classification import circuit_rules
from shared.classification.circuit_rules import Circuit
from shared.classification.shared_reading import SharedReading
from shared.clients import redis
from shared.clients.ai.asking import ProviderFailed

KEPT_SECONDS: Final = 24 * 3600
# A trial takes as long as a call may; whoever makes it and dies lets the next one try after that.
TRIAL_SECONDS: Final = 60
TOLD_SECONDS: Final = 1.0

_decoder = msgspec.json.Decoder(Circuit)
# As each was when it was last read or changed here.
_own: dict[str, Circuit] = {}
_lock = Lock()
_untold: dict[str, list[int]] = defaultdict(list)
_told_at: dict[str, float] = {}

Now = Callable[[], float]


def read(providers: Sequence[str]) -> dict[str, Circuit]:
    """The circuits, in one round trip."""
    keys = [_key(provider) for provider in providers]
    found = redis.try_call(lambda r: r.mget(*keys)) if keys else []
    if found is None:
        return {provider: _own.get(provider, Circuit()) for provider in providers}
    return {provider: _read(text) for provider, text in zip(providers, found, strict=True)}


def wait_of(provider: str, now: Now = time.time) -> float | None:
    """None where the provider may be asked now, else the seconds until it may.

    Of all that would ask a half-open one, the first is told None, and is the trial.
    """
    # Those who ask in one moment share what one of them reads.
    circuit, moment = _reading(provider).read(lambda: read([provider])[provider]), now()
    _own[provider] = circuit
    if (wait := circuit_rules.wait_seconds(circuit, moment)) > 0:
        return wait
    if circuit_rules.state(circuit, moment) == "half_open" and not _take_trial(provider):
        return float(TRIAL_SECONDS)
    return None


def held_against(provider: str) -> Circuit:
    """What this process last heard that is held against a provider; no round trip."""
    return msgspec.structs.replace(_own.get(provider, Circuit()), samples=())


def succeeded(provider: str, latency_ms: int, now: Now = time.time) -> None:
    """Tells all that a call was answered; where all is well, with others and a little later."""
    latencies = _due(provider, latency_ms)

    def change(circuit: Circuit, _: float) -> Circuit:
        for each in latencies:
            circuit = circuit_rules.after_success(circuit, each)
        return circuit

    if latencies:
        _change(provider, change, now())


def _due(provider: str, latency_ms: int) -> list[int]:
    """What is to be told now, of this call and those before."""
    known, moment = _own.get(provider), time.monotonic()
    is_well = known is not None and known == Circuit(samples=known.samples)
    with _lock:
        _untold[provider].append(latency_ms)
        if is_well and moment - _told_at.get(provider, -TOLD_SECONDS) < TOLD_SECONDS:
            return []
        _told_at[provider] = moment
        return _untold.pop(provider)


def failed(provider: str, failure: ProviderFailed, latency_ms: int, now: Now = time.time) -> None:
    """Tells all that a call failed."""
    _change(
        provider,
        lambda circuit, moment: circuit_rules.after_failure(
            circuit, failure.kind, failure.wait_seconds, latency_ms, moment
        ),
        now(),
    )


def forget(provider: str) -> None:
    """Closes the circuit, after a new key: what was held against the old one is void."""
    _own.pop(provider, None)
    _untold.pop(provider, None)
    redis.try_call(lambda r: r.delete(_key(provider), _trial_key(provider)), even_if_resting=True)


def _change(provider: str, change: Callable[[Circuit, float], Circuit], moment: float) -> None:
    # Read as late as possible: other instances report on the same provider.
    before = read([provider])[provider]
    changed = change(before, moment)
    _own[provider] = changed
    text = msgspec.json.encode(changed).decode()
    redis.try_call(lambda r: r.set(_key(provider), text, ex=KEPT_SECONDS))
    if circuit_rules.state(before, moment) == "half_open":
        # A late report of another call must not free the place of a trial under way.
        redis.try_call(lambda r: r.delete(_trial_key(provider)))


@cache
def _reading(provider: str) -> SharedReading[Circuit]:  # noqa: ARG001
    return SharedReading()


def _take_trial(provider: str) -> bool:
    taken = redis.try_call(lambda r: (r.set(_trial_key(provider), "1", nx=True, ex=TRIAL_SECONDS),))
    # Without Redis every instance tries for itself.
    return taken is None or bool(taken[0])


def _read(text: str | None) -> Circuit:
    if text is None:
        return Circuit()
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        # Of an older version of the product, perhaps.
        return Circuit()


def _key(provider: str) -> str:
    return f"ai:circuit:{provider}"


def _trial_key(provider: str) -> str:
    return f"ai:trial:{provider}"
