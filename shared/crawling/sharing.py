"""Who asks a host at present: together pods keep to its pace, and to the rests it asks for.

A pod knows its own turns only. Told how many there are, each waits so many times as long. A host
is one document, read with each report and written when a pod comes, goes or says something new.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.crawling import hosts, retailers
from shared.crawling.hosts import MOST_HOSTS, HostShare, HostState, HostWord, PodThere
from shared.crawling.models import CrawlJob
from shared.errors import Conflict, DependencyError, NotFound

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

log = logging.getLogger(__name__)

COLLECTION: Final = "crawl_hosts"
# A pod that is silent for so many of its leases is gone.
LEASES: Final = 2
Step = Callable[[HostState, HostWord], HostState]


class Speaker(msgspec.Struct, frozen=True):
    """The crawl whose pod speaks, when it does, and how long it may be silent."""

    job_id: str
    now: datetime
    lease_seconds: float

    @property
    def _lasting(self) -> timedelta:
        return timedelta(seconds=LEASES * self.lease_seconds)

    def joins(self, state: HostState, word: HostWord) -> HostState:
        """As hosts says."""
        return hosts.joined(state, self.job_id, word, self.now, self._lasting)

    def says(self, state: HostState, word: HostWord) -> HostState:
        """As hosts says."""
        return hosts.heard(state, self.job_id, word, self.now, self._lasting)

    def leaves(self, state: HostState, word: HostWord) -> HostState:
        """As hosts says, with its last word."""
        return hosts.left(self.says(state, word), self.job_id)


def told(words: Sequence[HostWord], step: Step, job_id: str, now: datetime) -> dict[str, HostShare]:
    """What `step` makes of each host, for the job's pod: a read each, and a write where it is new.

    What cannot be read or written is left out: a report is not to fail by it.
    """
    wanted = {reference(word.host): word for word in words[:MOST_HOSTS]}
    if not wanted:
        return {}
    try:
        with firestore.errors_mapped():
            found = list(firestore.client().get_all(list(wanted), **firestore.limits()))
        states = {s.reference: _state(s.to_dict()) for s in found}
        return {
            word.host: _stepped(at, states.get(at, HostState()), word, step, now).share(now, job_id)
            for at, word in wanted.items()
        }
    except (Conflict, DependencyError) as error:
        log.warning("Hosts cannot be shared", extra={"context": {"error": error.detail}})
        return {}


def forget(job: CrawlJob, now: datetime) -> None:
    """Takes a pod that was lost from the hosts of its recipe: the others need not wait for it."""
    try:
        recipe = retailers.recipe(job.retailer)
    except NotFound:
        return
    words = hosts.words_of(recipe.start_urls.get(job.category, []), 0.0)
    told(words, lambda state, _: hosts.left(state, job.id), job.id, now)


def reference(host: str) -> "DocumentReference":
    """Where a host is stored."""
    name = hashlib.sha256(host.encode()).hexdigest()[:32]
    return firestore.client().collection(COLLECTION).document(name)


def _stepped(
    at: "DocumentReference", known: HostState, word: HostWord, step: Step, now: datetime
) -> HostState:
    if step(known, word) == known:
        return known

    def run(transaction: "Transaction") -> HostState:
        snapshot = at.get(transaction=transaction, **firestore.limits())
        before = _state(snapshot.to_dict())
        after = step(before, word)
        if after == before:
            return after
        if after.over(now):
            transaction.delete(at)
        else:
            transaction.set(at, {"host": word.host, **_fields(after)})
        return after

    return firestore.in_transaction(run)


def _state(fields: dict[str, Any] | None) -> HostState:
    if not fields:
        return HostState()
    pods = {
        name: PodThere(_plain(each["until"]), each["delay_seconds"])
        for name, each in fields["pods"].items()
    }
    until = fields["rests_until"]
    return HostState(pods, _plain(until) if until else None)


def _plain(moment: datetime) -> datetime:
    """Without what the client's own subclass of datetime adds."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _fields(state: HostState) -> dict[str, Any]:
    return {
        "rests_until": state.rests_until,
        "pods": {name: msgspec.structs.asdict(each) for name, each in state.pods.items()},
    }
