"""When a provider is left alone: the rules of its circuit, which know no clock and no Redis.

Closed, it is asked. After some failures in a row it opens and is left alone for a while, longer
each time; then one call, the trial, says whether it closes. A provider that asks to be left alone
(429) is, for as long as it says, and that is no failure. What becomes of a call that began before
says nothing of what came after it. Moments are seconds since the epoch.
"""

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from shared.clients.ai.asking import FailureKind

State = Literal["closed", "open", "half_open"]
FAILURES_TO_OPEN: Final = 3
FIRST_REST_SECONDS: Final = 30.0
LONGEST_REST_SECONDS: Final = 600.0
# No call is answered before somebody sets another key, pays, or names another model.
SOMEBODY_ACTS_SECONDS: Final = 600.0
REMEMBERED: Final = 20
_FOR_SOMEBODY: "Final[tuple[FailureKind, ...]]" = ("bad_key", "no_service")
# These say nothing of the provider's health: the next product may fare better.
_HARMLESS: "Final[tuple[FailureKind, ...]]" = ("refused", "bad_output")


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """How one call went."""

    latency_ms: int
    ok: bool


class Report(msgspec.Struct, frozen=True):
    """When a call began, and how long it took."""

    began: float
    latency_ms: int


class Circuit(msgspec.Struct, frozen=True):
    """What is known of a provider; `open_until` is 0 where it was not opened.

    `held_since` is when something was last held against it that calls from then on cannot wipe.
    """

    failures: Annotated[int, Meta(ge=0)] = 0
    openings: Annotated[int, Meta(ge=0)] = 0
    open_until: float = 0.0
    quiet_until: float = 0.0
    held_since: float = 0.0
    reason: str = ""
    samples: tuple[Sample, ...] = ()


def state(circuit: Circuit, now: float) -> State:
    """What holds at `now`; half open is the moment for the one trial."""
    if circuit.open_until > now:
        return "open"
    return "half_open" if circuit.open_until else "closed"


def wait_seconds(circuit: Circuit, now: float) -> float:
    """How long nobody may ask, by an open circuit or the provider's own wish; 0 if it may be."""
    return max(0.0, circuit.open_until - now, circuit.quiet_until - now)


def is_well(circuit: Circuit) -> bool:
    """Whether nothing is held against it."""
    return not (circuit.failures or circuit.open_until or circuit.quiet_until)


def after_success(circuit: Circuit, report: Report, now: float) -> Circuit:
    """Closed by a call that may know of what is held against it; its own wish stands."""
    known = _with(circuit, Sample(report.latency_ms, ok=True))
    return known if report.began < circuit.held_since else _answering(known, now)


def after_failure(
    circuit: Circuit, kind: "FailureKind", wait: float, report: Report, now: float
) -> Circuit:
    """One failure more, which may open it; `wait` is what the provider asks for."""
    known = _with(circuit, Sample(report.latency_ms, ok=False))
    if report.began < circuit.held_since or circuit.open_until > now:
        # Of a call that was under way when it opened: one blip is no row of failed trials.
        # But of several that are told to wait, whoever is told the most is heard.
        is_wish = kind == "rate_limited" and not circuit.open_until
        return _quiet(known, wait, now) if is_wish else known
    if kind == "rate_limited":
        # A trial that is put off has shown that the provider answers.
        return _quiet(_answering(known, now), wait, now)
    if kind in _HARMLESS:
        return _answering(known, now)
    failures = circuit.failures + 1
    changed = msgspec.structs.replace(known, failures=failures, reason=kind)
    if kind in _FOR_SOMEBODY:
        return _opened(changed, now, SOMEBODY_ACTS_SECONDS)
    if circuit.open_until or failures >= FAILURES_TO_OPEN:
        rest = FIRST_REST_SECONDS * 2.0 ** min(circuit.openings, 10)
        return _opened(changed, now, min(rest, LONGEST_REST_SECONDS))
    return changed


def latency_ms(circuit: Circuit) -> int | None:
    """The median of the last calls that were answered."""
    times = sorted(sample.latency_ms for sample in circuit.samples if sample.ok)
    return times[len(times) // 2] if times else None


def error_percent(circuit: Circuit) -> int | None:
    """How many of the last calls failed, in percent."""
    if not circuit.samples:
        return None
    failed = sum(not sample.ok for sample in circuit.samples)
    return round(100 * failed / len(circuit.samples))


def _answering(circuit: Circuit, now: float) -> Circuit:
    """It is there, so nothing is held against it but what it asked for itself."""
    is_quiet = circuit.quiet_until > now
    return Circuit(
        quiet_until=circuit.quiet_until if is_quiet else 0.0,
        held_since=circuit.held_since,
        reason=circuit.reason if is_quiet else "",
        samples=circuit.samples,
    )


def _quiet(circuit: Circuit, wait: float, now: float) -> Circuit:
    until = max(circuit.quiet_until, now + wait)
    return msgspec.structs.replace(
        circuit, quiet_until=until, held_since=now, reason="rate_limited"
    )


def _opened(circuit: Circuit, now: float, rest_seconds: float) -> Circuit:
    return msgspec.structs.replace(
        circuit, openings=circuit.openings + 1, open_until=now + rest_seconds, held_since=now
    )


def _with(circuit: Circuit, sample: Sample) -> Circuit:
    samples = (*circuit.samples, sample)[-REMEMBERED:]
    return msgspec.structs.replace(circuit, samples=samples)
