"""What the tasks about users take."""

import msgspec


class SettleUser(msgspec.Struct, forbid_unknown_fields=True):
    """Whose change is to be carried through."""

    uid: str


class MailInvitation(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to be sent a link; the link itself is made when the mail is."""

    uid: str
