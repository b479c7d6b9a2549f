"""What signing in takes and answers; the names are the dashboard's."""

from typing import Annotated, Literal

import msgspec


class Login(msgspec.Struct, forbid_unknown_fields=True):
    """A Firebase ID token, fresh from signing in."""

    idToken: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]  # noqa: N815


class UserView(msgspec.Struct):
    """The user of a session."""

    uid: str
    email: str
    isAdmin: bool  # noqa: N815
    isSuperAdmin: bool  # noqa: N815


class LoggedIn(msgspec.Struct):
    """A session that began."""

    success: bool
    user: UserView
    csrfToken: str  # noqa: N815


class LoggedOut(msgspec.Struct):
    """A session that ended."""

    success: bool


class SessionView(msgspec.Struct, omit_defaults=True):
    """Whether there is a session and, if so, whose and until when."""

    valid: bool
    user: UserView | None = None
    csrfToken: str | None = None  # noqa: N815
    expiresAt: str | None = None  # noqa: N815


class TicketRequest(msgspec.Struct, forbid_unknown_fields=True, rename={"purpose": "for"}):
    """What the ticket is to open."""

    purpose: Literal["classify", "crawler"]


class TicketView(msgspec.Struct):
    """A single-use ticket, where to use it, and until when."""

    ticket: str
    url: str
    expires_at: str
