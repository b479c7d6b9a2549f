"""Confirm: commits exactly what was previewed, chunk by chunk.

Each chunk is one transaction that also moves the upload's own progress, so a confirm that was
cut off anywhere goes on at the next chunk, and two at once cannot write a row twice.
"""

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, DependencyError
from shared.products import (
    catalogue,
    category_tree,
    identities,
    outbox,
    price_changes,
    statistics,
    upload_store,
)
from shared.products.models import Product, to_document
from shared.products.upload_models import Accept, Chunk, Counts, StoredRow, Upload, given_fields
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction


# Under which identity the row stands that gave a product its id.
Origins = dict[str, str]


def claim(upload_id: str, accept: Accept) -> Upload:
    """The upload with its confirm begun, or as it is if it was begun so before and did not fail.

    Raises Conflict if it is not previewed yet, or was confirmed with another choice.
    """

    def begin(transaction: "Transaction") -> Upload:
        upload = upload_store.read(upload_id, transaction)
        if upload.accept not in (None, accept):
            raise Conflict("This upload is being confirmed with another choice of rows.")
        if upload.status in ("confirming", "confirmed"):
            return upload
        if upload.status == "previewed":
            upload.status, upload.accept = "confirming", accept
        elif not upload.resumes("confirming"):
            raise Conflict(f"This upload is {upload.status}.")
        transaction.update(upload_store.reference(upload_id), upload_store.to_fields(upload))
        return upload

    return firestore.in_transaction(begin)


def commit(upload_id: str, by: Actor, clock: Clock = utc_now) -> Upload:
    """The confirmed upload; goes on where an earlier run stopped, and repeats nothing."""
    upload = upload_store.read(upload_id)
    chunks = upload_store.read_chunks(upload)
    accepted = [s for chunk in chunks for s in chunk.rows if upload.accepts(s)]
    if upload.status == "confirming":
        category_tree.ensure({s.row.category for s in accepted if s.row.category}, by)
    new = (s for chunk in chunks for s in chunk.rows if s.verdict == "new")
    origins = {stored.product_id: identities.of_row(stored.row) for stored in new}
    while upload.status == "confirming":
        upload, owed = _commit_next(upload_id, chunks, origins, by, clock)
        if owed is not None:
            # No product was written whose event would ask for it; else the sweep does.
            with suppress(DependencyError):
                price_changes.request(owed, owed)
    cache.bump("products", upload_store.written_micros(upload_id))
    statistics.request_refresh()
    return upload


def _commit_next(
    upload_id: str, chunks: list[Chunk], origins: Origins, by: Actor, clock: Clock
) -> tuple[Upload, str | None]:
    """The upload, and which debt no product carries."""

    def step(transaction: "Transaction") -> tuple[Upload, str | None]:
        upload = upload_store.read(upload_id, transaction)
        owed = None
        if upload.status != "confirming":
            return upload, owed
        if upload.confirmed_chunks < upload.chunks:
            chunk = chunks[upload.confirmed_chunks]
            owed = _write_chunk(transaction, upload, chunk, origins, clock())
            upload.confirmed_chunks += 1
        else:
            upload.status = "confirmed"
            after: dict[str, Any] = {"accept": upload.accept, "total": upload.total}
            counted = {name: getattr(upload.counts, name) for name in Counts.__struct_fields__}
            entry = audit.entry(by, f"uploads/{upload_id}", None, after | counted)
            transaction.create(*entry)
        transaction.update(upload_store.reference(upload_id), upload_store.to_fields(upload))
        return upload, owed

    return firestore.in_transaction(step)


class _Work(msgspec.Struct):
    """What one chunk is about to write; `owners` says whose an identity is by now."""

    products: dict[str, Product]
    owners: dict[str, str]
    touched: set[str] = msgspec.field(default_factory=set)
    priced: dict[str, Product] = msgspec.field(default_factory=dict)
    confirmed: set[str] = msgspec.field(default_factory=set)
    created: set[str] = msgspec.field(default_factory=set)
    old_categories: set[str] = msgspec.field(default_factory=set)
    identities: dict[str, str] = msgspec.field(default_factory=dict)


def _write_chunk(
    transaction: "Transaction", upload: Upload, chunk: Chunk, origins: Origins, now: datetime
) -> str | None:
    accepted = [stored for stored in chunk.rows if upload.accepts(stored)]
    work = _read_state(transaction, accepted, origins)
    for stored in accepted:
        _apply(work, stored, origins, upload.counts, now)
    upload.counts.skipped += len(chunk.rows) - len(accepted)
    upload.counts.failed += len({error.row for error in chunk.errors})
    owed = _owe_prices(transaction, work, now)
    _write_products(transaction, work, owed.mark if owed else {})
    _write_marks(transaction, work)
    return owed.id if owed and not work.priced else None


def _write_products(transaction: "Transaction", work: _Work, marks: dict[str, str]) -> None:
    for product_id in sorted(work.touched):
        product = work.products[product_id]
        if product_id in work.created:
            transaction.create(catalogue.reference(product_id), to_document(product))
        else:
            fields = to_document(product) | (marks if product_id in work.priced else {})
            transaction.set(catalogue.reference(product_id), fields)
        owed = outbox.fields("product", product_id, product.version)
        transaction.set(outbox.document("product", product_id), owed)
    for key, product_id in work.identities.items():
        transaction.set(identities.reference(key), {"product_id": product_id})


def _owe_prices(
    transaction: "Transaction", work: _Work, now: datetime
) -> price_changes.Debt | None:
    """Owes to their histories the new prices, and those that were said again."""
    confirmed = [work.products[pid] for pid in sorted(work.confirmed - work.priced.keys())]
    if not work.priced and not confirmed:
        return None
    changed = [(before, work.products[pid]) for pid, before in sorted(work.priced.items())]
    debt = price_changes.debt(changed, "api", confirmed, now)
    transaction.set(debt.reference, debt.fields)
    return debt


def _write_marks(transaction: "Transaction", work: _Work) -> None:
    retailers = {work.products[pid].retailer for pid in work.touched}
    categories = work.old_categories | {work.products[pid].category for pid in work.touched}
    statistics.owe_recount(transaction, retailers, categories)


def _read_state(transaction: "Transaction", accepted: list[StoredRow], origins: Origins) -> _Work:
    keys = {key for s in accepted for key in _own_identities(s, origins)}
    owners = identities.owners(keys, transaction)
    ids = {s.product_id for s in accepted if s.verdict == "duplicate"} | set(owners.values())
    products = catalogue.read_several(ids, transaction)
    known = {pid for pid, product in products.items() if product.known}
    return _Work(products, {key: pid for key, pid in owners.items() if pid in known})


def _own_identities(stored: StoredRow, origins: Origins) -> list[str]:
    """The identities that another upload may have taken by now: the row's and its origin's."""
    own = identities.of_row(stored.row)
    if stored.verdict == "new":
        return [own]
    if stored.duplicate_of_row is None:
        return []
    first = origins.get(stored.product_id)
    return [own] if first is None else [first, own]


def _product_of(work: _Work, stored: StoredRow, origins: Origins) -> Product | None:
    """The product that a duplicate means: where its own was never made, what stands instead."""
    if stored.product_id in work.products:
        return work.products[stored.product_id]
    taken = (work.owners.get(key) for key in _own_identities(stored, origins))
    owner = next((product_id for product_id in taken if product_id is not None), None)
    return None if owner is None else work.products[owner]


def _apply(work: _Work, stored: StoredRow, origins: Origins, counts: Counts, now: datetime) -> None:
    if stored.verdict == "new":
        _insert(work, stored, counts, now)
        return
    product = _product_of(work, stored, origins)
    if product is None and stored.duplicate_of_row is not None:
        # The row that it repeats was not accepted: it stands for both.
        _insert(work, stored, counts, now)
        return
    if product is None or not product.known:
        counts.failed += 1
        return
    work.identities.setdefault(identities.of_row(stored.row), product.id)
    changed = product.changed(now, **given_fields(stored.row))
    if product.listed and product.id not in work.created:
        work.confirmed.add(product.id)
    if changed is product:
        counts.skipped += 1
        return
    counts.updated += 1
    work.old_categories.add(product.category)
    work.products[product.id] = changed
    work.touched.add(product.id)
    if product.id not in work.created and price_changes.differs(product, changed):
        work.priced.setdefault(product.id, product)


def _insert(work: _Work, stored: StoredRow, counts: Counts, now: datetime) -> None:
    key = identities.of_row(stored.row)
    if key in work.owners:
        counts.skipped += 1
        return
    product = stored.row.product(stored.product_id, "active", now)
    counts.inserted += 1
    work.products[product.id] = product
    work.touched.add(product.id)
    work.created.add(product.id)
    work.identities[key] = product.id
