"""A user's profile: the truth about who may do what.

Firebase Authentication holds the credential and mirrors what the profile says.
"""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import msgspec

from shared.clients import firestore
from shared.errors import NotFound

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "users"

Role = Literal["none", "admin", "super_admin"]
Avatar = Literal[
    "bear",
    "bird",
    "cat",
    "dog",
    "fish",
    "fox",
    "frog",
    "koala",
    "mouse",
    "owl",
    "panda",
    "rabbit",
]
AVATARS: Final[tuple[Avatar, ...]] = get_args(Avatar)


class Profile(msgspec.Struct, frozen=True):
    """One user as stored; `rights` counts the changes of role or access since the beginning.

    A session is told the count that it began under, so that an older one can be told. `invited`
    says that the mail with the first link is still to be sent.
    """

    uid: str
    email: str
    name: str
    role: Role
    disabled: bool
    avatar: Avatar
    rights: int
    invited: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    version: int

    @property
    def admitted(self) -> bool:
        """Whether the user may sign in at all."""
        return self.role != "none" and not self.disabled

    @property
    def super_admin(self) -> bool:
        """Whether the user is a super admin who may sign in."""
        return self.role == "super_admin" and not self.disabled

    def changed(self, **fields: Any) -> "Profile":
        """The next version with `fields` replaced; itself where nothing changes."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        new = msgspec.structs.replace(self, **fields, version=self.version + 1)
        moved = (new.role, new.disabled) != (self.role, self.disabled)
        return msgspec.structs.replace(new, rights=self.rights + moved)


def role_in(claims: dict[str, Any]) -> Role:
    """The role that the claims of a token or an account give."""
    if claims.get("super_admin"):
        return "super_admin"
    return "admin" if claims.get("admin") else "none"


def claims_of(profile: Profile) -> dict[str, bool]:
    """The claims that mirror the profile; a user without access has none."""
    if not profile.admitted:
        return {}
    return {"admin": True} | ({"super_admin": True} if profile.super_admin else {})


def avatar_for(uid: str) -> Avatar:
    """The avatar of whoever has chosen none: always the same one."""
    return AVATARS[hashlib.sha256(uid.encode()).digest()[0] % len(AVATARS)]


def new_profile(  # noqa: PLR0913, PLR0917 - each is a field
    uid: str,
    email: str,
    name: str,
    role: Role,
    now: datetime,
    avatar: Avatar | None = None,
    *,
    invited: bool = False,
) -> Profile:
    """The first version of a user's profile."""
    return Profile(
        uid=uid,
        email=email,
        name=name,
        role=role,
        disabled=False,
        avatar=avatar or avatar_for(uid),
        rights=1,
        invited=invited,
        created_at=now,
        last_sign_in_at=None,
        version=1,
    )


def to_document(profile: Profile) -> dict[str, Any]:
    """The profile's fields in Firestore."""
    fields = msgspec.structs.asdict(profile)
    del fields["uid"]
    return fields


def from_document(uid: str, fields: dict[str, Any]) -> Profile:
    """The profile in a document's fields."""
    return Profile(uid=uid, **{name: fields[name] for name in _STORED})


def reference(uid: str) -> "DocumentReference":
    """Where a user's profile is stored."""
    return firestore.client().collection(COLLECTION).document(uid)


def read(uid: str) -> Profile:
    """The user's profile; raises NotFound."""
    with firestore.errors_mapped():
        fields = reference(uid).get(**firestore.limits()).to_dict()
    if fields is None:
        raise NotFound("There is no such user.")
    return from_document(uid, fields)


_STORED: Final = tuple(name for name in Profile.__struct_fields__ if name != "uid")
