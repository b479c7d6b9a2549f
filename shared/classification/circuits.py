"""The circuit of each provider, shared by all instances through Redis.

Where Redis is away each instance goes on with what it knew. Two calls that end in the same moment
may count as one: the circuit then opens one failure later. What is answered while all is well is
told once a second: it changes nothing but the figures.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

import msgspec

from shared.classification import circuit_rules
from shared.classification.circuit_rules import Circuit, Report
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
_readings: dict[str, SharedReading[Circuit]] = defaultdict(SharedReading)
_lock = Lock()
_untold: dict[str, list[Report]] = defaultdict(list)
_told_at: dict[str, float] = {}
# Whoever made a trial for longer than it may be made has no place to give back.
_GIVE_BACK: Final = """
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0
"""

Now = Callable[[], float]


class Permit(msgspec.Struct, frozen=True):
    """That a provider may be asked once; `trial` is the token of who makes the trial.

    With `needs_trial` all may be made ready for the call, which is still to be let.
    """

    provider: str
    began: float
    trial: str = ""
    needs_trial: bool = False


class LeftAlone(Exception):
    """Nobody may ask the provider for so many seconds."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(wait_seconds)
        self.wait_seconds = wait_seconds


def read(providers: Sequence[str]) -> dict[str, Circuit]:
    """The circuits, in one round trip."""
    keys = [_key(provider) for provider in providers]
    found = redis.try_call(lambda r: r.mget(*keys)) if keys else []
    if found is None:
        return {provider: _own.get(provider, Circuit()) for provider in providers}
    return {provider: _read(text) for provider, text in zip(providers, found, strict=True)}


def permit(provider: str, now: Now = time.time, *, has_place: bool = True) -> Permit:
    """What lets one call be made, to be reported and given back; raises LeftAlone.

    Of all that would ask a half-open one, the first is let, and is the trial. Who has no place yet
    is not, so that no trial lasts longer than a call: `renewed` says whether he is.
    """
    # Before the look, so that whatever is held against it since is of a moment after.
    moment = now()
    # Those who ask in one moment share what one of them reads.
    circuit = _readings[provider].read(lambda: read([provider])[provider])
    _heard(provider, circuit)
    if (wait := circuit_rules.wait_seconds(circuit, moment)) > 0:
        raise LeftAlone(wait)
    if circuit_rules.state(circuit, moment) != "half_open":
        return Permit(provider, moment)
    if not has_place:
        return Permit(provider, moment, needs_trial=True)
    token = secrets.token_hex(8)
    if not _take_trial(provider, token):
        raise LeftAlone(float(TRIAL_SECONDS))
    return Permit(provider, moment, token)


def renewed(held: Permit, now: Now = time.time) -> Permit:
    """The same, unless something was held against the provider since; raises LeftAlone.

    No round trip where this process has heard of nothing, and no trial is to be made.
    """
    is_as_it_was = _own.get(held.provider, Circuit()).held_since <= held.began
    if is_as_it_was and not held.needs_trial:
        return held
    give_back(held)
    return permit(held.provider, now)


def permit_of_somebody(provider: str, now: Now = time.time) -> Permit:
    """The permit of who asks whatever the circuit says, such as a person who tries a key."""
    return Permit(provider, now())


def give_back(permit: Permit) -> None:
    """Lets another make the trial; nothing where this was none."""
    if permit.trial:
        key = _trial_key(permit.provider)
        redis.try_call(lambda r: r.eval(_GIVE_BACK, keys=[key], args=[permit.trial]))


def succeeded(permit: Permit, latency_ms: int, now: Now = time.time) -> None:
    """Tells all that a call was answered; where all is well, with others and a little later."""
    reports = _due(permit, latency_ms)

    def change(circuit: Circuit, moment: float) -> Circuit:
        for each in reports:
            circuit = circuit_rules.after_success(circuit, each, moment)
        return circuit

    if reports:
        _change(permit.provider, change, now())


def _due(permit: Permit, latency_ms: int) -> list[Report]:
    """What is to be told now, of this call and those before."""
    provider = permit.provider
    known, moment = _own.get(provider), time.monotonic()
    is_well = known is not None and circuit_rules.is_well(known)
    with _lock:
        _untold[provider].append(Report(permit.began, latency_ms))
        if is_well and moment - _told_at.get(provider, -TOLD_SECONDS) < TOLD_SECONDS:
            return []
        _told_at[provider] = moment
        return _untold.pop(provider)


def failed(permit: Permit, failure: ProviderFailed, latency_ms: int, now: Now = time.time) -> None:
    """Tells all that a call failed."""
    report = Report(permit.began, latency_ms)
    _change(
        permit.provider,
        lambda circuit, moment: circuit_rules.after_failure(
            circuit, failure.kind, failure.wait_seconds, report, moment
        ),
        now(),
    )


def forget(provider: str, now: Now = time.time) -> None:
    """Closes the circuit, after a new key: what was held against the old one is void.

    So is what becomes of the calls that are under way with it.
    """
    _own.pop(provider, None)
    _untold.pop(provider, None)
    text = _text(Circuit(held_since=now()))
    redis.try_call(
        lambda r: (r.delete(_trial_key(provider)), r.set(_key(provider), text, ex=KEPT_SECONDS)),
        even_if_resting=True,
    )


def _heard(provider: str, read: Circuit) -> None:
    with _lock:
        known = _own.get(provider)
        # A reading may have begun before what was changed here meanwhile, and may end after it.
        if known is None or read.held_since >= known.held_since:
            _own[provider] = read


def _change(provider: str, change: Callable[[Circuit, float], Circuit], moment: float) -> None:
    # Read as late as possible: other instances report on the same provider.
    changed = change(read([provider])[provider], moment)
    with _lock:
        _own[provider] = changed
    redis.try_call(lambda r: r.set(_key(provider), _text(changed), ex=KEPT_SECONDS))


def _text(circuit: Circuit) -> str:
    return msgspec.json.encode(circuit).decode()


def _take_trial(provider: str, token: str) -> bool:
    taken = redis.try_call(
        lambda r: (r.set(_trial_key(provider), token, nx=True, ex=TRIAL_SECONDS),)
    )
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
