"""A host's pace, kept together by all who crawl it, whatever retailer they crawl it for; pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

# The hosts of one crawl: no category has more start pages.
MOST_HOSTS: Final = 20
MOST_PODS: Final = 100
# As long as a crawl may take: a host that wants to be asked less often is asked once.
LONGEST_DELAY_SECONDS: Final = 6 * 3600.0
LONGEST_REST_SECONDS: Final = 3600.0
# Rests that end together are told once.
_SAME: Final = timedelta(seconds=1)
_MOST_CHARS: Final = 300
_USUAL_PORTS: Final = {"http": 80, "https": 443}

Host = Annotated[str, Meta(min_length=1, max_length=_MOST_CHARS)]
DelaySeconds = Annotated[float, Meta(ge=0, le=LONGEST_DELAY_SECONDS)]
RestSeconds = Annotated[float, Meta(ge=0, le=LONGEST_REST_SECONDS)]


class HostWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pod says of a host: the delay that it keeps, and the rest that it was asked for.

    The delay is the longer one of the recipe's and of robots.txt's.
    """

    host: Host
    delay_seconds: DelaySeconds = 0.0
    rest_seconds: RestSeconds = 0.0


class HostShare(msgspec.Struct, frozen=True):
    """What a pod has to know of a host: so many ask it, none more often, none before its rest.

    Their turns go round, each a delay behind the one before; this pod's begins in `turn_seconds`.
    """

    pods: int = 1
    delay_seconds: float = 0.0
    rest_seconds: float = 0.0
    turn_seconds: float = 0.0


class PodThere(msgspec.Struct, frozen=True):
    """A pod that asks a host; beyond `until` it counts as gone."""

    until: datetime
    delay_seconds: float


class HostState(msgspec.Struct, frozen=True):
    """Who asks a host at present, by job, and until when it wants to be left alone."""

    pods: dict[str, PodThere] = {}
    rests_until: datetime | None = None

    def share(self, now: datetime, job_id: str) -> HostShare:
        """What the pod of this job has to know."""
        there = sorted(name for name, each in self.pods.items() if each.until > now)
        left = (self.rests_until - now).total_seconds() if self.rests_until else 0.0
        delay = max((self.pods[name].delay_seconds for name in there), default=0.0)
        turn = 0.0
        if delay and job_id in there:
            # By the product's clock alone: those of pods agree on nothing.
            turn = (there.index(job_id) * delay - now.timestamp()) % (len(there) * delay)
        return HostShare(max(len(there), 1), delay, max(left, 0.0), turn)

    def over(self, now: datetime) -> bool:
        """Whether nobody has to know of this host any more."""
        resting = self.rests_until is not None and self.rests_until > now
        return not resting and all(each.until <= now for each in self.pods.values())


def joined(
    state: HostState, job_id: str, word: HostWord, now: datetime, lasting: timedelta
) -> HostState:
    """With a pod that is about to ask; where there are too many already, without."""
    there = {name: each for name, each in state.pods.items() if each.until > now}
    if job_id in there or len(there) < MOST_PODS:
        there[job_id] = PodThere(now + lasting, word.delay_seconds)
    return HostState(there, state.rests_until)


def heard(
    state: HostState, job_id: str, word: HostWord, now: datetime, lasting: timedelta
) -> HostState:
    """After a pod's word; itself where that says nothing new.

    Who did not join is not heard: whoever takes a pod over must not speak for other sites.
    """
    known = state.pods.get(job_id)
    if known is None:
        return state
    if known.until - now < lasting / 2 or known.delay_seconds != word.delay_seconds:
        there = {**state.pods, job_id: PodThere(now + lasting, word.delay_seconds)}
        state = HostState(there, state.rests_until)
    until = now + timedelta(seconds=word.rest_seconds)
    if word.rest_seconds and until - (state.rests_until or now) > _SAME:
        state = HostState(state.pods, until)
    return state


def left(state: HostState, job_id: str) -> HostState:
    """Without a pod that has ended."""
    there = {name: each for name, each in state.pods.items() if name != job_id}
    return HostState(there, state.rests_until) if job_id in state.pods else state


def host_of(url: str) -> str:
    """Host and port in one form, without the port that its scheme means; raises ValueError."""
    parts = urlsplit(url)
    name = (parts.hostname or "").rstrip(".")
    name = f"[{name}]" if ":" in name else name
    port = parts.port
    return name if port in (None, _USUAL_PORTS.get(parts.scheme)) else f"{name}:{port}"


def words_of(start_urls: Iterable[str], delay_seconds: float) -> list[HostWord]:
    """A crawl's hosts, as its recipe names them; addresses that cannot be read name none."""
    found: dict[str, HostWord] = {}
    for url in start_urls:
        try:
            host = host_of(url)
        except ValueError:
            continue
        if host and len(host) <= _MOST_CHARS:
            found[host] = HostWord(host, delay_seconds)
    return list(found.values())[:MOST_HOSTS]
