"""Reading the audit trail."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.clients import firestore
from shared.clock import rfc3339
from shared.edge.pages import narrowed, newest_first
from shared.errors import Invalid
from shared.system.audit import COLLECTION
from shared.system.schemas import AuditEntry, AuditPage, AuditQuery

if TYPE_CHECKING:
    from shared.edge.pages import Listed


def read_page(wanted: AuditQuery) -> AuditPage:
    """One page, newest first; raises Invalid for several filters at once, BadRequest."""
    page = newest_first(filtered(wanted), "at", wanted, COLLECTION)
    return AuditPage([_entry(row.id, row.to_dict() or {}) for row in page.rows], page.next_cursor)


def filtered(wanted: AuditQuery) -> "Listed":
    """The query for the entries that are asked for; raises Invalid for a time that is none."""
    from google.cloud.firestore import FieldFilter

    trail = firestore.client().collection(COLLECTION)
    query = narrowed(trail, wanted, ("actor", "action", "resource"))
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


def _entry(entry_id: str, fields: dict[str, Any]) -> AuditEntry:
    known = {name: fields[name] for name in AuditEntry.__struct_fields__ if name != "id"}
    for side in ("before", "after"):
        known[side] = _plain(known[side])
    return AuditEntry(id=entry_id, **{**known, "at": rfc3339(known["at"])})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return rfc3339(value) if hasattr(value, "isoformat") else value
