"""/api/notes/<note_id>: read, change or remove one of one's own notes."""

from shared.edge import Request, endpoint
from shared.notes import notebook
from shared.notes.schemas import NoteContent, NoteView, view

note = endpoint(__name__, "/api/notes/{note_id}", service_account="notes")


@note.get(role="admin", etag=True)
def read(request: Request) -> NoteView:
    """The note, with its version as ETag; raises NotFound (404), also for another's."""
    return view(notebook.read(request.path["note_id"], request.actor.uid))


@note.put(role="admin", audit="note.updated", etag=True, if_match=True, raises=(409,))
def change(request: Request[NoteContent]) -> NoteView:
    """The changed note; raises NotFound (404), Conflict (409) or StaleVersion (412)."""
    changed = notebook.change(
        request.path["note_id"], request.body, request.if_match, request.actor
    )
    return view(changed)


@note.delete(role="admin", audit="note.deleted", if_match=True, raises=(409,))
def remove(request: Request) -> None:
    """Removes it for good; raises NotFound (404), Conflict (409) or StaleVersion (412)."""
    notebook.remove(request.path["note_id"], request.if_match, request.actor)
