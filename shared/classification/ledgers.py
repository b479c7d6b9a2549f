"""The calibration ledger: for each provider what reviewers said of its newest answers.

One document for each, so that all curves are learnt from five reads, once a minute at most.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.classification.calibration import MOST_DECISIONS, Curve, Outcome, curve, in_sample
from shared.classification.models import KEYED, LOCAL, Item
from shared.classification.prompts import identity
from shared.clients import firestore
from shared.errors import DependencyError

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

log = logging.getLogger(__name__)

COLLECTION: Final = "calibration_ledgers"
PROVIDERS: Final[tuple[str, ...]] = (*KEYED, LOCAL)
FRESH_SECONDS: Final = 60.0

_kept: tuple[float, dict[str, Curve]] | None = None


def calibrated(provider: str, raw: int) -> int:
    """What the provider's own figure (0 to 100) is worth, as it was at most a minute ago.

    Where the ledger is out of reach and was never read, as if nothing were known.
    """
    return curves()[provider].of(raw)


def is_drawn(provider: str, item: Item) -> bool:
    """Whether a person is asked although the answer is sure enough.

    Only what is not sure would be reviewed otherwise, once a curve is fitted: nobody would notice
    that sure answers are wrong.
    """
    return curves()[provider].is_fitted and in_sample(identity(item))


def curves() -> dict[str, Curve]:
    """Each provider's curve."""
    global _kept  # noqa: PLW0603 - one copy for the process
    if _kept is None or time.monotonic() - _kept[0] > FRESH_SECONDS:
        began = time.monotonic()
        try:
            found = read(PROVIDERS)
            _kept = (began, {name: curve(found.get(name, ())) for name in PROVIDERS})
        except DependencyError as error:
            log.warning("No calibration", extra={"context": {"why": error.detail}})
            _kept = (began, _kept[1] if _kept else dict.fromkeys(PROVIDERS, curve(())))
    return _kept[1]


def read(providers: Iterable[str]) -> dict[str, list[Outcome]]:
    """What is known of each, newest first; raises a DependencyError."""
    with firestore.errors_mapped():
        return _read(providers, None)


def read_in(transaction: "Transaction", providers: Iterable[str]) -> dict[str, list[Outcome]]:
    """The same, for the caller's transaction."""
    return _read(providers, transaction)


def write(
    transaction: "Transaction",
    before: Mapping[str, Sequence[Outcome]],
    new: Mapping[str, Sequence[Outcome]],
) -> None:
    """Puts new outcomes before those that were read, in the caller's transaction."""
    for provider, outcomes in new.items():
        kept = [*outcomes, *before.get(provider, ())][:MOST_DECISIONS]
        transaction.set(_reference(provider), _fields(kept))


def forget(
    transaction: "Transaction", before: Mapping[str, Sequence[Outcome]], provider: str, of: Outcome
) -> None:
    """Takes one such outcome away, if it is still kept: which of several says nothing."""
    kept = list(before.get(provider, ()))
    if of in kept:
        kept.remove(of)
        transaction.set(_reference(provider), _fields(kept))


def _read(providers: Iterable[str], transaction: "Transaction | None") -> dict[str, list[Outcome]]:
    found = firestore.existing(map(_reference, providers), transaction)
    return {snapshot.id: _outcomes(snapshot.to_dict() or {}) for snapshot in found}


def _reference(provider: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(provider)


def _fields(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    # Firestore holds no list within a list.
    return {
        "raws": [outcome.raw for outcome in outcomes],
        "rights": [outcome.right for outcome in outcomes],
    }


def _outcomes(fields: dict[str, Any]) -> list[Outcome]:
    return [
        Outcome(raw, right) for raw, right in zip(fields["raws"], fields["rights"], strict=True)
    ]
