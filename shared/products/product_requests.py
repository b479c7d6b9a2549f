"""Product requests: one document for each name, brand and size, however they are written.

A shopper counts once a day for each request. What tells one from another is a keyed hash of the
network address with the day and the request in it, so that no address is stored and nobody's
requests can be joined.
"""

import hashlib
import hmac
import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.config import settings
from shared.edge.pages import Order, narrowed
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, StaleVersion
from shared.products.matching.quantity import quantity
from shared.products.matching.text import normalise
from shared.products.request_schemas import (
    ProductRequestView,
    ProductWish,
    RequestChange,
    RequestPage,
    RequestQuery,
    WishView,
)
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "product_requests"
MARKS_COLLECTION: Final = "product_request_marks"
MARKS_KEPT: Final = timedelta(days=2)
ATTEMPTS: Final = 6
# Whoever has an IPv6 address has at least as many as fit in this.
_IPV6_PREFIX: Final = 64

Fields = dict[str, Any]


def ask(wish: ProductWish, by: Actor, clock: Clock = utc_now) -> tuple[WishView, bool]:
    """The request with this wish counted, and whether it is a new one; raises Invalid, Conflict."""
    if not normalise(wish.name):
        raise Invalid.one("name", "must hold a letter or a digit")
    request_id = request_id_of(wish)
    mark = _mark(request_id, by.address, clock)
    for _ in range(ATTEMPTS):
        known, counted = _read_both(request_id, mark)
        if known is not None and counted:
            return _wish_view(request_id, known), False
        try:
            return _count(request_id, known, wish, mark, by, clock), known is None
        except (Conflict, NotFound):
            # Somebody else asked first, or the same call came twice.
            continue
    raise Conflict("Many are asking for this now; try again.")


def read_page(wanted: RequestQuery) -> RequestPage:
    """One page: its rows' reads and no more; raises BadRequest for a foreign cursor."""
    order = Order((wanted.sort.removeprefix("-"),), wanted, "product-requests")
    query = narrowed(firestore.client().collection(COLLECTION), wanted, ["status"])
    page = order.page(query, wanted.limit)
    requests = [_view(row.id, row.to_dict() or {}) for row in page.rows]
    return RequestPage(requests, page.next_cursor)


def change(
    request_id: str, wanted: RequestChange, expected: int | None, by: Actor
) -> ProductRequestView:
    """The request with its status and note; raises NotFound, StaleVersion, Conflict."""
    for _ in range(ATTEMPTS):
        with firestore.errors_mapped():
            snapshot = reference(request_id).get(**firestore.limits())
        fields = snapshot.to_dict()
        if fields is None:
            raise NotFound("There is no such request.")
        if expected is not None and fields["version"] != expected:
            raise StaleVersion(f"The request is at version {fields['version']} now.")
        new = msgspec.structs.asdict(wanted)
        old = {name: fields[name] for name in new}
        if old == new:
            return _view(request_id, fields)
        try:
            _commit_change(snapshot, old, new, fields["version"] + 1, by)
        except Conflict:
            # Most likely somebody asked for it, which is no reason to refuse.
            continue
        return _view(request_id, {**fields, **new, "version": fields["version"] + 1})
    raise Conflict("The request is being changed by others; try again.")


def reference(request_id: str) -> "DocumentReference":
    """Where a request is stored."""
    return firestore.client().collection(COLLECTION).document(request_id)


def request_id_of(wish: ProductWish) -> str:
    """The id under which every way of writing a name, brand and size is one request."""
    size = str(quantity(wish.size) or normalise(wish.size))
    text = "\n".join((normalise(wish.name), normalise(wish.brand), size))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def new_fields(wish: ProductWish, clock: Clock = utc_now) -> Fields:
    """A request that has just been asked for the first time."""
    now = clock()
    return {
        **msgspec.structs.asdict(wish),
        "count": 1,
        "status": "open",
        "note": "",
        "version": 1,
        "created_at": now,
        "last_asked_at": now,
    }


def _mark(request_id: str, address: str, clock: Clock) -> str:
    key = hashlib.sha256(b"product-requests:" + settings().secret_key.encode()).digest()
    text = f"{clock().date()}\n{request_id}\n{_household(address)}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:40]


def _household(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return str(parsed)
    return str(ipaddress.ip_network(f"{parsed}/{_IPV6_PREFIX}", strict=False))


def _mark_reference(mark: str) -> "DocumentReference":
    return firestore.client().collection(MARKS_COLLECTION).document(mark)


def _read_both(request_id: str, mark: str) -> tuple[Fields | None, bool]:
    references = [reference(request_id), _mark_reference(mark)]
    with firestore.errors_mapped():
        found = {s.id: s for s in firestore.client().get_all(references, **firestore.limits())}
    return found[request_id].to_dict(), found[mark].exists


def _count(  # noqa: PLR0913, PLR0917 - one commit, with all that it writes
    request_id: str, known: Fields | None, wish: ProductWish, mark: str, by: Actor, clock: Clock
) -> WishView:
    from google.cloud.firestore import Increment

    batch = firestore.client().batch()
    batch.create(_mark_reference(mark), {"expires_at": clock() + MARKS_KEPT})
    if known is None:
        after = new_fields(wish, clock)
        batch.create(reference(request_id), after)
    else:
        after = {**known, "count": known["count"] + 1}
        asked = {"count": Increment(1), "last_asked_at": clock()}
        batch.update(reference(request_id), asked)
    # The trail must not keep what the marks are made to hide.
    shopper = msgspec.structs.replace(by, address="")
    before = None if known is None else {"count": known["count"]}
    told = {"count": after["count"], "name": after["name"]}
    batch.create(*audit.entry(shopper, f"{COLLECTION}/{request_id}", before, told))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())
    return _wish_view(request_id, after)


def _commit_change(
    snapshot: "DocumentSnapshot[Any]", old: Fields, new: Fields, version: int, by: Actor
) -> None:
    database = firestore.client()
    batch = database.batch()
    unchanged = database.write_option(last_update_time=snapshot.update_time)
    batch.update(snapshot.reference, {**new, "version": version}, option=unchanged)
    batch.create(*audit.entry(by, f"{COLLECTION}/{snapshot.id}", old, new))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _wish_view(request_id: str, fields: Fields) -> WishView:
    return WishView(request_id, fields["name"], fields["status"], fields["count"])


def _view(request_id: str, fields: Fields) -> ProductRequestView:
    times: Fields = {name: rfc3339(fields[name]) for name in ("created_at", "last_asked_at")}
    names = ProductRequestView.__struct_fields__
    known = {name: fields[name] for name in names if name not in ("id", *times)}
    return ProductRequestView(id=request_id, **known, **times)
