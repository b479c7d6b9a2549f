"""All that is kept of one person, as the law lets that person ask for it."""

from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.edge import session_records
from shared.edge.pages import in_order
from shared.edge.request import Actor
from shared.notes import notebook
from shared.system import audit
from shared.system.schemas import AuditQuery
from shared.system.trail import filtered
from shared.users import erasing, profiles
from shared.users.admin_schemas import PersonalData, SessionRecord, view

if TYPE_CHECKING:
    from google.cloud.firestore import Query

MOST_SESSIONS: Final = 100
MOST_DAYS: Final = 400
MOST_ENTRIES: Final = 1000

Fields = dict[str, Any]


def collect(uid: str, by: Actor, clock: Clock = utc_now) -> PersonalData:
    """The person's data, and an entry in the trail that it was handed out; raises NotFound."""
    profile = profiles.read(uid)
    incomplete: list[str] = []
    sessions = _read(session_records.of_user(uid), MOST_SESSIONS, "sessions", incomplete)
    notes = _read(notebook.owned_by(uid), notebook.MOST_NOTES, "notes", incomplete)
    activity = _read(erasing.activity_of(uid), MOST_DAYS, "activity", incomplete)
    trail = _trail(uid, incomplete)
    audit.write(by, f"users/{uid}")
    return PersonalData(
        as_of=rfc3339(clock()),
        profile=view(profile),
        sessions=[_session(fields) for fields in sessions],
        notes=[_plain(fields) for fields in notes],
        activity=[_plain(fields) for fields in activity],
        audit=[_plain(fields) for fields in trail],
        incomplete=incomplete,
    )


def _trail(uid: str, incomplete: list[str]) -> list[Fields]:
    """The newest entries of what the person did and of what was done to them."""
    own, about = (
        _read(in_order(filtered(wanted), ("at",)), MOST_ENTRIES, "audit", incomplete)
        for wanted in (AuditQuery(actor=uid), AuditQuery(resource=f"users/{uid}"))
    )
    found = own + [fields for fields in about if fields["actor"] != uid]
    found.sort(key=lambda fields: fields["at"], reverse=True)
    if len(found) > MOST_ENTRIES and "audit" not in incomplete:
        incomplete.append("audit")
    return [_without_others(fields, uid) for fields in found[:MOST_ENTRIES]]


def _without_others(entry: Fields, uid: str) -> Fields:
    """The entry without what names anybody else; of who else acted, the id is left."""
    masked = dict(entry)
    if entry["actor"] != uid:
        masked |= {"actor_email": "", "address": ""}
    resource = str(entry["resource"])
    if resource.startswith("users/") and resource != f"users/{uid}":
        for side in ("before", "after"):
            if told := entry[side]:
                masked[side] = told | {name: "" for name in ("email", "name") if name in told}
    return masked


def _read(query: "Query", most: int, name: str, incomplete: list[str]) -> list[Fields]:
    with firestore.errors_mapped():
        found = list(query.limit(most + 1).stream(**firestore.limits()))
    if len(found) > most and name not in incomplete:
        incomplete.append(name)
    return [snapshot.to_dict() or {} for snapshot in found[:most]]


def _session(fields: Fields) -> SessionRecord:
    ended = fields["revoked_at"]
    return SessionRecord(
        created_at=rfc3339(fields["created_at"]),
        expires_at=rfc3339(fields["expires_at"]),
        revoked_at=None if ended is None else rfc3339(ended),
    )


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return rfc3339(value) if hasattr(value, "isoformat") else value
