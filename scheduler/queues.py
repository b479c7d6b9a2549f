"""The queues of Cloud Tasks, declared once."""

import msgspec

from shared.edge.attempts import ATTEMPTS


class Queue(msgspec.Struct, frozen=True):
    """A queue: how fast it sends, how many at once, and how long it keeps trying."""

    name: str
    dispatches_per_second: float
    concurrent_dispatches: int
    attempts: int
    min_backoff_seconds: float = 1
    max_backoff_seconds: float = 300
    max_doublings: int = 8
    paused: bool = False

    @classmethod
    def declared(
        cls,
        name: str,
        *,
        dispatches_per_second: float,
        concurrent_dispatches: int,
        max_backoff_seconds: float = 300,
    ) -> "Queue":
        """A queue of this product, which tries as often as its tasks are told."""
        return cls(
            name,
            dispatches_per_second,
            concurrent_dispatches,
            ATTEMPTS[name],
            max_backoff_seconds=max_backoff_seconds,
        )


# With pauses from 1 s to 300 s, 30 attempts outlast an outage of nearly two hours; what is still
# undone then waits in the outbox for the sweep.
QUEUES = (
    # One task per changed product: many, short, and each a few reads by id. Few at once, since an
    # upload's thousand must leave room for the recounts and for people.
    Queue.declared("matching", dispatches_per_second=50, concurrent_dispatches=6),
    # Debounced recounts that write one document: in parallel they would only contend for it.
    Queue.declared("statistics", dispatches_per_second=2, concurrent_dispatches=1),
    # Parts of bulk files: large and slow. A file that fails ten times is a permanent failure.
    Queue.declared("uploads", dispatches_per_second=5, concurrent_dispatches=4),
    # Whole catalogues are read for an export, so few at once; somebody is waiting for the result.
    Queue.declared(
        "exports",
        dispatches_per_second=1,
        concurrent_dispatches=2,
        max_backoff_seconds=60,
    ),
    # Changed prices, a hundred months in a task: these meet in the same few documents, so two at
    # once are enough.
    Queue.declared("prices", dispatches_per_second=10, concurrent_dispatches=2),
    # What a change of a user's rights still owes, and the erasing of users: rare, so a pause of a
    # minute at most is better than sparing whoever is asked.
    Queue.declared(
        "users", dispatches_per_second=5, concurrent_dispatches=2, max_backoff_seconds=60
    ),
    # Slack takes about one message a second, and mail servers few; what is slow must not hold up
    # the others.
    Queue.declared("notifications", dispatches_per_second=2, concurrent_dispatches=4),
    # Slots of crawl schedules: few and short, and each is to begin within the minute.
    Queue.declared(
        "schedules", dispatches_per_second=10, concurrent_dispatches=10, max_backoff_seconds=30
    ),
    # Pods to start: few, and somebody waits, so a cluster that is busy is asked again soon.
    Queue.declared(
        "crawls", dispatches_per_second=5, concurrent_dispatches=4, max_backoff_seconds=30
    ),
    # Blocks of the whole catalogue: nobody waits, and the products that people write come first.
    Queue.declared("rematching", dispatches_per_second=5, concurrent_dispatches=3),
    # Each is a call or two to a provider, who limits how many it takes; a worker that was killed
    # is replaced within a minute.
    Queue.declared(
        "classification",
        dispatches_per_second=10,
        concurrent_dispatches=8,
        max_backoff_seconds=60,
    ),
    # Results of crawls, a few thousand rows in a task: what they write has its own consequences in
    # the queues above, which two at once keep busy.
    Queue.declared("ingestion", dispatches_per_second=1, concurrent_dispatches=2),
)

# Queues that this product once had. Google keeps a deleted queue's name unusable for days.
RETIRED: tuple[str, ...] = ()
