"""Where groups of merged offers lie, and all that one change of them writes.

A group is one document, and each line of its history another one below it. A change is one
transaction with its offers, so that no offer ever disagrees with its group.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.edge.request import Actor
from shared.products import catalogue, outbox, price_changes
from shared.products.merging import Change, Group, Place, places
from shared.products.models import Product, to_document
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference, DocumentReference, Transaction

COLLECTION: Final = "product_groups"
LEDGER: Final = "ledger"

Both = tuple[Product, Product]


def reference(group_id: str) -> "DocumentReference":
    """Where a group is stored."""
    return firestore.client().collection(COLLECTION).document(group_id)


def ledger(group_id: str) -> "CollectionReference":
    """Where the lines of a group's history are stored."""
    lines: CollectionReference = reference(group_id).collection(LEDGER)
    return lines


def read(ids: Iterable[str], transaction: "Transaction | None" = None) -> dict[str, Group]:
    """The groups that there are, by id."""
    found = firestore.existing(map(reference, dict.fromkeys(ids)), transaction)
    return {s.id: msgspec.convert({"id": s.id, **(s.to_dict() or {})}, Group) for s in found}


def concerned(before: Mapping[str, Group], change: Change) -> dict[str, Place]:
    """Where the offers of a change belong afterwards, by id."""
    known = [before[group.id] for group in change.groups if group.id in before]
    return places(known, change.groups)


def moved(wanted: Mapping[str, Place], offers: Mapping[str, Product], now: datetime) -> list[Both]:
    """Those of the offers that belong elsewhere now, as they were and are."""
    both = [
        (offers[product_id], offers[product_id].changed(now, **msgspec.structs.asdict(place)))
        for product_id, place in wanted.items()
        if product_id in offers
    ]
    return [(old, new) for old, new in both if old is not new]


def write(
    transaction: "Transaction", change: Change, both: Sequence[Both], by: Actor, now: datetime
) -> None:
    """Adds a change to the transaction: the groups, what is told of them, and their offers."""
    for group in change.groups:
        transaction.set(reference(group.id), to_fields(group))
    for entry in change.entries:
        line: dict[str, Any] = {"action": entry.action, "at": now, "by": by.uid}
        line["product_ids"] = list(entry.product_ids)
        line["was"] = [_was(old) for old, _ in both]
        transaction.create(ledger(entry.group_id).document(secrets.token_hex(10)), line)
    regrouped = [each for each in both if each[0].group_id != each[1].group_id]
    marks = {}
    if regrouped:
        debt = price_changes.debt(regrouped, "manual")
        transaction.set(debt.reference, debt.fields)
        marks = {new.id: debt.mark for _, new in regrouped}
    for _, offer in both:
        document = to_document(offer) | marks.get(offer.id, {})
        transaction.update(catalogue.reference(offer.id), document)
        owed = outbox.fields("product", offer.id, offer.version)
        transaction.set(outbox.document("product", offer.id), owed)


def write_audit(
    transaction: "Transaction", before: Mapping[str, Group], change: Change, by: Actor
) -> None:
    """Tells the audit trail of each group that is another one now."""
    for group in change.groups:
        old = _told(before[group.id]) if group.id in before else None
        entry = audit.entry(by, f"{COLLECTION}/{group.id}", old, _told(group))
        transaction.create(*entry)


def to_fields(group: Group) -> dict[str, Any]:
    """The group's fields in Firestore, of plain types."""
    fields: dict[str, Any] = msgspec.to_builtins(group)
    del fields["id"]
    return fields


def _told(group: Group) -> dict[str, Any]:
    told = {"primary_id": group.primary_id, "product_ids": list(group.ids)}
    return told | ({"joined_to": group.joined_to} if group.joined_to else {})


def _was(offer: Product) -> dict[str, Any]:
    """What an offer was before, in all that a merge or its undoing touches."""
    return {
        "product_id": offer.id,
        "version": offer.version,
        "group_id": offer.group_id,
        "primary": offer.primary,
    }
