"""Typo-tolerant search for products, of bounded cost at any size of the catalogue."""

from typing import Any

from shared.clients import firestore
from shared.products import catalogue, search_finding
from shared.products.models import Product, from_document
from shared.products.schemas import view
from shared.products.search_entries import Entry, entry_of, unpacked
from shared.products.search_finding import Wanted, fits
from shared.products.search_lists import StoredLists
from shared.products.search_ranking import LOWEST, score
from shared.products.search_schemas import SearchProducts, SearchResults


def search(query: SearchProducts) -> SearchResults:
    """The best products for the query as they are now; raises a DependencyError."""
    wanted = Wanted.of(query.q)
    found = search_finding.candidates(wanted, StoredLists()) if wanted.words else {}
    filters = _filters(query)
    entries = {product_id: unpacked(text) for product_id, text in found.items()}
    best = ranked(wanted, {p: e for p, e in entries.items() if fits(e, filters)})
    shown = _verified(wanted, best[: query.limit], filters)
    return SearchResults([view(product) for product in shown], "lists")


def ranked(wanted: Wanted, entries: dict[str, Entry]) -> list[str]:
    """The ids of what answers the query, best first."""
    scored = [
        (-score(wanted.words, wanted.size, entry), product_id)
        for product_id, entry in entries.items()
    ]
    return [product_id for points, product_id in sorted(scored) if -points >= LOWEST]


def _filters(query: SearchProducts) -> dict[str, str]:
    named = {"retailer": query.retailer, "category": query.category, "status": query.status}
    return {name: value for name, value in named.items() if value is not None}


def _verified(wanted: Wanted, ids: list[str], filters: dict[str, str]) -> list[Product]:
    """The products as their documents are: a list may lag behind by a task."""
    if not ids:
        return []
    references = [catalogue.reference(product_id) for product_id in ids]
    with firestore.errors_mapped():
        found: dict[str, dict[str, Any] | None] = {
            snapshot.id: snapshot.to_dict()
            for snapshot in firestore.client().get_all(references, **firestore.limits())
        }
    products = {
        product_id: from_document(product_id, fields)
        for product_id, fields in found.items()
        if fields and fields["listed"]
    }
    entries = {product_id: entry_of(product) for product_id, product in products.items()}
    best = ranked(wanted, {p: e for p, e in entries.items() if fits(e, filters)})
    return [products[product_id] for product_id in best]
