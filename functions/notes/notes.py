"""/api/notes: one's own notes, and a new one."""

from shared.edge import Request, endpoint
from shared.notes import notebook
from shared.notes.schemas import ListNotes, NoteContent, NotePage, NoteView, view

notes = endpoint(__name__, "/api/notes", service_account="notes")


@notes.get(role="admin", raises=(400,))
def read_page(request: Request[None, ListNotes]) -> NotePage:
    """One page, pinned notes first; raises BadRequest (400) for a foreign cursor."""
    from shared.notes.listing import list_notes

    return list_notes(request.actor.uid, request.query)


@notes.post(role="admin", audit="note.created", answers={201: NoteView}, etag=True, raises=(409,))
def write(request: Request[NoteContent]) -> NoteView:
    """The new note; raises Conflict (409) where one has 1,000 notes already."""
    return view(notebook.write(request.body, request.actor))
