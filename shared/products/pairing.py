"""Matching one product: into its posting lists, out to candidates, and the pairs that come of it.

What a product costs to match is bounded whatever the catalogue's size: three documents and at most
`MAX_KEYS` lists to publish it, those that it joins once more, and three documents and
`MAX_OTHERS` products to settle its pairs. Decisions, marks and confidences are in its own state.
A transaction that others hinder is run again within the allowance of all that is done for the
product; beyond that the task comes again, and finds done what was done.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros
from shared.products import allowances, catalogue, decisions, identities, outbox, pairs, postings
from shared.products.judging import Candidates
from shared.products.matching import Match, Matcher, Offer, shortlist
from shared.products.models import Product, from_document
from shared.products.turns import Waited, before, turn

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Transaction

    _Found = dict[str, DocumentSnapshot[Any]]

# Of the posting lists' offers, the best by their copies are judged; with those that are read they
# are few enough for the core to weigh them against each other.
MAX_COMPARED: Final = 30


class Published(msgspec.Struct, frozen=True):
    """The product as it stands in its posting lists, and what those lists hold beside it."""

    product: Product | None
    lists: postings.Postings
    state: pairs.State
    commit_micros: int | None
    allowance: allowances.Allowance
    joined: tuple[str, ...] = ()
    """The lists that it is new in, or stands in as another offer."""
    written: bool = False


class Paired(msgspec.Struct, frozen=True):
    """What came of it: the matches, and whether any pair is another than before."""

    matches: dict[str, Match]
    written: bool
    waiting: tuple[str, ...] = ()
    """Partners that are yet to be judged against what the product is now."""


def publish(product_id: str, matcher: Matcher, allowance: allowances.Allowance) -> Published:
    """Puts the product into the posting lists of its keys, and out of those it left."""
    known: postings.Postings = {}

    def write(transaction: "Transaction") -> Published:
        own = [catalogue.reference(product_id), pairs.state(product_id)]
        found = _read(transaction, own, allowance)
        product = _known(product_id, found)
        state = pairs.state_of(_fields(found, pairs.STATES))
        offer = postings.offer_of(product) if product else None
        keys = matcher.keys(offer) if offer else ()
        copy = postings.copy_of(offer) if offer else None
        addition = postings.added(offer) if offer else {}
        # Not of the transaction, so another attempt needs none of them anew.
        missing = [key for key in keys if key not in known]
        allowance.take(len(missing))
        known.update(postings.read(missing))
        lists = {key: known[key] for key in keys}
        kept = [k for k in keys if offer and postings.has_room(lists.get(k, {}), offer)]
        if product is None or not product.listed:
            # What waits for approval looks for others, and is found by none.
            kept = []
        new = [k for k in kept if lists.get(k, {}).get(product_id) != copy]
        gone = sorted(set(state.keys) - set(kept))
        address = _address(product)
        free = address == state.address or _is_free(transaction, address, allowance)
        for key in new:
            transaction.set(postings.reference(key), addition, merge=True)
        for key in gone:
            transaction.set(postings.reference(key), postings.removed(product_id), merge=True)
        if tuple(kept) != state.keys:
            transaction.set(pairs.state(product_id), {"keys": kept}, merge=True)
        if address != state.address:
            transaction.set(pairs.state(product_id), {"address": address}, merge=True)
            if address is not None and free:
                transaction.set(identities.reference(address), {"product_id": product_id})
        micros, written = _commit_micros(found), bool(new or gone)
        return Published(product, lists, state, micros, allowance, tuple(new), written)

    published = firestore.in_transaction(write)
    # Of two that join a list at once the later one so sees the other; whom it does not join for, or
    # joined before, it has seen already, or is seen by.
    allowance.take(len(published.joined))
    lists = {**published.lists, **postings.read(published.joined)}
    return msgspec.structs.replace(published, lists=lists)


def pair(
    published: Published, product_id: str, matcher: Matcher, *, paid: bool, waited: Waited = ()
) -> Paired:
    """Writes the product's pairs as they are now; takes its debt off if all else is `paid`.

    The debt stays as long as partners are `waiting`, and names them, so that each turn has fewer
    than the one before. `waited` says who else does; None: all partners are due, whatever is owed.
    Raises a DependencyError, or Conflict where others write the same again and again.
    """
    found = _candidates(published, matcher)
    debt = outbox.document("product", product_id)

    def write(transaction: "Transaction") -> Paired:
        own = [catalogue.reference(product_id), pairs.state(product_id), debt]
        documents = _read(transaction, own, published.allowance)
        state = pairs.state_of(_fields(documents, pairs.STATES))
        owed = _fields(documents, outbox.COLLECTION)
        version = _fields(documents, catalogue.COLLECTION).get("version", outbox.GONE)
        due = owed.get("version") == version
        if (product := _known(product_id, documents)) is not None:
            who = before(waited, owed if due else None)
            chosen, waiting = turn(found.confidences, state, who)
            published.allowance.take(len(chosen))
            paired = _judged(transaction, (product, state), chosen, found)
            # Of one that is not listed all pairs are gone already.
            left = tuple(waiting) if product.listed else ()
            paired = msgspec.structs.replace(paired, waiting=left)
        else:
            gone_for_good = catalogue.COLLECTION not in documents
            paired = _withdraw(transaction, product_id, state, gone_for_good=gone_for_good)
        if due and paired.waiting:
            entry = outbox.fields("product", product_id, version)
            transaction.set(debt, entry | {"waiting": list(paired.waiting)})
        elif paid and due:
            transaction.delete(debt)
        elif due and owed.get("waiting"):
            # All else is still owed, but nobody waits any more.
            transaction.update(debt, {"waiting": []})
        return paired

    return firestore.in_transaction(write)


def _candidates(published: Published, matcher: Matcher) -> Candidates:
    """The best of what the posting lists hold, without those that a person refused."""
    lowest = pairs.lowest()
    if published.product is None:
        return Candidates(None, (), matcher, lowest)
    offer = postings.offer_of(published.product)
    listed = {pid: each for entries in published.lists.values() for pid, each in entries.items()}
    refused = {other for other, same in published.state.decided.items() if not same}
    free = [each for pid, each in listed.items() if pid not in refused | {offer.id}]
    return Candidates(offer, shortlist(offer, free, MAX_COMPARED), matcher, lowest)


def _judged(
    transaction: "Transaction",
    own: tuple[Product, pairs.State],
    chosen: list[str],
    found: Candidates,
) -> Paired:
    """Reads the chosen, judges the product with them and writes what comes of it."""
    product, state = own
    others = _listed(transaction, chosen)
    absent = set(chosen) - set(others)
    matches = found.judge(postings.offer_of(product), others, absent, state.decided)
    return _store(transaction, own, others, matches, set(chosen) - set(matches))


def _store(
    transaction: "Transaction",
    own: tuple[Product, pairs.State],
    others: Mapping[str, Offer],
    matches: dict[str, Match],
    gone: set[str],
) -> Paired:
    product, state = own
    links = pairs.Links()
    if not product.listed:
        for other in state.marks:
            pairs.remove(transaction, links, product.id, other)
        links.store(transaction)
        pairs.note(transaction, product.id, state, matches)
        return Paired(matches, written=bool(state.marks))
    offer = postings.offer_of(product)
    for other, match in matches.items():
        sure = bool(state.decided.get(other))
        wanted = pairs.fields(offer, others[other], match, confirmed=sure)
        if state.marks.get(other) != pairs.mark_of(wanted):
            pairs.write(transaction, links, offer, others[other], wanted)
    refused = {other for other, same in state.decided.items() if not same}
    for other in sorted((refused | gone) & set(state.partners)):
        pairs.remove(transaction, links, product.id, other)
    return Paired(matches, written=links.store(transaction))


def _withdraw(
    transaction: "Transaction", product_id: str, state: pairs.State, *, gone_for_good: bool
) -> Paired:
    """Takes the pairs of a product away; of one that is gone, all that was said of it as well.

    Its partners would ask for it for ever, in the place of those that are there.
    """
    links = pairs.Links()
    for other in state.partners:
        pairs.remove(transaction, links, product_id, other)
    for other in state.decided if gone_for_good else ():
        decisions.forget(transaction, links, product_id, other)
    written = links.store(transaction)
    if gone_for_good:
        transaction.delete(pairs.state(product_id))
    return Paired({}, written=written)


def _listed(transaction: "Transaction", ids: Sequence[str]) -> dict[str, Offer]:
    """The offers of those that are listed, as they are now."""
    if not ids:
        return {}
    references = [catalogue.reference(product_id) for product_id in ids]
    found = {s.id: s.to_dict() or {} for s in firestore.existing(references, transaction)}
    return {
        pid: postings.offer_of(from_document(pid, fields))
        for pid in ids
        if (fields := found.get(pid)) is not None and fields["listed"]
    }


def _read(
    transaction: "Transaction",
    references: list["DocumentReference"],
    allowance: allowances.Allowance,
) -> "_Found":
    """Documents of different collections, by collection."""
    allowance.take(len(references))
    found = firestore.existing(references, transaction)
    return {snapshot.reference.parent.id: snapshot for snapshot in found}


def _fields(found: "_Found", collection: str) -> dict[str, Any]:
    return found[collection].to_dict() or {} if collection in found else {}


def _known(product_id: str, found: "_Found") -> Product | None:
    """The product, if it is listed or may yet be."""
    fields = _fields(found, catalogue.COLLECTION)
    product = from_document(product_id, fields) if fields else None
    return product if product and product.known else None


def _address(product: Product | None) -> str | None:
    """The identity of the product's page, by which a crawl knows it however it was written."""
    if product is None or not product.url:
        return None
    return identities.by_address(product.retailer, product.url)


def _is_free(
    transaction: "Transaction", address: str | None, allowance: allowances.Allowance
) -> bool:
    """Whether nobody is known by the page; who was first stays, so that no page is passed on."""
    if address is None:
        return False
    allowance.take(1)
    document = identities.reference(address)
    return not document.get(transaction=transaction, **firestore.limits()).exists


def _commit_micros(found: "_Found") -> int | None:
    product = found.get(catalogue.COLLECTION)
    return epoch_micros(product.update_time) if product else None
