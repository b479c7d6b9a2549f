"""What a handler is given: the validated request and who sent it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

BodyT = TypeVar("BodyT", default=None)
QueryT = TypeVar("QueryT", default=None)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session; `expires_at` is in seconds since the epoch."""

    id: str
    uid: str
    email: str
    admin: bool
    super_admin: bool
    expires_at: float


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, by which action and from where: the first half of an audit entry."""

    uid: str
    email: str
    action: str
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file of a multipart body."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body: its text fields and its files, by field name."""

    fields: Mapping[str, str]
    files: Mapping[str, UploadedFile]


@dataclass(slots=True)
class Request(Generic[BodyT, QueryT]):
    """One validated request; `path` holds the template's parameters, `if_match` a version."""

    id: str
    path: Mapping[str, str]
    body: BodyT
    query: QueryT
    actor: Actor
    session: Session | None = None
    if_match: int | None = None
