"""What the endpoints for the administration of users take and answer."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.clock import rfc3339
from shared.edge.pages import Cursor, PageSize
from shared.users.profiles import Avatar, Profile, Role

# What mail servers take without quoting; sign-in is by the same address.
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24}$",
    ),
]
Name = Annotated[str, Meta(max_length=100)]


class Invitation(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to give access; without a name the address lends its own."""

    email: Email
    role: Literal["admin", "super_admin"]
    name: Name = ""
    avatar: Avatar | None = None


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    """All of a user that can be changed; role `none` keeps the account and lets nobody in."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    role: Role
    disabled: bool
    avatar: Avatar


class ListUsers(msgspec.Struct, forbid_unknown_fields=True):
    """Which page of the users."""

    limit: PageSize = 50
    cursor: Cursor | None = None


class UserRecord(msgspec.Struct):
    """One user; `avatar` names the file /avatars/<avatar>.svg."""

    uid: str
    email: str
    name: str
    isAdmin: bool  # noqa: N815
    isSuperAdmin: bool  # noqa: N815
    disabled: bool
    avatar: Avatar
    created_at: str
    last_sign_in_at: str | None
    version: int


class InvitedUser(UserRecord):
    """A user who was given access; with `mail` off nobody was told, as no mail is set up."""

    mail: Literal["queued", "off"]


class UserPage(msgspec.Struct):
    """One page of the users, newest first."""

    users: list[UserRecord]
    next_cursor: str | None


class SessionRecord(msgspec.Struct):
    """A session without what could be used of it."""

    created_at: str
    expires_at: str
    revoked_at: str | None


class PersonalData(msgspec.Struct):
    """All that is kept of one person; `incomplete` names the lists that hold more than is shown.

    At most 100 sessions, 1,000 notes, 400 days of activity and 1,000 entries of the audit trail, by
    the person or about them; what would name others is emptied in them.
    """

    as_of: str
    profile: UserRecord
    sessions: list[SessionRecord]
    notes: list[dict[str, Any]]
    activity: list[dict[str, Any]]
    audit: list[dict[str, Any]]
    incomplete: list[str]


def facts(profile: Profile) -> dict[str, Any]:
    """The fields of a user's record."""
    last = profile.last_sign_in_at
    return {
        "uid": profile.uid,
        "email": profile.email,
        "name": profile.name,
        "isAdmin": profile.role != "none",
        "isSuperAdmin": profile.role == "super_admin",
        "disabled": profile.disabled,
        "avatar": profile.avatar,
        "created_at": rfc3339(profile.created_at),
        "last_sign_in_at": None if last is None else rfc3339(last),
        "version": profile.version,
    }


def view(profile: Profile) -> UserRecord:
    """The user as super admins see them."""
    return UserRecord(**facts(profile))
