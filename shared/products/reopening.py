"""Takes decisions on duplicates back: the pairs are again what the matcher makes of them."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import DependencyError
from shared.products import (
    catalogue,
    decisions,
    match_models,
    outbox,
    pairs,
    postings,
    reacting,
)
from shared.products.duplicate_schemas import Reopen, ReopenedCount
from shared.products.matching import Offer
from shared.products.models import Product
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

# One call each, while somebody waits: the sweep has the rest of so many matched.
MOST_REQUESTED: Final = 40


def reopen(wanted: Reopen, by: Actor, clock: Clock = utc_now) -> ReopenedCount:
    """How many decisions this takes back; a pair that nobody decided is none.

    Raises Conflict where others decide. Each pair is listed again, if it still is one; both
    products are matched anew, which has the last word: it knows what else competes.
    """
    both = {pairs.pair_id(a, b): tuple(sorted((a, b))) for a, b in wanted.pairs}
    committed: Any = None
    owed: list[str] = []

    def write(transaction: "Transaction") -> int:
        nonlocal committed
        committed = transaction
        words = _decided(transaction, both)
        known = catalogue.read_several({each for pair_id in words for each in both[pair_id]})
        offers = {pid: postings.offer_of(each) for pid, each in known.items() if each.listed}
        links = pairs.Links()
        for a, b in (both[pair_id] for pair_id in words):
            decisions.forget(transaction, links, a, b)
            _match(transaction, links, offers.get(a), offers.get(b), (a, b))
        if links.store(transaction):
            transaction.create(*audit.entry(by, decisions.COLLECTION, words, None, clock))
        owed[:] = _owe(transaction, known.values())
        return len(words)

    count = firestore.in_transaction(write)
    if count:
        _follow(owed, epoch_micros(committed.commit_time))
    return ReopenedCount(count)


def _owe(transaction: "Transaction", products: Iterable[Product]) -> list[str]:
    owed = list(products)
    for product in owed:
        entry = outbox.fields("product", product.id, product.version)
        transaction.set(outbox.document("product", product.id), entry)
    return [product.id for product in owed]


def _follow(owed: list[str], commit_micros: int) -> None:
    cache.bump("products", commit_micros)
    try:
        for product_id in owed[:MOST_REQUESTED]:
            reacting.request_follow(product_id, f"{product_id}-{commit_micros}")
    except DependencyError as error:
        log.warning("Left to the sweep", extra={"context": {"error": error.detail}})


def _decided(transaction: "Transaction", both: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """What was said of those pairs of which something was said."""
    references = [decisions.reference(a, b) for a, b in both.values()]
    found = firestore.existing(references, transaction)
    return {s.id: "same" if s.get("same") else "different" for s in found}


def _match(
    transaction: "Transaction",
    links: pairs.Links,
    a: Offer | None,
    b: Offer | None,
    pair: tuple[str, ...],
) -> None:
    match = match_models.current().compare(a, b) if a and b else None
    if a and b and match and match.same(pairs.lowest()):
        pairs.write(transaction, links, a, b, pairs.fields(a, b, match))
    else:
        pairs.remove(transaction, links, *pair)
