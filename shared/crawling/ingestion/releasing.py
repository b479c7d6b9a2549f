"""A person's word on a quarantined price: released it becomes one, discarded it never does."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.crawling.ingestion import judging, pages, progress, quarantine
from shared.crawling.ingestion.models import Held
from shared.crawling.ingestion.quarantine import Quarantined
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, DependencyError, NotFound
from shared.products import catalogue, price_changes
from shared.products.models import from_document
from shared.products.proposal_judging import Judge
from shared.system import audit, configuration

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

Decision = Literal["release", "discard"]
_STAGES: dict[Decision, Held] = {"release": "released", "discard": "discarded"}


def decide(entry_id: str, decision: Decision, by: Actor, clock: Clock = utc_now) -> Quarantined:
    """The decided entry, the same again being no change.

    Raises NotFound, or Conflict where the opposite was decided or nobody can stand for the price.
    """
    judge = Judge(configuration.current().configuration)
    committed: Any = None

    def run(transaction: "Transaction") -> tuple[Quarantined, pages.Done | None]:
        nonlocal committed
        committed = transaction
        entry = _read(transaction, entry_id)
        stage = _STAGES[decision]
        if entry.status == stage:
            return entry, None
        if entry.status != "open":
            raise Conflict(f"This price was {entry.status} already.")
        now = clock()
        done = None
        if decision == "release":
            _check(transaction, entry)
            crawl = _crawl(transaction, entry, by)
            done = pages.take_in(transaction, crawl, [entry.found], judge, now)
        decided = msgspec.structs.replace(
            entry, status=stage, decided_by=by.uid, decided_at=now, version=entry.version + 1
        )
        transaction.set(quarantine.reference(entry_id), quarantine.to_document(decided))
        before, after = {"status": "open"}, {"status": stage, "product_id": entry.product_id}
        transaction.create(*audit.entry(by, f"{quarantine.COLLECTION}/{entry_id}", before, after))
        return decided, done

    decided, done = firestore.in_transaction(run)
    if done is not None:
        _follow(done, epoch_micros(committed.commit_time))
    return decided


def _crawl(transaction: "Transaction", entry: Quarantined, by: Actor) -> pages.Crawl:
    """The row's crawl, so that its price has the very moment that it was seen at.

    A person who stands for a price says that it was true then: what a younger crawl saw is newer.
    """
    category = entry.offer.category
    since = entry.crawled_at
    return pages.Crawl(
        job_id=entry.job_id,
        retailer=entry.retailer,
        category=category,
        seen_at=since,
        by=by,
        factor=0,
        late=progress.overtaken(entry.job_id, entry.retailer, category, since, transaction),
        trusted=True,
    )


def _follow(done: pages.Done, commit_micros: int) -> None:
    if done.touched:
        cache.bump("products", commit_micros)
    if done.debt is not None:
        # No product was written whose event would ask for it; else the sweep does.
        with suppress(DependencyError):
            price_changes.request(done.debt, done.debt)


def _check(transaction: "Transaction", entry: Quarantined) -> None:
    """Raises Conflict where the price cannot become one."""
    if reason := judging.unstorable(entry.offer.price_minor, entry.offer.currency):
        raise Conflict(f"The price {reason}, so it can only be discarded.")
    if entry.product_id is None:
        return
    snapshot = catalogue.reference(entry.product_id).get(
        transaction=transaction, **firestore.limits()
    )
    fields = snapshot.to_dict()
    if fields is None or not from_document(entry.product_id, fields).known:
        raise Conflict("The product was removed or rejected, so its price can only be discarded.")


def _read(transaction: "Transaction", entry_id: str) -> Quarantined:
    document = quarantine.reference(entry_id)
    fields = document.get(transaction=transaction, **firestore.limits()).to_dict()
    if fields is None:
        raise NotFound("There is no such price, or it was removed for its age.")
    return quarantine.from_document(entry_id, fields)
