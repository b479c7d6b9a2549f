"""Matched pairs: one document for two products that are thought to be the same."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.products import catalogue
from shared.products.matching import Match
from shared.products.models import from_document
from shared.products.schemas import EvidenceView, MatchList, MatchView, view
from shared.system import configuration

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "match_pairs"
STATES: Final = "match_states"
MAX_SHOWN: Final = 20

Stored = dict[str, dict[str, Any]]


def pair_id(a: str, b: str) -> str:
    """The id of the pair, the same from both sides."""
    return "_".join(sorted((a, b)))


def reference(a: str, b: str) -> "DocumentReference":
    """Where the pair is stored."""
    return firestore.client().collection(COLLECTION).document(pair_id(a, b))


def fields(a: str, b: str, match: Match) -> dict[str, Any]:
    """The pair's fields."""
    return {
        "products": sorted((a, b)),
        "confidence": match.confidence,
        "evidence": [
            {"field": e.field, "verdict": e.verdict, "detail": e.detail} for e in match.evidence
        ],
    }


def state(product_id: str) -> "DocumentReference":
    """Where the product's matching keys and partners are stored."""
    return firestore.client().collection(STATES).document(product_id)


def write(
    transaction: "Transaction", product_id: str, other: str, match: Match | None, stored: Stored
) -> None:
    """Stores the pair, and removes it where there is no match; the same again is nothing."""
    from google.cloud.firestore import DELETE_FIELD

    if match is None:
        if pair_id(product_id, other) in stored:
            transaction.delete(reference(product_id, other))
            _link(transaction, product_id, other, DELETE_FIELD)
        return
    wanted = fields(product_id, other, match)
    if stored.get(pair_id(product_id, other)) != wanted:
        transaction.set(reference(product_id, other), wanted)
        _link(transaction, product_id, other, match.confidence)


def note(
    transaction: "Transaction", product_id: str, known: dict[str, int], found: dict[str, Match]
) -> None:
    """Notes what a product that waits for approval matches, with itself alone."""
    surest = {other: match.confidence for other, match in found.items()}
    if surest != known:
        transaction.set(state(product_id), {"partners": surest}, merge=["partners"])


def _link(transaction: "Transaction", a: str, b: str, value: Any) -> None:
    """Notes the pair's confidence with both products: either finds its surest without a query."""
    transaction.set(state(a), {"partners": {b: value}}, merge=True)
    transaction.set(state(b), {"partners": {a: value}}, merge=True)


def lowest() -> int:
    """The confidence from which two offers count as one product, by the settings."""
    return configuration.current().configuration.thresholds.duplicate_confidence


def sure(partners: Mapping[str, int]) -> dict[str, int]:
    """Those of a product's noted partners that count as the same product by the settings of now."""
    least = lowest()
    return {other: confidence for other, confidence in partners.items() if confidence >= least}


def matches(product_id: str) -> MatchList:
    """The matches of a product, surest first; raises NotFound for an unknown product."""
    catalogue.read(product_id)
    with firestore.errors_mapped():
        known = state(product_id).get(**firestore.limits()).to_dict() or {}
        partners = sure(known.get("partners", {}))
        others = sorted(partners, key=lambda other: (-partners[other], other))[:MAX_SHOWN]
        references = [catalogue.reference(other) for other in others]
        references += [reference(product_id, other) for other in others]
        found = {
            s.id: s.to_dict() for s in firestore.client().get_all(references, **firestore.limits())
        }
    shown = []
    for other in others:
        pair, fields_of_other = found[pair_id(product_id, other)], found[other]
        if pair and fields_of_other and fields_of_other["listed"]:
            evidence = [EvidenceView(**piece) for piece in pair["evidence"]]
            product = view(from_document(other, fields_of_other))
            shown.append(MatchView(product, pair["confidence"], evidence))
    return MatchList(sorted(shown, key=lambda match: (-match.confidence, match.product.id)))
