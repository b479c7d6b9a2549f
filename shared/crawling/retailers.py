"""The retailers' recipes: one document each, changed by super admins."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.crawling import recipe_checks
from shared.crawling.recipes import Recipe, Site
from shared.crawling.schemas import RetailerList, RetailerView
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, StaleVersion
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "crawl_retailers"
MOST_RETAILERS: Final = 200
# A document holds no more than Firestore's rules of thumb bear; a recipe is text of people.
MOST_RECIPE_BYTES: Final = 90_000


def read_all() -> RetailerList:
    """Every retailer by name: as many reads as there are, 200 at most."""
    query = firestore.client().collection(COLLECTION).limit(MOST_RETAILERS)
    with firestore.errors_mapped():
        found = [(s.id, s.to_dict() or {}) for s in query.stream(**firestore.limits())]
    return RetailerList([_view(name, fields) for name, fields in found])


def read(retailer: str) -> RetailerView:
    """One retailer; raises NotFound."""
    return _view(retailer, _fields(_snapshot(retailer)))


def recipe(retailer: str) -> Recipe:
    """The retailer's recipe as a pod reads it; raises NotFound, also for what no pod can read."""
    fields = _fields(_snapshot(retailer))
    try:
        return msgspec.convert({**fields["site"], **_named(retailer, fields)}, Recipe)
    except msgspec.ValidationError as error:
        # Written for an earlier version; one retailer's must not end a sweep over all.
        raise NotFound(f"The recipe cannot be read any more, save it anew: {error}") from None


def restarts(retailer: str) -> int:
    """How often its lost crawls are begun anew; never where no recipe can be read."""
    try:
        return recipe(retailer).restarts
    except NotFound:
        return 0


def write(
    retailer: str, site: Site, expected: int | None, by: Actor, clock: Clock = utc_now
) -> RetailerView:
    """The retailer with `site` as its recipe, the same again being no change.

    Raises Invalid, StaleVersion, or Conflict where it changes meanwhile or there are 200 already.
    """
    _check(site)
    snapshot = _snapshot(retailer)
    before = snapshot.to_dict()
    version = before["version"] if before else 0
    if expected is not None and version != expected:
        raise StaleVersion(f"The retailer is at version {version} now.")
    after = {"site": msgspec.to_builtins(site), "version": version + 1, "updated_at": clock()}
    if before and msgspec.convert(before["site"], Site) == site:
        return _view(retailer, before)
    if not before:
        _check_room()
    _commit(snapshot, before, after, by)
    return _view(retailer, after)


def _commit(
    snapshot: "DocumentSnapshot[Any]",
    before: dict[str, Any] | None,
    after: dict[str, Any],
    by: Actor,
) -> None:
    database = firestore.client()
    batch = database.batch()
    if before:
        unchanged = database.write_option(last_update_time=snapshot.update_time)
        batch.update(snapshot.reference, after, option=unchanged)
    else:
        batch.create(snapshot.reference, after)
    name = f"{COLLECTION}/{snapshot.id}"
    batch.create(*audit.entry(by, name, _told(before) if before else None, _told(after)))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _check(site: Site) -> None:
    if len(msgspec.json.encode(site)) > MOST_RECIPE_BYTES:
        raise Invalid.one("start_urls", f"the recipe is larger than {MOST_RECIPE_BYTES} bytes")
    if wrong := recipe_checks.problems(site):
        raise Invalid(wrong)


def _check_room() -> None:
    query = firestore.client().collection(COLLECTION).limit(MOST_RETAILERS)
    with firestore.errors_mapped():
        if firestore.count(query) >= MOST_RETAILERS:
            raise Conflict(f"There are {MOST_RETAILERS} retailers already.")


def _snapshot(retailer: str) -> "DocumentSnapshot[Any]":
    with firestore.errors_mapped():
        return _document(retailer).get(**firestore.limits())


def _fields(snapshot: "DocumentSnapshot[Any]") -> dict[str, Any]:
    fields = snapshot.to_dict()
    if fields is None:
        raise NotFound("There is no such retailer.")
    return fields


def _document(retailer: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(retailer)


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields["site"], "version": fields["version"]}


def _named(retailer: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"retailer": retailer, "version": fields["version"]}


def _view(retailer: str, fields: dict[str, Any]) -> RetailerView:
    told = {**fields["site"], "updated_at": rfc3339(fields["updated_at"])}
    return msgspec.convert({**told, **_named(retailer, fields)}, RetailerView)
