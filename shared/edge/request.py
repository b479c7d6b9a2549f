"""What a handler is given: the validated request and who sent it."""

from collections.abc import Mapping
from types import GenericAlias
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from typing import Generic

    from typing_extensions import TypeVar

    BodyT = TypeVar("BodyT", default=None)
    QueryT = TypeVar("QueryT", default=None)

    class _Typed(Generic[BodyT, QueryT]): ...
else:
    # Each start would pay for type variables that only the type checker looks at.
    BodyT = QueryT = object

    class _Typed:
        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)


class Session(msgspec.Struct, frozen=True):
    """A live session; `expires_at` is in seconds since the epoch."""

    id: str
    uid: str
    email: str
    admin: bool
    super_admin: bool
    expires_at: float


class Actor(msgspec.Struct, frozen=True):
    """Who does something, by which action and from where: the first half of an audit entry."""

    uid: str
    email: str
    action: str
    address: str
    request_id: str


class UploadedFile(msgspec.Struct, frozen=True):
    """One file of a multipart body."""

    name: str
    content: bytes


class Form(msgspec.Struct, frozen=True):
    """A multipart body: its text fields and its files, by field name."""

    fields: Mapping[str, str]
    files: Mapping[str, UploadedFile]


class Request(msgspec.Struct, _Typed[BodyT, QueryT]):
    """One validated request; `path` holds the template's parameters, `if_match` a version.

    `retries` counts the attempts of Cloud Tasks before this one.
    """

    id: str
    path: Mapping[str, str]
    body: BodyT
    query: QueryT
    actor: Actor
    session: Session | None = None
    if_match: int | None = None
    retries: int = 0
