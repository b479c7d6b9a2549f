"""The list of what waits for a decision: its rows, their products and matches by id, one count."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor
from shared.products import catalogue, pairs, proposal_store
from shared.products.models import Product, from_document
from shared.products.proposal_models import from_document as proposal_of
from shared.products.proposal_schemas import LikelyMatch, PendingPage, PendingQuery, view

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Query

TOTAL_STOPS_AT: Final = 1000
FILTERS: Final = ("retailer", "category", "kind")


def read_page(wanted: PendingQuery) -> PendingPage:
    """One page, newest first; raises BadRequest.

    Four reads a row at most, the count, and the settings where the instance's copy is old.
    """
    query = _filtered(wanted)
    with firestore.errors_mapped():
        total = firestore.count(query.limit(TOTAL_STOPS_AT))
        found = list(_page(query, wanted).limit(wanted.limit).stream(**firestore.limits()))
    proposals = [proposal_of(s.id, s.to_dict() or {}) for s in found]
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
        next_cursor=_cursor_after(found[-1], wanted) if len(found) == wanted.limit else None,
    )


def _filtered(wanted: PendingQuery) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(proposal_store.COLLECTION)  # type: ignore[assignment]
    query = query.where(filter=FieldFilter("status", "==", "pending"))
    for name in FILTERS:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query


def _page(query: "Query", wanted: PendingQuery) -> "Query":
    query = query.order_by("proposed_at", direction="DESCENDING")
    query = query.order_by("__name__", direction="DESCENDING")
    if wanted.cursor:
        micros, product_id = read_cursor(wanted.cursor, _bound_to(wanted))
        document = proposal_store.reference(product_id)
        at = {"proposed_at": from_epoch_micros(micros), "__name__": document}
        query = query.start_after(at)
    return query


def _cursor_after(last: "DocumentSnapshot[Any]", wanted: PendingQuery) -> str:
    return write_cursor([epoch_micros(last.get("proposed_at")), last.id], _bound_to(wanted))


def _bound_to(wanted: PendingQuery) -> str:
    binding = ["pending", *(getattr(wanted, name) for name in FILTERS)]
    return msgspec.json.encode(binding).decode()


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
