"""A note: one user's own."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

Colour = Literal["none", "red", "orange", "yellow", "green", "blue", "purple", "grey"]


class Note(msgspec.Struct, frozen=True):
    """One note as it is stored; `uid` is its owner's."""

    id: str
    uid: str
    title: str
    body: str
    tags: list[str]
    pinned: bool
    colour: Colour
    version: int
    created_at: datetime
    updated_at: datetime

    def changed(self, now: datetime, **fields: Any) -> "Note":
        """The next version of the note with `fields` replaced; itself where nothing changes."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return msgspec.structs.replace(self, **fields, version=self.version + 1, updated_at=now)

    def holds(self, text: str) -> bool:
        """Whether title, body or a tag holds every word of `text`, in any case."""
        known = "\n".join((self.title, self.body, *self.tags)).casefold()
        return all(word in known for word in text.casefold().split())


def to_document(note: Note) -> dict[str, Any]:
    """The note's fields in Firestore."""
    fields = msgspec.structs.asdict(note)
    del fields["id"]
    return fields


def from_document(note_id: str, fields: dict[str, Any]) -> Note:
    """The note in a document's fields."""
    return Note(id=note_id, **{name: fields[name] for name in _STORED})


def clean_tags(tags: list[str]) -> list[str]:
    """Tags in lower case, each once, in the order given."""
    return list(dict.fromkeys(tag.lower() for tag in tags))


_STORED: Final = tuple(name for name in Note.__struct_fields__ if name != "id")
