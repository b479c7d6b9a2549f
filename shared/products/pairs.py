"""Matched pairs: one document for two products that are thought to be the same.

A product's state knows its partners, the confidence of each, a mark of each pair as it is stored
and what people decided: who works on a product reads none of its pairs.
"""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import product as combinations
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.products import catalogue
from shared.products.matching import Evidence, Match, Offer
from shared.products.models import from_document
from shared.products.schemas import EvidenceView, MatchList, MatchView, view
from shared.system import configuration

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "match_pairs"
STATES: Final = "match_states"
MAX_SHOWN: Final = 20
# Where every confidence begins; the evidence adds up to the rest.
NEUTRAL: Final = 50
CERTAIN: Final = 100
# In the facets of every pair that waits for a person.
OPEN: Final = "open"


class State(msgspec.Struct, frozen=True):
    """What is known of a product's matches, and the posting lists that it stands in.

    `address` is the identity that its page was last given.
    """

    keys: tuple[str, ...] = ()
    address: str | None = None
    partners: dict[str, int] = {}
    marks: dict[str, str] = {}
    decided: dict[str, bool] = {}


def pair_id(a: str, b: str) -> str:
    """The id of the pair, the same from both sides."""
    return "_".join(sorted((a, b)))


def reference(a: str, b: str) -> "DocumentReference":
    """Where the pair is stored."""
    return firestore.client().collection(COLLECTION).document(pair_id(a, b))


def state(product_id: str) -> "DocumentReference":
    """Where the product's matching keys, partners and decisions are stored."""
    return firestore.client().collection(STATES).document(product_id)


def state_of(fields: Mapping[str, Any] | None) -> State:
    """The state in a document's fields."""
    return msgspec.convert(fields or {}, State)


def fields(a: Offer, b: Offer, match: Match, *, confirmed: bool = False) -> dict[str, Any]:
    """The pair's fields; one that a person confirmed waits in no list of duplicates."""
    return {
        "products": sorted((a.id, b.id)),
        "confidence": match.confidence,
        "evidence": [msgspec.structs.asdict(piece) for piece in match.evidence],
        "decision": "same" if confirmed else None,
        "facets": [] if confirmed else facets(a, b),
    }


def facets(a: Offer, b: Offer) -> list[str]:
    """What the pair is listed under: by retailer, by category, and by both."""
    retailers, categories = {a.retailer, b.retailer}, {a.category, b.category} - {""}
    both = combinations(["", *retailers], ["", *categories])
    return sorted(facet(retailer, category) for retailer, category in both)


def facet(retailer: str | None, category: str | None) -> str:
    """The facet of pairs with an offer of that retailer and one in that category."""
    return f"{retailer or ''}/{category or ''}" if retailer or category else OPEN


def confirmed(match: Match) -> Match:
    """The match as a person's word makes it, whatever the score."""
    weight = CERTAIN - NEUTRAL - sum(piece.weight for piece in match.evidence)
    word = Evidence("decision", "agrees", "a person said that they are the same", weight)
    return Match(CERTAIN, (*match.evidence, word))


def mark_of(wanted: Mapping[str, Any]) -> str:
    """Tells one version of a pair's fields from another."""
    told = {name: value for name, value in wanted.items() if name != "products"}
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:12]


class Links:
    """What a commit tells the states of products about each other: one write for each state."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, dict[str, Any]]] = {}

    def tell(self, a: str, b: str, **facts: Any) -> None:
        """Has each of the two states know these facts of the other."""
        for one, other in ((a, b), (b, a)):
            told = self._told.setdefault(one, {})
            for name, value in facts.items():
                told.setdefault(name, {})[other] = value

    def store(self, transaction: "Transaction") -> bool:
        """Writes what was told; says whether that was anything."""
        for product_id, told in self._told.items():
            transaction.set(state(product_id), told, merge=True)
        return bool(self._told)


def write(
    transaction: "Transaction", links: Links, a: Offer, b: Offer, wanted: Mapping[str, Any]
) -> None:
    """Stores the pair with these fields."""
    transaction.set(reference(a.id, b.id), dict(wanted))
    links.tell(a.id, b.id, partners=wanted["confidence"], marks=mark_of(wanted))


def remove(transaction: "Transaction", links: Links, a: str, b: str) -> None:
    """Removes the pair, if it is there."""
    from google.cloud.firestore import DELETE_FIELD

    transaction.delete(reference(a, b))
    links.tell(a, b, partners=DELETE_FIELD, marks=DELETE_FIELD)


def note(
    transaction: "Transaction", product_id: str, known: State, found: Mapping[str, Match]
) -> None:
    """Notes what a product that waits for approval matches, with itself alone."""
    surest = {other: match.confidence for other, match in found.items()}
    if surest != known.partners:
        transaction.set(state(product_id), {"partners": surest}, merge=["partners"])


def evidence_views(pieces: Iterable[Mapping[str, Any]]) -> list[EvidenceView]:
    """The evidence as the console reads it; pairs of former times carry no weights."""
    return [EvidenceView(**{"weight": 0, **piece}) for piece in pieces]


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
            evidence = evidence_views(pair["evidence"])
            product = view(from_document(other, fields_of_other))
            shown.append(MatchView(product, pair["confidence"], evidence))
    return MatchList(sorted(shown, key=lambda match: (-match.confidence, match.product.id)))
