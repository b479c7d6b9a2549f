"""The list of what waits for a decision: its rows, their products and matches by id, one count."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.clients import firestore
from shared.edge.pages import counted, narrowed, newest_first
from shared.products import catalogue, pairs, proposal_store
from shared.products.proposal_models import from_document as proposal_of
from shared.products.proposal_schemas import LikelyMatch, PendingPage, PendingQuery, view

FILTERS: Final = ("retailer", "category", "kind")


def read_page(wanted: PendingQuery) -> PendingPage:
    """One page, newest first; raises BadRequest.

    Four reads a row at most, the count, and the settings where the instance's copy is old.
    """
    from google.cloud.firestore import FieldFilter

    waiting = FieldFilter("status", "==", "pending")
    proposed = firestore.client().collection(proposal_store.COLLECTION).where(filter=waiting)
    query = narrowed(proposed, wanted, FILTERS)
    total, total_is_minimum = counted(query)
    page = newest_first(query, "proposed_at", wanted, "pending")
    proposals = [proposal_of(row.id, row.to_dict() or {}) for row in page.rows]
    products = catalogue.read_several(proposal.id for proposal in proposals)
    matches = _matches(proposal.id for proposal in proposals if proposal.kind == "new")
    return PendingPage(
        pending=[
            view(product, proposal, matches.get(proposal.id))
            for proposal in proposals
            if (product := products.get(proposal.id)) is not None
        ],
        total=total,
        total_is_minimum=total_is_minimum,
        next_cursor=page.next_cursor,
    )


def _matches(ids: Iterable[str]) -> dict[str, LikelyMatch]:
    """The surest match of each product that has one, where the other is listed still."""
    partners: Mapping[str, dict[str, int]] = {
        state.id: sure
        for state in firestore.existing(map(pairs.state, ids))
        if (sure := pairs.sure((state.to_dict() or {}).get("partners", {})))
    }
    surest = {pid: min(p.items(), key=lambda o: (-o[1], o[0])) for pid, p in partners.items()}
    others = catalogue.read_several(other for other, _ in surest.values())
    return {
        pid: LikelyMatch(other, others[other].name, confidence)
        for pid, (other, confidence) in surest.items()
        if other in others and others[other].listed
    }
