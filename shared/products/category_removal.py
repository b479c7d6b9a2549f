"""Removing a category: at once while nothing uses it, else after all of it has moved."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore, tasks
from shared.clock import epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, StaleVersion
from shared.products import catalogue, category_tree, outbox, statistics
from shared.products.category_schemas import CategoryRemoved
from shared.products.models import from_document, to_document
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Query

QUEUE: Final = "uploads"
FUNCTION: Final = "move_category"
BATCH_PRODUCTS: Final = 200


def remove(
    category_id: str, move_to: str | None, expected: int | None, by: Actor
) -> CategoryRemoved:
    """The removed category; raises NotFound, StaleVersion, Invalid, or Conflict while in use."""
    categories = category_tree.read_all()
    before = categories.get(category_id)
    if before is None:
        raise NotFound("There is no such category.")
    if expected is not None and before["version"] != expected:
        raise StaleVersion(f"The category is at version {before['version']} now.")
    _check_target(category_id, move_to, categories)
    if not _in_use(category_id, categories):
        _delete(category_id, before, by)
        return CategoryRemoved(id=category_id, moving=False)
    if move_to is None:
        raise Conflict("The category is in use: say where to move its contents with move_to.")
    after = {**before, "version": before["version"] + 1, "moved_to": move_to}
    category_tree.write(category_id, before, after, by)
    request_move(category_id)
    return CategoryRemoved(id=category_id, moving=True, moved_to=move_to)


def request_move(category_id: str) -> None:
    """Enqueues the move; raises a DependencyError."""
    tasks.enqueue(QUEUE, FUNCTION, b'{"category_id":%s}' % _json(category_id))


def move(category_id: str, follow: Callable[[str, str], None]) -> None:
    """Moves what is left of a removed category, then deletes it; repeating it is harmless.

    `follow` is called with the category and where its contents go, while it is still there: what
    others file under it must be repeatable as well.
    """
    with firestore.errors_mapped():
        snapshot = category_tree.reference(category_id).get(**firestore.limits())
    fields = snapshot.to_dict()
    if fields is None or not fields.get("moved_to"):
        return
    while _move_batch(category_id, fields["moved_to"]):
        pass
    for child_id, child in category_tree.read_all().items():
        if child["parent_id"] == category_id:
            moved = {**child, "parent_id": fields["moved_to"], "version": child["version"] + 1}
            category_tree.write(child_id, child, moved, _SYSTEM)
    follow(category_id, fields["moved_to"])
    batch = firestore.client().batch()
    batch.delete(category_tree.reference(category_id))
    batch.delete(outbox.document("category", category_id))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())
    cache.bump("categories", epoch_micros(utc_now()))


_SYSTEM: Final = Actor("system", "", "category.moved", "", "")


def _move_batch(category_id: str, target: str) -> bool:
    database = firestore.client()
    with firestore.errors_mapped():
        found = list(_products(category_id).limit(BATCH_PRODUCTS).stream(**firestore.limits()))
        if not found:
            return False
        batch = database.batch()
        products = [from_document(s.id, s.to_dict() or {}) for s in found]
        marks = statistics.touched(sorted({p.retailer for p in products}), [category_id, target])
        batch.set(statistics.touched_document(), marks, merge=True)
        for snapshot, product in zip(found, products, strict=True):
            moved = product.changed(utc_now(), category=target)
            unchanged = database.write_option(last_update_time=snapshot.update_time)
            batch.update(catalogue.reference(moved.id), to_document(moved), option=unchanged)
            owed = outbox.fields("product", moved.id, moved.version)
            batch.set(outbox.document("product", moved.id), owed)
        results = batch.commit(**firestore.limits())
    cache.bump("products", max(epoch_micros(result.update_time) for result in results))
    return True


def _products(category_id: str) -> "Query":
    from google.cloud.firestore import FieldFilter

    only = FieldFilter("category", "==", category_id)
    return firestore.client().collection(catalogue.COLLECTION).where(filter=only)


def _in_use(category_id: str, categories: dict[str, dict[str, Any]]) -> bool:
    if any(c["parent_id"] == category_id for c in categories.values()):
        return True
    return _has_products(category_id)


def _has_products(category_id: str) -> bool:
    with firestore.errors_mapped():
        return firestore.count(_products(category_id).limit(1)) > 0


def _delete(category_id: str, before: dict[str, Any], by: Actor) -> None:
    database = firestore.client()
    snapshot = category_tree.still_at(category_id, before["version"])
    # Once more, as late as can be: what was filed since the first look would lose its category.
    if _has_products(category_id):
        raise Conflict("The category has come into use meanwhile.")
    batch = database.batch()
    unchanged = database.write_option(last_update_time=snapshot.update_time)
    batch.delete(category_tree.reference(category_id), option=unchanged)
    batch.create(*audit.entry(by, f"categories/{category_id}", before, None))
    with firestore.errors_mapped():
        results = batch.commit(**firestore.limits())
    cache.bump("categories", epoch_micros(results[-1].update_time))


def _check_target(
    category_id: str, move_to: str | None, categories: dict[str, dict[str, Any]]
) -> None:
    if move_to is None:
        return
    if move_to not in categories:
        raise Invalid.one("move_to", "is not a known category")
    if category_id in category_tree.ancestors(move_to, categories):
        raise Invalid.one("move_to", "is the category itself or lies below it")


def _json(text: str) -> bytes:
    import msgspec

    return msgspec.json.encode(text)
