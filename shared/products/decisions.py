"""What people decided about pairs of products: the same, or not the same."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "match_decisions"
# What matching knows of each product.
STATES: Final = "match_states"

Source = Literal["review", "merge", "unmerge"]


class Decision(msgspec.Struct, frozen=True):
    """One person's word on a pair, which no score overrules; the last word counts."""

    products: tuple[str, str]
    same: bool
    decided_by: str
    decided_at: datetime
    source: Source


def reference(a: str, b: str) -> "DocumentReference":
    """Where the decision about the pair is stored, whichever way round it is asked for."""
    return firestore.client().collection(COLLECTION).document("_".join(sorted((a, b))))


def record(transaction: "Transaction", decision: Decision) -> None:
    """Stores the decision within the transaction, in the place of an earlier one.

    Both products' states learn of it in the same commit, so that whoever matches one of them
    knows what was decided without reading a decision.
    """
    a, b = sorted(decision.products)
    fields: dict[str, Any] = {**msgspec.structs.asdict(decision), "products": [a, b]}
    transaction.set(reference(a, b), fields)
    _tell_states(transaction, a, b, decision.same)


def forget(transaction: "Transaction", a: str, b: str) -> None:
    """Takes a decision back within the transaction: the pair is as if nobody had decided it."""
    from google.cloud.firestore import DELETE_FIELD

    transaction.delete(reference(a, b))
    _tell_states(transaction, a, b, DELETE_FIELD)


def _tell_states(transaction: "Transaction", a: str, b: str, word: Any) -> None:
    for one, other in ((a, b), (b, a)):
        state = firestore.client().collection(STATES).document(one)
        transaction.set(state, {"decided": {other: word}}, merge=True)
