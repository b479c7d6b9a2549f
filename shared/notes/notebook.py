"""Single notes: written, read, changed and removed by their owner alone.

Whoever asks for another's note is told that there is none, super admins too; for their sake the
audit trail says that a note was changed and never what it holds.
"""

import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound, StaleVersion
from shared.notes.models import Note, clean_tags, from_document, to_document
from shared.notes.schemas import NoteContent
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Query

COLLECTION: Final = "notes"
# Counted before each new one: two that are written at once may go one beyond.
MOST_NOTES: Final = 1000


def owned_by(uid: str) -> "Query":
    """The query for all notes of a user."""
    from google.cloud.firestore import FieldFilter

    only = FieldFilter("uid", "==", uid)
    return firestore.client().collection(COLLECTION).where(filter=only)


def reference(note_id: str) -> "DocumentReference":
    """Where a note is stored."""
    return firestore.client().collection(COLLECTION).document(note_id)


def read(note_id: str, uid: str) -> Note:
    """The user's note; raises NotFound, also where it is another's."""
    return _read(note_id, uid)[0]


def write(content: NoteContent, by: Actor, clock: Clock = utc_now) -> Note:
    """The new note; raises Conflict where its owner has 1,000 already."""
    with firestore.errors_mapped():
        known = firestore.count(owned_by(by.uid).limit(MOST_NOTES))
    if known >= MOST_NOTES:
        raise Conflict(f"You have {MOST_NOTES:,} notes already; remove one first.")
    now = clock()
    note = Note(
        id=secrets.token_hex(10),
        uid=by.uid,
        version=1,
        created_at=now,
        updated_at=now,
        **_fields(content),
    )
    batch = firestore.client().batch()
    batch.create(reference(note.id), to_document(note))
    batch.create(*audit.entry(by, _resource(note.id), None, {"version": note.version}))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())
    return note


def change(
    note_id: str, content: NoteContent, expected: int | None, by: Actor, clock: Clock = utc_now
) -> Note:
    """The changed note; raises NotFound, StaleVersion, or Conflict where it changes meanwhile."""
    note, snapshot = _read(note_id, by.uid)
    _check_version(note, expected)
    fields = _fields(content)
    changed = note.changed(clock(), **fields)
    if changed is note:
        return note
    different = [name for name, value in fields.items() if getattr(note, name) != value]
    batch = firestore.client().batch()
    batch.update(reference(note_id), to_document(changed), option=_unchanged(snapshot))
    after = {"version": changed.version, "changed": different}
    batch.create(*audit.entry(by, _resource(note_id), {"version": note.version}, after))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())
    return changed


def remove(note_id: str, expected: int | None, by: Actor) -> None:
    """Removes the note for good; raises as `change`."""
    note, snapshot = _read(note_id, by.uid)
    _check_version(note, expected)
    batch = firestore.client().batch()
    batch.delete(reference(note_id), option=_unchanged(snapshot))
    batch.create(*audit.entry(by, _resource(note_id), {"version": note.version}, None))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _read(note_id: str, uid: str) -> tuple[Note, "DocumentSnapshot[Any]"]:
    with firestore.errors_mapped():
        snapshot = reference(note_id).get(**firestore.limits())
    fields = snapshot.to_dict()
    if fields is None or fields["uid"] != uid:
        raise NotFound("There is no such note.")
    return from_document(note_id, fields), snapshot


def _check_version(note: Note, expected: int | None) -> None:
    if expected is not None and note.version != expected:
        raise StaleVersion(f"The note is at version {note.version} now.")


def _fields(content: NoteContent) -> dict[str, Any]:
    return msgspec.structs.asdict(content) | {"tags": clean_tags(content.tags)}


def _unchanged(snapshot: "DocumentSnapshot[Any]") -> Any:
    return firestore.client().write_option(last_update_time=snapshot.update_time)


def _resource(note_id: str) -> str:
    return f"notes/{note_id}"
