"""What the notes' endpoints take and answer."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.clock import rfc3339
from shared.edge.pages import Cursor, PageSize
from shared.notes.models import Colour, Note

Tag = Annotated[str, Meta(min_length=1, max_length=40)]


class NoteContent(msgspec.Struct, forbid_unknown_fields=True):
    """What its owner writes into a note; PUT replaces all of it. At most 10,000 characters."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    body: Annotated[str, Meta(max_length=10_000)] = ""
    tags: Annotated[list[Tag], Meta(max_length=20)] = []
    pinned: bool = False
    colour: Colour = "none"


class ListNotes(msgspec.Struct, forbid_unknown_fields=True):
    """Which notes; `q` wants every word of it somewhere in the note."""

    q: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    tag: Tag | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class NoteView(msgspec.Struct):
    """One note as its owner reads it."""

    id: str
    title: str
    body: str
    tags: list[str]
    pinned: bool
    colour: Colour
    version: int
    created_at: str
    updated_at: str


class NotePage(msgspec.Struct):
    """One page: pinned notes first, then the newest change."""

    notes: list[NoteView]
    next_cursor: str | None


def view(note: Note) -> NoteView:
    """The note with its times as text."""
    return NoteView(
        id=note.id,
        title=note.title,
        body=note.body,
        tags=note.tags,
        pinned=note.pinned,
        colour=note.colour,
        version=note.version,
        created_at=rfc3339(note.created_at),
        updated_at=rfc3339(note.updated_at),
    )
