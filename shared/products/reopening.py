"""Takes decisions on duplicates back: the pairs are again what the matcher makes of them."""

from typing import TYPE_CHECKING, Any

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.products import catalogue, decisions, match_models, pairs, postings
from shared.products.duplicate_schemas import Reopen, ReopenedCount
from shared.products.matching import Offer
from shared.products.models import from_document
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction


def reopen(wanted: Reopen, by: Actor, clock: Clock = utc_now) -> ReopenedCount:
    """How many decisions this takes back; a pair that nobody decided is none.

    Raises Conflict where others decide. Each pair is listed again, if it still is one; the next
    match of either product has the last word on how sure it is.
    """
    both = {pairs.pair_id(a, b): tuple(sorted((a, b))) for a, b in wanted.pairs}
    committed: Any = None

    def write(transaction: "Transaction") -> int:
        nonlocal committed
        committed = transaction
        words = _decided(transaction, both)
        offers = _listed(transaction, {each for pair_id in words for each in both[pair_id]})
        links = pairs.Links()
        for a, b in (both[pair_id] for pair_id in words):
            decisions.forget(transaction, links, a, b)
            _match(transaction, links, offers.get(a), offers.get(b), (a, b))
        if links.store(transaction):
            transaction.create(*audit.entry(by, decisions.COLLECTION, words, None, clock))
        return len(words)

    count = firestore.in_transaction(write)
    if count:
        cache.bump("products", epoch_micros(committed.commit_time))
    return ReopenedCount(count)


def _decided(transaction: "Transaction", both: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """What was said of those pairs of which something was said."""
    references = [decisions.reference(a, b) for a, b in both.values()]
    found = firestore.client().get_all(references, transaction=transaction, **firestore.limits())
    return {s.id: "same" if s.get("same") else "different" for s in found if s.exists}


def _listed(transaction: "Transaction", ids: set[str]) -> dict[str, Offer]:
    if not ids:
        return {}
    references = [catalogue.reference(each) for each in sorted(ids)]
    found = firestore.client().get_all(references, transaction=transaction, **firestore.limits())
    known = {s.id: s.to_dict() for s in found}
    return {
        product_id: postings.offer_of(from_document(product_id, fields))
        for product_id, fields in known.items()
        if fields is not None and fields["listed"]
    }


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
