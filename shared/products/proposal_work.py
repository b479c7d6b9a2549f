"""A chunk of proposals on its way: the state it was read in, and what is to be written."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.clients import firestore
from shared.edge.request import Actor
from shared.products import (
    catalogue,
    identities,
    outbox,
    price_changes,
    proposal_store,
    statistics,
)
from shared.products.models import Product, to_document
from shared.products.price_changes import Changed, Source
from shared.products.proposal_models import Proposal
from shared.products.proposal_models import from_document as proposal_of
from shared.products.proposal_models import to_document as proposal_document
from shared.products.proposal_rules import Verdict
from shared.products.upload_rows import UploadRow
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction


class Work(msgspec.Struct):
    """The state that a chunk was read in, what it is about to write, and its ids by outcome.

    `seen_prices` and `sightings` are owed to histories at moments of their own, whatever the
    products' own prices become; of a product that is among them nothing else is owed.
    """

    source: str
    now: datetime
    owners: dict[str, str]
    products: dict[str, Product]
    proposals: dict[str, Proposal]
    created: set[str] = msgspec.field(default_factory=set)
    touched: set[str] = msgspec.field(default_factory=set)
    proposed: set[str] = msgspec.field(default_factory=set)
    priced: dict[str, Product] = msgspec.field(default_factory=dict)
    price_source: Source = "api"
    seen_prices: list[Changed] = msgspec.field(default_factory=list)
    sightings: list[Changed] = msgspec.field(default_factory=list)
    old_categories: set[str] = msgspec.field(default_factory=set)
    identities: dict[str, str] = msgspec.field(default_factory=dict)
    new: list[str] = msgspec.field(default_factory=list)
    changed: list[str] = msgspec.field(default_factory=list)
    approved: list[str] = msgspec.field(default_factory=list)
    withdrawn: list[str] = msgspec.field(default_factory=list)
    unchanged: list[str] = msgspec.field(default_factory=list)

    def owner(self, row: UploadRow) -> Product | None:
        """The product that the offer is, unless it was deleted."""
        product = self.products.get(self.owners.get(identities.of_row(row), ""))
        return None if product is None or product.status == "deleted" else product

    def is_new(self, row: UploadRow) -> bool:
        """Whether the offer's product is not there, or is itself still to be decided."""
        product = self.owner(row)
        return product is None or product.status == "pending"

    def write(self, product: Product) -> None:
        """The product is to be stored so."""
        before = self.products.get(product.id)
        listed = before is not None and (before.listed or product.listed)
        if before is not None and listed and price_changes.concerns(before, product):
            self.priced.setdefault(product.id, before)
        self.products[product.id] = product
        self.touched.add(product.id)

    def hold(self, before: Proposal | None, wanted: Proposal, verdict: Verdict) -> None:
        """The proposal is to be stored so, as the next version of what was there."""
        version = before.version + 1 if before else 1
        reason = "; ".join(verdict.reasons) or None
        self.store(msgspec.structs.replace(wanted, version=version, reason=reason))

    def store(self, proposal: Proposal) -> None:
        """The proposal is to be stored as it is."""
        self.proposals[proposal.id] = proposal
        self.proposed.add(proposal.id)


def read(transaction: "Transaction", rows: Sequence[UploadRow], source: str, now: datetime) -> Work:
    """The state of the offers' products and proposals: three reads an offer at most."""
    keys = {identities.of_row(row) for row in rows}
    work = Work(source, now, identities.owners(keys, transaction), products={}, proposals={})
    learn(transaction, work, work.owners.values())
    return work


def learn(transaction: "Transaction", work: Work, product_ids: Iterable[str]) -> None:
    """Reads the products and their proposals, if they are not read yet: two reads each."""
    ids = sorted(set(product_ids) - work.products.keys())
    work.products |= catalogue.read_several(ids, transaction)
    proposals = firestore.existing(map(proposal_store.reference, ids), transaction)
    work.proposals |= {s.id: proposal_of(s.id, s.to_dict() or {}) for s in proposals}


def write(transaction: "Transaction", work: Work, by: Actor) -> str | None:
    """Adds all that changed to the transaction: four documents an offer, and a few for all.

    Says which debt of prices no product carries, so that no product's event asks for it.
    """
    debt = _owe_prices(transaction, work)
    marks = debt.mark if debt else {}
    for product_id in sorted(work.touched):
        product = work.products[product_id]
        store = transaction.create if product_id in work.created else transaction.set
        document = to_document(product) | (marks if product_id in work.priced else {})
        store(catalogue.reference(product_id), document)
        owed = outbox.fields("product", product_id, product.version)
        transaction.set(outbox.document("product", product_id), owed)
    for key, product_id in work.identities.items():
        transaction.set(identities.reference(key), {"product_id": product_id})
    for product_id in sorted(work.proposed):
        document = proposal_document(work.proposals[product_id])
        transaction.set(proposal_store.reference(product_id), document)
    approved = [work.products[product_id] for product_id in work.approved]
    categories = {product.category for product in approved}
    retailers = {product.retailer for product in approved}
    statistics.owe_recount(transaction, retailers, categories | work.old_categories)
    if work.proposed:
        outcomes = ("new", "changed", "approved", "withdrawn")
        told = {name: ids for name in outcomes if (ids := getattr(work, name))}
        after = {"source": work.source, **told}
        transaction.create(*audit.entry(by, proposal_store.COLLECTION, None, after))
    return debt.id if debt and not work.priced else None


def _owe_prices(transaction: "Transaction", work: Work) -> price_changes.Debt | None:
    """Owes prices that need no person, and those that were seen, to their histories."""
    if not work.priced and not work.seen_prices and not work.sightings:
        return None
    changed = [(before, work.products[pid]) for pid, before in sorted(work.priced.items())]
    seen = {each.product_id for each in work.seen_prices}
    unseen = price_changes.changes_of(each for each in changed if each[1].id not in seen)
    changes = [*unseen, *work.seen_prices]
    debt = price_changes.owed(changed, work.price_source, changes, work.sightings)
    transaction.set(debt.reference, debt.fields)
    return debt
