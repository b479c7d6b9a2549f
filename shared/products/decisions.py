"""What people decided about pairs of products: the same, or not the same."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore
from shared.products import pairs

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "match_decisions"

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
    """Stores the decision within the transaction, in the place of an earlier one."""
    links = pairs.Links()
    write(transaction, links, decision)
    links.store(transaction)


def write(transaction: "Transaction", links: pairs.Links, decision: Decision) -> None:
    """Stores the decision, and has both products' states know of it once `links` are stored.

    So whoever matches one of them knows what was decided without reading a decision.
    """
    a, b = sorted(decision.products)
    fields: dict[str, Any] = {**msgspec.structs.asdict(decision), "products": [a, b]}
    transaction.set(reference(a, b), fields)
    links.tell(a, b, decided=decision.same)


def forget(transaction: "Transaction", links: pairs.Links, a: str, b: str) -> None:
    """Takes a decision back, and has both states forget it once `links` are stored."""
    from google.cloud.firestore import DELETE_FIELD

    transaction.delete(reference(a, b))
    links.tell(a, b, decided=DELETE_FIELD)
