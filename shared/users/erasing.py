"""Erasing a removed user: first every way in, then page by page what is known of the person.

Each page is found anew or noted down, so that a run that was cut off is gone on with.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore, identity
from shared.clock import utc_now
from shared.edge import activity, session_records, sessions
from shared.errors import Conflict, DependencyError, DependencyUnavailable
from shared.notes import notebook
from shared.products import outbox
from shared.system import audit
from shared.users import erasures, insights, settling

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot, Query, WriteBatch

PAGE_ROWS: Final = 200
# More than any user's count of rights: nothing that began under fewer lives on.
ALL_RIGHTS: Final = 2**31
# Longer than any call may run that was admitted before the sessions ended.
LATE_SECONDS: Final = 180.0

Entry = dict[str, Any]


def close_now(uid: str) -> None:
    """Leaves no way in and has the rest erased by a task.

    Raises DependencyUnavailable where that task has to finish the first part too.
    """
    try:
        close(uid)
    except (DependencyError, Conflict) as error:
        raise DependencyUnavailable(
            "The user is removed, but a session may live for another minute. Try again."
        ) from error
    finally:
        # Where it cannot be asked for now, the sweep asks for it.
        with suppress(DependencyError):
            settling.request(uid)


def close(uid: str) -> None:
    """Ends all that a removed user could do; raises a DependencyError or Conflict."""
    try:
        sessions.revoke_of_user(uid, ALL_RIGHTS)
    finally:
        # Also where Redis is away: what is no account cannot begin another session.
        identity.remove_account(uid)


def finish(uid: str) -> None:
    """Erases what is left of a removed user; raises a DependencyError or Conflict."""
    known = erasures.read(uid)
    if known is not None:
        close(uid)
        for query in (session_records.of_user(uid), notebook.owned_by(uid)):
            firestore.delete_all(query, PAGE_ROWS)
        insights.forget(uid)
        for field, value, erased in (
            ("actor", uid, _as_actor),
            ("resource", f"users/{uid}", _as_resource),
        ):
            _rewrite(uid, field, value, known.reached.get(field), erased)
        if known.done_at is None:
            # For what a call wrote that was under way meanwhile. First, since nobody asks for it
            # once this is done; the name makes one task of two.
            digest = hashlib.sha256(uid.encode()).hexdigest()[:20]
            settling.request(uid, name=f"late-{digest}", delay_seconds=LATE_SECONDS)
        erasures.update(uid, {"done_at": utc_now(), "reached": {}})
    with firestore.errors_mapped():
        outbox.document("user", uid).delete(**firestore.limits())


def activity_of(uid: str) -> "Query":
    """The query for the days on which a user was active."""
    from google.cloud.firestore import FieldFilter

    only = FieldFilter("uid", "==", uid)
    return firestore.client().collection(activity.COLLECTION).where(filter=only)


def _rewrite(
    uid: str,
    field: str,
    value: str,
    reached: datetime | None,
    erased: Callable[[Entry, str], Entry],
) -> None:
    """Rewrites the entries of the trail that a field finds, newest first."""
    for found in firestore.runs(_entries(field, value, reached), PAGE_ROWS):
        batch = firestore.client().batch()
        for snapshot in found:
            _replace(batch, snapshot, erased(snapshot.to_dict() or {}, erasures.pseudonym(uid)))
        with firestore.errors_mapped():
            batch.commit(**firestore.limits())
        if len(found) == PAGE_ROWS:
            erasures.update(uid, {f"reached.{field}": found[-1].get("at")})


def _entries(field: str, value: str, reached: datetime | None) -> "Query":
    from google.cloud.firestore import FieldFilter

    only = FieldFilter(field, "==", value)
    query = firestore.client().collection(audit.COLLECTION).where(filter=only)
    if reached is not None:
        query = query.where(filter=FieldFilter("at", "<=", reached))
    return query.order_by("at", direction="DESCENDING")


def _replace(batch: "WriteBatch", snapshot: "DocumentSnapshot[Any]", change: Entry) -> None:
    if change:
        batch.update(snapshot.reference, change)


def _as_actor(entry: Entry, pseudonym: str) -> Entry:
    """What hides who acted; the user's id stays, which is nobody's any more."""
    return {"actor_email": pseudonym, "address": "", **_as_resource(entry, pseudonym)}


def _as_resource(entry: Entry, pseudonym: str) -> Entry:
    """What hides whom the entry is about."""
    if not str(entry["resource"]).startswith("users/"):
        return {}
    hidden: Entry = {}
    for side in ("before", "after"):
        known = entry[side] or {}
        if "email" in known:
            hidden[f"{side}.email"] = pseudonym
        if "name" in known:
            hidden[f"{side}.name"] = ""
    return hidden
