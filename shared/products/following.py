"""What follows a product's write: caches, statistics, posting lists, search and matches.

Everything is recomputed from the documents as they are now, so that events may come twice, late
or in any order. The order of steps matters once: a product stands in its posting lists before
it looks for others in them, so that of two products written at once at least one sees the other.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros
from shared.edge import cache
from shared.errors import DependencyError, DependencyUnavailable
from shared.products import (
    catalogue,
    outbox,
    pairs,
    postings,
    search_index,
    search_lists,
    statistics,
)
from shared.products.matching import DefaultMatcher, Match, Matcher, Offer, shortlist
from shared.products.models import Product, from_document

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Transaction

    _Found = dict[str, DocumentSnapshot[Any]]

# Of the posting lists' offers, the best by their copies are compared as they are now.
MAX_COMPARED: Final = 30
MAX_CANDIDATES: Final = 20


class _Published(msgspec.Struct, frozen=True):
    """The product as it stands in its posting lists, and what those lists hold beside it."""

    product: Product | None
    lists: postings.Postings
    commit_micros: int | None


def follow(product_id: str, matcher: Matcher | None = None) -> None:
    """Brings everything that hangs on the product up to date; raises to be called again."""
    matcher = matcher or DefaultMatcher()
    lowest = pairs.lowest()
    published = _publish(product_id, matcher)
    statistics.request_refresh()
    hindered = [_bump(published), _index(product_id)]
    search_lists.publish(product_id)
    failed = [error for error in hindered if error is not None]
    candidates = _candidates(published, matcher, lowest)
    _settle(product_id, candidates, matcher, lowest, paid=not failed)
    for error in failed:
        raise error


def _bump(published: _Published) -> DependencyError | None:
    """Makes up for a bump that the writer missed; what hinders it must not hinder the rest."""
    if published.commit_micros is not None:
        try:
            cache.ensure_bumped("products", published.commit_micros)
        except DependencyUnavailable as error:
            return error
    return None


def _index(product_id: str) -> DependencyError | None:
    """Tells the search engine; that it is away must not hinder the rest either."""
    try:
        search_index.publish(product_id)
    except DependencyError as error:
        return error
    return None


def _publish(product_id: str, matcher: Matcher) -> _Published:
    """Puts the product into the posting lists of its keys, and out of those it left."""
    written = False

    def write(transaction: "Transaction") -> _Published:
        nonlocal written
        found = _read(transaction, [catalogue.reference(product_id), pairs.state(product_id)])
        product = _known(product_id, found)
        offer = postings.offer_of(product) if product else None
        keys = matcher.keys(offer) if offer else ()
        addition = postings.added(offer) if offer else {}
        old_keys = tuple(_fields(found, pairs.STATES).get("keys", ()))
        lists = postings.read(keys)
        kept = [k for k in keys if offer and postings.has_room(lists.get(k, {}), offer)]
        if product is None or not product.listed:
            # What waits for approval looks for others, and is found by none.
            kept = []
        new = [k for k in kept if offer and lists.get(k, {}).get(product_id) != offer]
        gone = sorted(set(old_keys) - set(kept))
        for key in new:
            transaction.set(postings.reference(key), addition, merge=True)
        for key in gone:
            transaction.set(postings.reference(key), postings.removed(product_id), merge=True)
        if tuple(kept) != old_keys:
            transaction.set(pairs.state(product_id), {"keys": kept}, merge=True)
        written = bool(new)
        return _Published(product, lists, _commit_micros(found))

    published = firestore.in_transaction(write)
    if not written:
        return published
    return msgspec.structs.replace(published, lists=postings.read(published.lists))


def _candidates(published: _Published, matcher: Matcher, lowest: int) -> list[str]:
    if published.product is None:
        return []
    offer = postings.offer_of(published.product)
    others = {pid: o for entries in published.lists.values() for pid, o in entries.items()}
    others.pop(offer.id, None)
    likely = shortlist(offer, others.values(), MAX_COMPARED)
    judged = matcher.judge(offer, likely)
    scored = [(match.confidence, other_id) for other_id, match in judged.items()]
    best = sorted((pair for pair in scored if pair[0] >= lowest), reverse=True)
    return [pid for _, pid in best[:MAX_CANDIDATES]]


def _settle(
    product_id: str, candidates: list[str], matcher: Matcher, lowest: int, *, paid: bool
) -> None:
    """Writes the pairs as both products are now, and takes the debt off if all else is `paid`."""

    def write(transaction: "Transaction") -> None:
        own = [
            catalogue.reference(product_id),
            pairs.state(product_id),
            outbox.document("product", product_id),
        ]
        found = _read(transaction, own)
        product = _known(product_id, found)
        partners = _fields(found, pairs.STATES).get("partners", {})
        others = sorted({*candidates, *partners} - {product_id})
        offers, stored = _read_others(transaction, product_id, others)
        matches = _matches(product, offers, matcher, lowest)
        if product is not None and not product.listed:
            pairs.note(transaction, product_id, partners, matches)
        else:
            for other_id in others:
                pairs.write(transaction, product_id, other_id, matches.get(other_id), stored)
        if catalogue.COLLECTION not in found:
            transaction.delete(pairs.state(product_id))
        version = _fields(found, catalogue.COLLECTION).get("version", outbox.GONE)
        if paid and _fields(found, outbox.COLLECTION).get("version") == version:
            transaction.delete(outbox.document("product", product_id))

    firestore.in_transaction(write)


def _matches(
    product: Product | None, offers: dict[str, Offer], matcher: Matcher, lowest: int
) -> dict[str, Match]:
    if product is None:
        return {}
    offer = postings.offer_of(product)
    judged = matcher.judge(offer, list(offers.values()))
    return {other_id: match for other_id, match in judged.items() if match.same(lowest)}


def _read_others(
    transaction: "Transaction", product_id: str, others: list[str]
) -> tuple[dict[str, Offer], pairs.Stored]:
    references = [catalogue.reference(other) for other in others]
    references += [pairs.reference(product_id, other) for other in others]
    if not references:
        return {}, {}
    offers: dict[str, Offer] = {}
    stored: pairs.Stored = {}
    for snapshot in firestore.client().get_all(references, transaction=transaction):
        fields = snapshot.to_dict()
        if fields is None:
            continue
        if snapshot.reference.parent.id == pairs.COLLECTION:
            stored[snapshot.id] = fields
        elif fields["listed"]:
            offers[snapshot.id] = postings.offer_of(from_document(snapshot.id, fields))
    return offers, stored


def _read(transaction: "Transaction", references: list["DocumentReference"]) -> "_Found":
    """Documents of different collections, by collection."""
    found = firestore.client().get_all(references, transaction=transaction)
    return {s.reference.parent.id: s for s in found if s.exists}


def _fields(found: "_Found", collection: str) -> dict[str, Any]:
    return found[collection].to_dict() or {} if collection in found else {}


def _known(product_id: str, found: "_Found") -> Product | None:
    """The product, if it is listed or may yet be."""
    fields = _fields(found, catalogue.COLLECTION)
    product = from_document(product_id, fields) if fields else None
    return product if product and product.known else None


def _commit_micros(found: "_Found") -> int | None:
    product = found.get(catalogue.COLLECTION)
    return epoch_micros(product.update_time) if product else None
