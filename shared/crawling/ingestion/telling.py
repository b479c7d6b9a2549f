"""Tells Slack once how a crawl ended: claimed before, written down after.

Slack takes a message without an id, so whoever is cut off between sending and writing leaves a
claim behind; the next call sends again and says so in the message.
"""

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.crawling.ingestion import messages, progress
from shared.crawling.ingestion.models import Ingestion, Telling
from shared.errors import DependencyTimeout, DependencyUnavailable, ShoppleError

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

# Longer than a call may take; a claim that is older was left behind.
CLAIM_LIFETIME: Final = timedelta(minutes=3)
RESULTS: Final = "#/results"


def tell(job_id: str, clock: Clock = utc_now) -> None:
    """Sends the job's message, if it was not sent.

    Raises a DependencyError where it was not, or where another call may be sending it.
    """
    claim = _claim(job_id, clock)
    if claim is None:
        return
    ingestion, again = claim
    from shared.clients import slack

    link = f"{settings().frontend_origin}/{RESULTS}"
    try:
        sent = slack.post(messages.text(ingestion, link, slack.escape, again=again))
    except ShoppleError as error:
        with suppress(ShoppleError):
            # Who did not answer in time may have read it all the same.
            _write(job_id, "claimed" if isinstance(error, DependencyTimeout) else "due")
        raise
    _write(job_id, "sent" if sent else "off")


def give_up(job_id: str) -> None:
    """Notes that nobody was told."""

    def failed(known: Ingestion) -> Ingestion:
        if known.told in ("sent", "off") or known.status == "removed":
            return known
        return msgspec.structs.replace(known, told="failed", claimed_at=None)

    progress.change(job_id, failed)


def _claim(job_id: str, clock: Clock) -> tuple[Ingestion, bool] | None:
    """What is to be told, and whether it perhaps was; None where nothing is."""

    def run(transaction: "Transaction") -> tuple[Ingestion, bool] | None:
        known = progress.read(job_id, transaction)
        if known is None or known.status == "removed" or known.told in ("sent", "off"):
            return None
        now = clock()
        if known.claimed_at is not None and known.claimed_at > now - CLAIM_LIFETIME:
            raise DependencyUnavailable("Another call is telling Slack of this crawl.")
        claimed = msgspec.structs.replace(known, told="claimed", claimed_at=now)
        progress.store(transaction, claimed)
        return claimed, known.told == "claimed"

    return firestore.in_transaction(run)


def _write(job_id: str, told: Telling) -> None:
    def settled(known: Ingestion) -> Ingestion:
        if known.status == "removed":
            return known
        return msgspec.structs.replace(known, told=told, claimed_at=None)

    progress.change(job_id, settled)
