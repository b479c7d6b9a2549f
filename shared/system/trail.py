"""Reading the audit trail."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros, rfc3339
from shared.edge.cursors import read_cursor, write_cursor
from shared.errors import Invalid
from shared.system.audit import COLLECTION
from shared.system.schemas import AuditEntry, AuditPage, AuditQuery

if TYPE_CHECKING:
    from google.cloud.firestore import Query


def read_page(wanted: AuditQuery) -> AuditPage:
    """One page, newest first; raises Invalid for several filters at once, BadRequest."""
    query = newest_first(filtered(wanted)).limit(wanted.limit)
    if wanted.cursor:
        micros, entry_id = read_cursor(wanted.cursor, _bound_to(wanted))
        document = firestore.client().collection(COLLECTION).document(entry_id)
        query = query.start_after({"at": from_epoch_micros(micros), "__name__": document})
    with firestore.errors_mapped():
        found = list(query.stream(**firestore.limits()))
    entries = [_entry(s.id, s.to_dict() or {}) for s in found]
    next_cursor = None
    if len(found) == wanted.limit:
        position = [epoch_micros(found[-1].get("at")), found[-1].id]
        next_cursor = write_cursor(position, _bound_to(wanted))
    return AuditPage(entries, next_cursor)


def filtered(wanted: AuditQuery) -> "Query":
    """The query for the entries that are asked for; raises Invalid for a time that is none."""
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(COLLECTION)  # type: ignore[assignment]
    for name in ("actor", "action", "resource"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    for comparison, moment in ((">=", wanted.since), ("<", wanted.until)):
        if moment is not None:
            named = "from" if comparison == ">=" else "to"
            query = query.where(filter=FieldFilter("at", comparison, _in_utc(moment, named)))
    return query


def _in_utc(moment: datetime, named: str) -> datetime:
    if moment.tzinfo is None:
        raise Invalid.one(named, "needs a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid.one(named, "is out of range") from None


def newest_first(query: "Query") -> "Query":
    """The query in the order that the trail is read in."""
    return query.order_by("at", direction="DESCENDING").order_by("__name__", direction="DESCENDING")


def _bound_to(wanted: AuditQuery) -> str:
    binding = [wanted.actor, wanted.action, wanted.resource, wanted.since, wanted.until]
    return msgspec.json.encode(binding).decode()


def _entry(entry_id: str, fields: dict[str, Any]) -> AuditEntry:
    known = {name: fields[name] for name in AuditEntry.__struct_fields__ if name != "id"}
    for side in ("before", "after"):
        known[side] = _plain(known[side])
    return AuditEntry(id=entry_id, **{**known, "at": rfc3339(known["at"])})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return rfc3339(value) if hasattr(value, "isoformat") else value
