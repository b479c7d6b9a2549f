"""The list of what waits for a decision: its rows, their products and matches by id, one count."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.edge.pages import newest_first
from shared.products import catalogue, pairs, proposal_store
from shared.products.models import Product, from_document
from shared.products.proposal_models import from_document as proposal_of
from shared.products.proposal_schemas import LikelyMatch, PendingPage, PendingQuery, view

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Query

TOTAL_STOPS_AT: Final = 1000
FILTERS: Final = ("retailer", "category", "kind")


def read_page(wanted: PendingQuery) -> PendingPage:
    """One page, newest first; raises BadRequest.

    Four reads a row at most, the count, and the settings where the instance's copy is old.
    """
    query = _filtered(wanted)
    with firestore.errors_mapped():
        total = firestore.count(query.limit(TOTAL_STOPS_AT))
    page = newest_first(query, "proposed_at", wanted, "pending")
    proposals = [proposal_of(row.id, row.to_dict() or {}) for row in page.rows]
    products = _products(proposal.id for proposal in proposals)
    matches = _matches(proposal.id for proposal in proposals if proposal.kind == "new")
    return PendingPage(
        pending=[
            view(product, proposal, matches.get(proposal.id))
            for proposal in proposals
            if (product := products.get(proposal.id)) is not None
        ],
        total=total,
        total_is_minimum=total >= TOTAL_STOPS_AT,
        next_cursor=page.next_cursor,
    )


def _filtered(wanted: PendingQuery) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(proposal_store.COLLECTION)  # type: ignore[assignment]
    query = query.where(filter=FieldFilter("status", "==", "pending"))
    for name in FILTERS:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query


def _products(ids: Iterable[str]) -> dict[str, Product]:
    found = _read([catalogue.reference(product_id) for product_id in ids])
    return {pid: from_document(pid, fields) for pid, fields in found.items()}


def _matches(ids: Iterable[str]) -> dict[str, LikelyMatch]:
    """The surest match of each product that has one, where the other is listed still."""
    states = _read([pairs.state(product_id) for product_id in ids])
    partners: Mapping[str, dict[str, int]] = {
        pid: sure
        for pid, state in states.items()
        if (sure := pairs.sure(state.get("partners", {})))
    }
    surest = {pid: min(p.items(), key=lambda o: (-o[1], o[0])) for pid, p in partners.items()}
    others = _products(sorted({other for other, _ in surest.values()}))
    return {
        pid: LikelyMatch(other, others[other].name, confidence)
        for pid, (other, confidence) in surest.items()
        if other in others and others[other].listed
    }


def _read(references: "list[DocumentReference]") -> dict[str, dict[str, Any]]:
    if not references:
        return {}
    with firestore.errors_mapped():
        found = firestore.client().get_all(references, **firestore.limits())
        return {s.id: s.to_dict() or {} for s in found if s.exists}
