"""Who was active on which day of UTC: one document per user and day.

Noted where a session is opened or renewed, which writes to Firestore already, and by an instance
at most once per user and hour. A note that fails is lost, never the request.
"""

import logging
from datetime import date
from typing import TYPE_CHECKING, Final

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.errors import ShoppleError

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

log = logging.getLogger(__name__)

COLLECTION: Final = "user_activity"
# Somebody waits for the call that carries the note.
TIMEOUT_SECONDS: Final = 1.0


class Noted:
    """The users whom this instance has noted in the present hour."""

    def __init__(self) -> None:
        self._hour = 0
        self._uids: set[str] = set()

    def is_new(self, uid: str, hour: int) -> bool:
        """Whether the user was not noted in that hour yet; an earlier hour is forgotten."""
        if hour != self._hour:
            self._hour, self._uids = hour, set()
        return uid not in self._uids

    def add(self, uid: str) -> None:
        """Remembers that the user was noted."""
        self._uids.add(uid)


_noted = Noted()


def document(uid: str, day: date) -> "DocumentReference":
    """Where a user's day stands."""
    return firestore.client().collection(COLLECTION).document(f"{day}_{uid}")


def note(uid: str, clock: Clock = utc_now) -> None:
    """Notes that the user is active now; never raises for a database that fails."""
    now = clock()
    if not _noted.is_new(uid, int(now.timestamp()) // 3600):
        return
    try:
        _write(uid, now.date(), epoch_micros(now))
    except ShoppleError as error:
        context = {"uid": uid, "error": error.title}
        log.warning("A user's activity was not noted", extra={"context": context})
        return
    _noted.add(uid)


def _write(uid: str, day: date, micros: int) -> None:
    from google.cloud.firestore import Maximum, Minimum

    # The same whichever of two notes comes first, and however often each comes.
    fields = {
        "uid": uid,
        "day": day.isoformat(),
        "first_at_micros": Minimum(micros),
        "last_at_micros": Maximum(micros),
    }
    with firestore.errors_mapped():
        document(uid, day).set(fields, merge=True, retry=None, timeout=TIMEOUT_SECONDS)
