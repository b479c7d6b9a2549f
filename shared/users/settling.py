"""Carrying a change through: sessions ended, the account mirrored, the mail asked for.

The change itself is committed before. What is left of it stands in the outbox until all of it
is done; every step recomputes from the profile, so it may run twice and late.
"""

import hashlib
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, identity, tasks
from shared.edge import sessions
from shared.errors import Conflict, DependencyError, DependencyUnavailable, NotFound
from shared.products import outbox
from shared.users import profiles
from shared.users.background_schemas import MailInvitation, SettleUser
from shared.users.profiles import Profile

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

QUEUE: Final = "users"
FUNCTION: Final = "settle_user"
MAIL_QUEUE: Final = "notifications"
MAIL_FUNCTION: Final = "mail_invitation"
ATTEMPTS: Final = 5


def settle_now(uid: str) -> None:
    """What a change owes, at once; raises DependencyUnavailable where a task has to finish it."""
    try:
        settle(uid)
    except (DependencyError, Conflict) as error:
        with suppress(DependencyError):
            request(uid)
        raise DependencyUnavailable(
            "The change is made and being carried through; sessions may live for another minute."
        ) from error


def settle(uid: str) -> None:
    """What is still owed after changes to a user; raises a DependencyError or Conflict."""
    for _ in range(ATTEMPTS):
        try:
            profile = profiles.read(uid)
        except NotFound:
            from shared.users import erasing

            erasing.finish(uid)
            return
        _apply(profile)
        if _is_settled(profile):
            return
    raise Conflict("The user is being changed all the time.")


def request(uid: str, *, name: str | None = None, delay_seconds: float = 0) -> None:
    """Has a task carry the user's change through; raises a DependencyError."""
    body = msgspec.json.encode(SettleUser(uid))
    tasks.enqueue(QUEUE, FUNCTION, body, name=name, delay_seconds=delay_seconds)


def _apply(profile: Profile) -> None:
    try:
        sessions.revoke_of_user(profile.uid, profile.rights)
    finally:
        _mirror(profile)
    if profile.invited:
        # Ids that others chose may hold what the name of a task may not.
        digest = hashlib.sha256(profile.uid.encode()).hexdigest()[:20]
        body = msgspec.json.encode(MailInvitation(profile.uid))
        name = f"invitation-{digest}-{profile.version}"
        tasks.enqueue(MAIL_QUEUE, MAIL_FUNCTION, body, name=name)


def _mirror(profile: Profile) -> None:
    claims = profiles.claims_of(profile)
    try:
        identity.mirror(profile.uid, claims, disabled=profile.disabled)
    except NotFound:
        # Removed behind our back; the profile waits for somebody to remove it too.
        log.warning("A profile has no account", extra={"context": {"uid": profile.uid}})


def _is_settled(applied: Profile) -> bool:
    """Whether nothing changed meanwhile; takes the debt off the outbox if so."""

    def look(transaction: "Transaction") -> bool:
        owed = outbox.document("user", applied.uid)
        references = [profiles.reference(applied.uid), owed]
        found = firestore.client().get_all(
            references, transaction=transaction, **firestore.limits()
        )
        fields = {s.reference.parent.id: s.to_dict() for s in found}
        known = fields[profiles.COLLECTION]
        if known is None or known["rights"] != applied.rights:
            return False
        if known["invited"] and not applied.invited:
            return False
        if fields[outbox.COLLECTION] is not None:
            transaction.delete(owed)
        return True

    return firestore.in_transaction(look)
