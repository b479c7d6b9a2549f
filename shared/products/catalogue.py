"""Single products: read, change, remove and restore, each change with its consequences owed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, StaleVersion
from shared.money import to_minor
from shared.products import outbox, pictures, price_changes, proposal_store, statistics
from shared.products.currencies import CURRENCIES
from shared.products.models import Product, from_document, to_document
from shared.products.proposal_models import from_document as proposal_of
from shared.products.proposal_models import to_document as proposal_document
from shared.products.schemas import ProductChange
from shared.products.slug import slug
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import (
        DocumentReference,
        DocumentSnapshot,
        Transaction,
        WriteBatch,
    )

COLLECTION: Final = "products"
# A change that meets another one reads again; more often than this, somebody else is at it.
ATTEMPTS: Final = 4


def reference(product_id: str) -> "DocumentReference":
    """Where a product is stored."""
    return firestore.client().collection(COLLECTION).document(product_id)


def read(product_id: str) -> Product:
    """The product; raises NotFound."""
    return _read(product_id)[0]


def read_several(
    product_ids: Iterable[str], transaction: "Transaction | None" = None
) -> dict[str, Product]:
    """Those of the products that there are, in the order of their ids as given: one read each."""
    ids = list(dict.fromkeys(product_ids))
    found = firestore.existing(map(reference, ids), transaction)
    products = {s.id: from_document(s.id, s.to_dict() or {}) for s in found}
    return {product_id: products[product_id] for product_id in ids if product_id in products}


def change(
    product_id: str, wanted: ProductChange, expected: int | None, by: Actor, clock: Clock = utc_now
) -> Product:
    """The changed product; raises NotFound, StaleVersion, Conflict or Invalid."""
    if wanted.currency not in CURRENCIES:
        raise Invalid.one("currency", "must be a code of ISO 4217, such as LKR")
    try:
        price_minor = to_minor(wanted.price, wanted.currency)
    except ValueError as error:
        raise Invalid.one("price", str(error)) from None
    check_category(wanted.category)

    def edit(product: Product, now: datetime) -> Product:
        _check_not_removed(product)
        return product.changed(
            now,
            name=wanted.name,
            brand=wanted.brand,
            size=wanted.size,
            category=wanted.category,
            url=wanted.url or None,
            description=wanted.description or None,
            price_minor=price_minor,
            currency=wanted.currency,
        )

    return _apply(product_id, edit, expected, by, clock)


def remove(product_id: str, expected: int | None, by: Actor, clock: Clock = utc_now) -> Product:
    """The product marked as deleted; a second removal changes nothing. Raises as `change`."""

    def delete(product: Product, now: datetime) -> Product:
        if product.status == "deleted":
            return product
        left = {"group_id": None, "primary": None}
        return product.changed(now, status="deleted", status_before=product.status, **left)

    return _apply(product_id, delete, expected, by, clock)


def restore(product_id: str, expected: int | None, by: Actor, clock: Clock = utc_now) -> Product:
    """A deleted product as it was before, one that waited waiting again; others stay as they are.

    Raises as `change`.
    """

    def undelete(product: Product, now: datetime) -> Product:
        if product.status != "deleted":
            return product
        # Products deleted before this was noted come back as they always did.
        status = product.status_before or "active"
        return product.changed(now, status=status, status_before=None)

    return _apply(product_id, undelete, expected, by, clock)


def check_changeable(product_id: str, expected: int | None) -> None:
    """Raises NotFound or StaleVersion where a change of the product would."""
    product = read(product_id)
    _check_version(product, expected)
    _check_not_removed(product)


def set_picture(
    product_id: str, picture: str | None, expected: int | None, by: Actor, clock: Clock = utc_now
) -> Product:
    """The product with the folder of its picture, or with none. Raises as `change`."""

    def edit(product: Product, now: datetime) -> Product:
        _check_not_removed(product)
        return product.changed(now, picture=picture)

    return _apply(product_id, edit, expected, by, clock)


def write(
    batch: "WriteBatch",
    before: Product,
    after: Product,
    snapshot: "DocumentSnapshot[Any]",
    by: Actor,
) -> None:
    """Adds a change to a batch or transaction, with all that it owes and its audit entry.

    The commit raises Conflict where the product is no longer as `snapshot` has it. Whoever commits
    it bumps the products' cache after that.
    """
    unchanged = firestore.client().write_option(last_update_time=snapshot.update_time)
    document = to_document(after)
    if price_changes.concerns(before, after):
        debt = price_changes.debt([(before, after)], "manual")
        batch.set(debt.reference, debt.fields)
        document |= debt.mark
    batch.update(reference(after.id), document, option=unchanged)
    batch.set(
        outbox.document("product", after.id), outbox.fields("product", after.id, after.version)
    )
    if (before.listed, before.category) != (after.listed, after.category):
        marks = statistics.touched([after.retailer], [before.category, after.category])
        batch.set(statistics.touched_document(), marks, merge=True)
    if before.picture is not None and before.picture != after.picture:
        batch.set(*pictures.owed(before.picture))
    old, new = difference(before, after)
    batch.create(*audit.entry(by, f"products/{after.id}", old, new))


def check_category(category: str) -> None:
    """Raises Invalid for a category that products cannot be put into; empty is none."""
    if not category:
        return
    if slug(category) != category:
        raise Invalid.one("category", "is not a known category")
    document = firestore.client().collection("categories").document(category)
    with firestore.errors_mapped():
        known = document.get(["moved_to"], **firestore.limits())
    if not known.exists:
        raise Invalid.one("category", "is not a known category")
    if target := (known.to_dict() or {}).get("moved_to"):
        raise Invalid.one("category", f"is being removed; its products go to {target}")


def _check_version(product: Product, expected: int | None) -> None:
    if expected is not None and product.version != expected:
        raise StaleVersion(f"The product is at version {product.version} now.")


def _check_not_removed(product: Product) -> None:
    if product.status == "deleted":
        raise NotFound("This product was removed; restore it first.")


def _apply(
    product_id: str,
    edit: Callable[[Product, datetime], Product],
    expected: int | None,
    by: Actor,
    clock: Clock,
) -> Product:
    for _ in range(ATTEMPTS):
        product, snapshot = _read(product_id)
        _check_version(product, expected)
        changed = edit(product, clock())
        if changed is product:
            return product
        try:
            _commit(product, changed, snapshot, by)
        except Conflict:
            continue
        return changed
    raise Conflict("The product is being changed by others; try again.")


def _read(product_id: str) -> tuple[Product, "DocumentSnapshot[Any]"]:
    with firestore.errors_mapped():
        snapshot = reference(product_id).get(**firestore.limits())
    fields = snapshot.to_dict()
    if fields is None:
        raise NotFound("There is no such product.")
    return from_document(product_id, fields), snapshot


def _commit(before: Product, after: Product, snapshot: "DocumentSnapshot[Any]", by: Actor) -> None:
    batch: Any = None
    if "deleted" in (before.status, after.status):

        def run(transaction: "Transaction") -> None:
            nonlocal batch
            batch = transaction
            leave = _leaving(transaction, before, after, by)
            # A proposal that is made meanwhile must not be left waiting without its product.
            _turn_proposal(transaction, after)
            write(transaction, before, after, snapshot, by)
            leave()

        firestore.in_transaction(run)
    else:
        batch = firestore.client().batch()
        write(batch, before, after, snapshot, by)
        with firestore.errors_mapped():
            batch.commit(**firestore.limits())
    cache.bump("products", epoch_micros(batch.commit_time))
    if before.group_id != after.group_id:
        cache.bump("prices", epoch_micros(batch.commit_time))


def _leaving(
    transaction: "Transaction", before: Product, after: Product, by: Actor
) -> Callable[[], None]:
    """What takes a product out of its group, where a change does; reads all that it needs."""
    if before.group_id == after.group_id:
        return lambda: None
    from shared.products import grouping

    return grouping.leave(transaction, before, by, after.updated_at)


def _turn_proposal(transaction: "Transaction", product: Product) -> None:
    """Sets aside what waits for a decision with a deletion; has it wait again after it."""
    document = proposal_store.reference(product.id)
    fields = document.get(transaction=transaction, **firestore.limits()).to_dict()
    if fields is None:
        return
    proposal = proposal_of(product.id, fields)
    if product.status == "deleted":
        turned = proposal.turned("pending", "set_aside")
    else:
        turned = proposal.turned("set_aside", "pending")
    if turned is not proposal:
        transaction.set(document, proposal_document(turned))


def difference(before: Product, after: Product) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the audit trail tells of a change: the fields that differ, as they were and are."""
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    changed = [name for name in new if old[name] != new[name]]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}
