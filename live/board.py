"""What all sockets share: the newest state of each crawl, and who wants to hear of it.

All of it happens in one event loop, so nothing here is locked. A socket that takes its messages
slowly holds the newest state of each crawl that it wants, and nothing older.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from shared.edge.request import Session

# A state that arrives late must not bring an ended crawl back.
ENDED_REMEMBERED: Final = 1_000


class State(msgspec.Struct, frozen=True):
    """One crawl's status object as it is sent, and whether it is the last."""

    job_id: str
    text: str
    ended: bool


class Outbox:
    """One socket's wishes and what waits for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.ending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked = 0
        self._everything = False
        self._wanted: set[str] = set()
        self._waiting: OrderedDict[str, str] = OrderedDict()
        self._filled = asyncio.Event()
        self._asked = False

    @property
    def waiting(self) -> int:
        """How many messages wait to be sent."""
        return len(self._waiting)

    @property
    def done(self) -> bool:
        """Whether all that was asked for has ended and was taken."""
        nothing_left = not self._wanted and not self._waiting
        return self._asked and not self._everything and nothing_left

    def want(self, job_ids: Iterable[str] | None) -> None:
        """From now on hear of these crawls, or (None) of all that go on; adds to earlier wishes."""
        self._asked = True
        if job_ids is None:
            self._everything = True
        else:
            self._wanted.update(job_ids)

    def wants(self, job_id: str) -> bool:
        """Whether a state of this crawl is for this socket."""
        return self._everything or job_id in self._wanted

    def offer(self, state: State) -> None:
        """Take a state, in the place of an older one that was not sent yet."""
        if not self.wants(state.job_id):
            return
        if state.ended:
            self._wanted.discard(state.job_id)
        self._waiting[state.job_id] = state.text
        self._filled.set()

    def refuse(self, job_id: str, text: str) -> None:
        """Say that there is no such crawl, and no longer wait for it."""
        self._wanted.discard(job_id)
        self._waiting[job_id] = text
        self._filled.set()

    def end(self, reason: str) -> None:
        """Have the socket closed."""
        if not self.ending.done():
            self.ending.set_result(reason)

    async def take(self) -> str:
        """The next message, once there is one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popitem(last=False)[1]


class Board:
    """The crawls that go on, each with its newest state, and every socket's outbox."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._outboxes: set[Outbox] = set()
        self._revoked: frozenset[str] = frozenset()

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self._outboxes)

    def sockets_of(self, uid: str) -> int:
        """How many of them are one user's."""
        return sum(each.session.uid == uid for each in self._outboxes)

    def open(self, session: Session) -> Outbox:
        """A new socket's outbox, which ends at once if its session has."""
        outbox = Outbox(session)
        self._outboxes.add(outbox)
        if session.id in self._revoked:
            outbox.end("The session has ended.")
        return outbox

    def close(self, outbox: Outbox) -> None:
        """Forget a socket."""
        self._outboxes.discard(outbox)

    def subscribe(self, outbox: Outbox, job_ids: Iterable[str] | None) -> list[str]:
        """Offer what is known; the ids of which nothing is, to be read."""
        wanted = None if job_ids is None else list(dict.fromkeys(job_ids))
        outbox.want(wanted)
        if wanted is None:
            for state in self._states.values():
                outbox.offer(state)
            return []
        for job_id in wanted:
            if job_id in self._states:
                outbox.offer(self._states[job_id])
        return [job_id for job_id in wanted if job_id not in self._states]

    def publish(self, state: State) -> None:
        """Offer a state to all who want it; one that comes after a crawl's end counts no more."""
        if state.job_id in self._ended or self._states.get(state.job_id) == state:
            return
        if state.ended:
            self._states.pop(state.job_id, None)
            self._ended[state.job_id] = None
            if len(self._ended) > ENDED_REMEMBERED:
                self._ended.popitem(last=False)
        else:
            self._states[state.job_id] = state
        for outbox in self._outboxes:
            outbox.offer(state)

    def answer(self, outbox: Outbox, state: State) -> None:
        """Offer what was read for one socket, unless something newer has come meanwhile."""
        if state.ended or state.job_id not in self._ended:
            outbox.offer(self._states.get(state.job_id, state))

    def missing_from(self, job_ids: Iterable[str]) -> list[str]:
        """The crawls on the board that are not among those that go on."""
        present = set(job_ids)
        return [job_id for job_id in self._states if job_id not in present]

    def drop(self, job_id: str) -> None:
        """Forget a crawl that was removed."""
        self._states.pop(job_id, None)

    def forget_states(self) -> None:
        """Forget every state: nobody listens any more."""
        self._states.clear()

    def revoke(self, session_ids: Iterable[str]) -> None:
        """End the sockets of these sessions, which are all that ended of late."""
        self._revoked = frozenset(session_ids)
        for outbox in self._outboxes:
            if outbox.session.id in self._revoked:
                outbox.end("The session has ended.")
