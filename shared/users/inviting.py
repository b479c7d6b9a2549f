"""Giving somebody access: the account, the profile, and a mail with the link to a password."""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, identity, mail
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.errors import Conflict, DependencyError, NotFound
from shared.products import outbox
from shared.system import audit
from shared.users import administration, erasures, insights, profiles, roster, settling
from shared.users.admin_schemas import Invitation, InvitedUser, facts
from shared.users.profiles import Profile

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

SUBJECT: Final = "Your access to Shopple Admin"
TEXT: Final = """Hello {name},

you have been given access to Shopple Admin. Set your password here:

{link}

Then sign in with this address at {site}

The link works for an hour. After that, ask for a new one where you sign in, or have yourself
invited again. If you do not expect this mail, do nothing: without the link nobody gets in.
"""


def invite(wanted: Invitation, by: Actor, clock: Clock = utc_now) -> InvitedUser:
    """The user, new or given the role, to whom a link is mailed.

    Whoever has never signed in is mailed anew. Raises Conflict for somebody who has access already,
    is disabled or is being removed, Forbidden, Invalid or a DependencyError.
    """
    email = wanted.email.lower()
    account = identity.find_account(email)
    if account is None:
        name = wanted.name or email.partition("@")[0]
        uid = identity.create_account(email, name)
    else:
        name = wanted.name or account.name or email.partition("@")[0]
        uid = account.uid
        _take_over(account, wanted)

    def run(transaction: "Transaction") -> Profile:
        known = _find(transaction, uid)
        erasures.check_none(transaction, uid)
        _check_invitable(known, wanted)
        if known is None:
            now = clock()
            new = profiles.new_profile(uid, email, name, wanted.role, now, wanted.avatar)
        else:
            avatar = wanted.avatar or known.avatar
            new = known.changed(name=wanted.name or known.name, role=wanted.role, avatar=avatar)
            new = msgspec.structs.replace(new, version=known.version + 1)
        new = msgspec.structs.replace(new, invited=mail.is_set_up())
        _write(transaction, known, new, by)
        return new

    new = firestore.in_transaction(run)
    settling.settle_now(uid)
    with suppress(DependencyError):
        insights.request_refresh()
    return InvitedUser(**facts(new), mail="queued" if new.invited else "off")


def send(uid: str) -> None:
    """Mails the link to whoever still waits for it; raises a DependencyError."""
    from shared.config import settings

    try:
        profile = profiles.read(uid)
        if not profile.invited:
            return
        link = identity.password_link(profile.email)
    except NotFound:
        # Removed meanwhile.
        return
    text = TEXT.format(name=profile.name, link=link, site=settings().frontend_origin)
    mail.send(mail.Mail(to=profile.email, subject=SUBJECT, text=text))
    stop_waiting(uid, profile.version)


def stop_waiting(uid: str, version: int | None = None) -> None:
    """Writes down that no mail is due, unless one is for another version; raises Conflict."""

    def run(transaction: "Transaction") -> None:
        known = _find(transaction, uid)
        if known is not None and version in (None, known.version):
            transaction.update(profiles.reference(uid), {"invited": False})

    firestore.in_transaction(run)


def _take_over(account: identity.Account, wanted: Invitation) -> None:
    """Makes an account that is there already safe to give access to; raises Conflict."""
    try:
        known = profiles.read(account.uid)
    except NotFound:
        known = None
    _check_invitable(known, wanted)
    if known is not None:
        return
    if account.disabled:
        raise Conflict("The account of this address is disabled.")
    # Somebody gave claims to just this account: nobody waits in it for what it has already.
    if account.email_verified or profiles.role_in(account.claims) != "none":
        return
    # Anybody can sign up with somebody else's address, and wait for it to be given access.
    if set(account.providers) - {"password"}:
        raise Conflict("This address was never verified by the account that uses it.")
    identity.lock_account(account.uid)


def _check_invitable(known: Profile | None, wanted: Invitation) -> None:
    if known is None:
        return
    if known.disabled:
        raise Conflict("This user is disabled.")
    waiting = known.last_sign_in_at is None and known.role == wanted.role
    if known.role != "none" and not waiting:
        raise Conflict("This user has access already.")


def _find(transaction: "Transaction", uid: str) -> Profile | None:
    try:
        return administration.read(transaction, uid)
    except NotFound:
        return None


def _write(transaction: "Transaction", known: Profile | None, new: Profile, by: Actor) -> None:
    listed = roster.read(transaction)
    roster.check_actor(listed, by.uid)
    if new.super_admin:
        roster.write(transaction, listed, listed | {new.uid})
    transaction.set(profiles.reference(new.uid), profiles.to_document(new))
    owed = outbox.fields("user", new.uid, new.version)
    transaction.set(outbox.document("user", new.uid), owed)
    before = None if known is None else {"role": known.role}
    after = {"email": new.email, "name": new.name, "role": new.role}
    transaction.set(*audit.entry(by, administration.resource(new.uid), before, after))
