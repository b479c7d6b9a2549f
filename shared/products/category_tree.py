"""Categories: a tree that products are filed under."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, StaleVersion
from shared.products import outbox, statistics
from shared.products.category_schemas import CategoryChange, CategoryList, CategoryView
from shared.products.default_categories import DEFAULT_CATEGORIES
from shared.products.slug import slug
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Transaction

COLLECTION: Final = "categories"
MAX_DEPTH: Final = 5
MAX_CATEGORIES: Final = 1000
# Two writers may both find room for the last ones: all that they leave is still read.
MAX_READ: Final = 2 * MAX_CATEGORIES
# A batch holds 500 writes, and each category brings its audit entry.
BATCH_CATEGORIES: Final = 250
# Somebody else may create the same ones; more often than this, something is wrong.
ATTEMPTS: Final = 4


def reference(category_id: str) -> "DocumentReference":
    """Where a category is stored."""
    return firestore.client().collection(COLLECTION).document(category_id)


def listed(names: Iterable[str], transaction: "Transaction | None" = None) -> set[str]:
    """Those of `names` that are categories, and are not being removed."""
    references = [reference(name) for name in sorted(set(names)) if name]
    found = firestore.existing(references, transaction, ["moved_to"])
    return {s.id for s in found if not (s.to_dict() or {}).get("moved_to")}


def read_all() -> dict[str, dict[str, Any]]:
    """Every category's fields by id, but for those being removed; creates the first set."""
    return {cid: fields for cid, fields in _stored().items() if not fields.get("moved_to")}


def tree() -> CategoryList:
    """The tree as the dashboard reads it: C category reads and one for the counts."""
    categories = read_all()
    counts = statistics.read().by_category
    views = [_view(cid, categories, counts) for cid in categories]
    return CategoryList(sorted(views, key=lambda view: [name.casefold() for name in view.path]))


def read(category_id: str) -> CategoryView:
    """One category; raises NotFound."""
    categories = read_all()
    if category_id not in categories:
        raise NotFound("There is no such category.")
    return _view(category_id, categories, statistics.read().by_category)


def create(wanted: CategoryChange, by: Actor) -> CategoryView:
    """A new category, its id made from its name; raises Conflict, Invalid."""
    category_id = slug(wanted.name)
    if not category_id:
        raise Invalid.one("name", "must hold a letter or a digit")
    categories = read_all()
    _check_place(category_id, wanted.parent_id, categories)
    fields = {"name": wanted.name, "parent_id": wanted.parent_id, "version": 1}
    batch = firestore.client().batch()
    batch.create(reference(category_id), {**fields, "updated_at": utc_now()})
    batch.set(outbox.document("category", category_id), outbox.fields("category", category_id, 1))
    batch.create(*audit.entry(by, f"categories/{category_id}", None, fields))
    try:
        _commit(batch)
    except Conflict:
        raise Conflict(f"There is a category {category_id} already.") from None
    return _view(category_id, {**categories, category_id: fields}, {})


def change(
    category_id: str, wanted: CategoryChange, expected: int | None, by: Actor
) -> CategoryView:
    """The renamed or moved category; raises NotFound, StaleVersion, Invalid, Conflict."""
    categories = read_all()
    before = categories.get(category_id)
    if before is None:
        raise NotFound("There is no such category.")
    if expected is not None and before["version"] != expected:
        raise StaleVersion(f"The category is at version {before['version']} now.")
    _check_place(category_id, wanted.parent_id, categories)
    after = {**before, "name": wanted.name, "parent_id": wanted.parent_id}
    if after != before:
        after = {**after, "version": before["version"] + 1}
        write(category_id, before, after, by)
    return _view(category_id, {**categories, category_id: after}, statistics.read().by_category)


def write(category_id: str, before: dict[str, Any], after: dict[str, Any], by: Actor) -> None:
    """Stores the next version of a category; raises Conflict if somebody was faster."""
    database = firestore.client()
    snapshot = still_at(category_id, before["version"])
    batch = database.batch()
    unchanged = database.write_option(last_update_time=snapshot.update_time)
    batch.update(reference(category_id), {**after, "updated_at": utc_now()}, option=unchanged)
    owed = outbox.fields("category", category_id, after["version"])
    batch.set(outbox.document("category", category_id), owed)
    batch.create(*audit.entry(by, f"categories/{category_id}", before, after))
    _commit(batch)


def still_at(category_id: str, version: int) -> "DocumentSnapshot[Any]":
    """The category as it is stored at this version; raises Conflict if it is no longer."""
    with firestore.errors_mapped():
        snapshot = reference(category_id).get(**firestore.limits())
    if not snapshot.exists or snapshot.get("version") != version:
        raise Conflict("The category was changed meanwhile.")
    return snapshot


def ensure(category_ids: Collection[str], by: Actor) -> None:
    """Creates what an upload names and the tree lacks, at its root; raises Conflict."""
    for _ in range(ATTEMPTS):
        missing = _missing(category_ids)
        try:
            for at in range(0, len(missing), BATCH_CATEGORIES):
                _create_all(missing[at : at + BATCH_CATEGORIES], by)
        except Conflict:
            continue
        return
    raise Conflict("The categories are being changed by others; try again.")


def _missing(category_ids: Collection[str]) -> list[str]:
    stored = _stored()
    for category_id in sorted(category_ids):
        if target := stored.get(category_id, {}).get("moved_to"):
            raise Conflict(
                f"{category_id} is being removed: confirm again when all of it is in {target}."
            )
    missing = sorted(set(category_ids) - set(stored))
    if missing and len(stored) + len(missing) > MAX_CATEGORIES:
        raise Conflict(
            f"The upload names {len(missing)} new categories, and of {MAX_CATEGORIES} "
            f"there are {len(stored)} already."
        )
    return missing


def _create_all(category_ids: list[str], by: Actor) -> None:
    batch = firestore.client().batch()
    for category_id in category_ids:
        name = category_id.replace("-", " ").capitalize()
        fields = {"name": name, "parent_id": None, "version": 1}
        batch.create(reference(category_id), {**fields, "updated_at": utc_now()})
        batch.create(*audit.entry(by, f"categories/{category_id}", None, fields))
    _commit(batch)


def _commit(batch: Any) -> None:
    with firestore.errors_mapped():
        results = batch.commit(**firestore.limits())
    cache.bump("categories", max(epoch_micros(result.update_time) for result in results))


def _stored() -> dict[str, dict[str, Any]]:
    categories = _read_all()
    if not categories:
        _write_first_set()
        categories = _read_all()
    return categories


def _read_all() -> dict[str, dict[str, Any]]:
    collection = firestore.client().collection(COLLECTION)
    with firestore.errors_mapped():
        found = collection.limit(MAX_READ).stream(**firestore.limits())
        return {s.id: _plain(s.to_dict() or {}) for s in found}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "updated_at"}


def _write_first_set() -> None:
    batch = firestore.client().batch()
    for seed in DEFAULT_CATEGORIES:
        fields = {"name": seed.name, "parent_id": seed.parent_id, "version": 1}
        batch.set(reference(seed.id), {**fields, "updated_at": utc_now()})
    _commit(batch)


def _check_place(
    category_id: str, parent_id: str | None, categories: dict[str, dict[str, Any]]
) -> None:
    if len(categories) >= MAX_CATEGORIES and category_id not in categories:
        raise Conflict(f"There are {MAX_CATEGORIES} categories already.")
    if parent_id is None:
        return
    if parent_id not in categories:
        raise Invalid.one("parent_id", "is not a known category")
    if category_id in (line := ancestors(parent_id, categories)):
        raise Invalid.one("parent_id", "lies below this category")
    depth = len(line) + height(category_id, categories)
    if depth > MAX_DEPTH:
        raise Invalid.one("parent_id", f"would make the tree deeper than {MAX_DEPTH} levels")


def ancestors(category_id: str | None, categories: dict[str, dict[str, Any]]) -> list[str]:
    """The ids from the root down to the category itself; a loop or a lost parent ends it."""
    line: list[str] = []
    while category_id in categories and category_id not in line:
        line.append(category_id)
        category_id = categories[category_id]["parent_id"]
    return line[::-1]


def height(category_id: str, categories: dict[str, dict[str, Any]]) -> int:
    """How many levels the category and what lies below it take; a loop counts once."""
    levels, seen, level = 0, {category_id}, {category_id}
    while level:
        levels += 1
        level = {cid for cid, c in categories.items() if c["parent_id"] in level} - seen
        seen |= level
    return levels


def _view(
    category_id: str, categories: dict[str, dict[str, Any]], counts: dict[str, int]
) -> CategoryView:
    fields = categories[category_id]
    return CategoryView(
        id=category_id,
        name=fields["name"],
        parent_id=fields["parent_id"],
        path=[categories[cid]["name"] for cid in ancestors(category_id, categories)],
        product_count=counts.get(category_id, 0),
        version=fields["version"],
    )
