"""Changing and removing users: nobody does it to himself, and a super admin is always left."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound, StaleVersion
from shared.products import outbox
from shared.system import audit
from shared.users import erasing, erasures, profiles, roster, settling
from shared.users.admin_schemas import UserChange
from shared.users.profiles import Profile

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

AUDITED: Final = ("name", "role", "disabled", "avatar")


def change(uid: str, wanted: UserChange, expected: int | None, by: Actor) -> Profile:
    """The changed user, whose sessions have ended if the role or access did.

    Raises NotFound, StaleVersion, Conflict, Forbidden, or DependencyUnavailable where the change
    is committed and a task has to finish what follows.
    """

    def run(transaction: "Transaction") -> tuple[Profile, Profile]:
        known = read(transaction, uid)
        _check_version(known, expected)
        new = known.changed(**msgspec.structs.asdict(wanted))
        if new is not known:
            _write(transaction, known, new, by)
        return known, new

    known, new = firestore.in_transaction(run)
    if new.rights != known.rights:
        settling.settle_now(uid)
    return new


def remove(uid: str, expected: int | None, by: Actor, clock: Clock = utc_now) -> None:
    """Removes the user: no way in is left on return, and a task erases the rest.

    Raises as `change`; a call for a user who is being erased goes on with that.
    """

    def run(transaction: "Transaction") -> None:
        known = _unless_erasing(transaction, uid)
        if known is None:
            return
        _check_version(known, expected)
        _move_roster(transaction, known, None, by)
        transaction.delete(profiles.reference(uid))
        transaction.set(erasures.reference(uid), erasures.fields(clock()))
        transaction.set(outbox.document("user", uid), outbox.fields("user", uid, outbox.GONE))
        # Without name and address: the entry outlives them.
        before = {"role": known.role, "disabled": known.disabled}
        transaction.set(*audit.entry(by, resource(uid), before, None))

    firestore.in_transaction(run)
    erasing.close_now(uid)


def read(transaction: "Transaction", uid: str) -> Profile:
    """The profile as the transaction sees it; raises NotFound."""
    snapshot = profiles.reference(uid).get(transaction=transaction, **firestore.limits())
    fields = snapshot.to_dict()
    if fields is None:
        raise NotFound("There is no such user.")
    return profiles.from_document(uid, fields)


def resource(uid: str) -> str:
    """What the audit trail calls a user."""
    return f"{profiles.COLLECTION}/{uid}"


def _unless_erasing(transaction: "Transaction", uid: str) -> Profile | None:
    try:
        return read(transaction, uid)
    except NotFound:
        reference = erasures.reference(uid)
        begun = reference.get(transaction=transaction, **firestore.limits()).to_dict()
        if begun is None or begun["done_at"] is not None:
            raise
        return None


def _write(transaction: "Transaction", known: Profile, new: Profile, by: Actor) -> None:
    _move_roster(transaction, known, new, by)
    transaction.set(profiles.reference(new.uid), profiles.to_document(new))
    if new.rights != known.rights:
        owed = outbox.fields("user", new.uid, new.version)
        transaction.set(outbox.document("user", new.uid), owed)
    transaction.set(*audit.entry(by, resource(new.uid), _told(known, new), _told(new, known)))


def _move_roster(
    transaction: "Transaction", known: Profile, new: Profile | None, by: Actor
) -> None:
    """Checks that the caller may do this, and keeps the roster true to it."""
    keeps = new is not None and new.super_admin
    if by.uid == known.uid and not keeps:
        raise Conflict("Nobody takes the role from himself; ask another super admin.")
    listed = roster.read(transaction)
    roster.check_actor(listed, by.uid)
    roster.write(transaction, listed, listed | {known.uid} if keeps else listed - {known.uid})


def _told(side: Profile, other: Profile) -> dict[str, Any]:
    return {
        name: getattr(side, name) for name in AUDITED if getattr(side, name) != getattr(other, name)
    }


def _check_version(known: Profile, expected: int | None) -> None:
    if expected is not None and known.version != expected:
        raise StaleVersion(f"The user is at version {known.version} now.")
