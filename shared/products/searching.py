"""Typo-tolerant search for products, of bounded cost at any size of the catalogue."""

import logging

from shared.clients import firestore
from shared.errors import DependencyError, NotFound
from shared.products import catalogue, search_engines
from shared.products.models import Product, from_document
from shared.products.schemas import view
from shared.products.search_entries import Entry, entry_of
from shared.products.search_finding import Wanted, fits
from shared.products.search_ranking import LOWEST, score
from shared.products.search_schemas import Engine, SearchProducts, SearchResults

log = logging.getLogger(__name__)


def search(query: SearchProducts) -> SearchResults:
    """The best products for the query as they are now; raises a DependencyError."""
    wanted, filters = Wanted.of(query.q), _filters(query)
    engine, entries = _candidates(wanted, filters)
    shown = _verified(wanted, ranked(wanted, entries)[: query.limit], filters)
    return SearchResults([view(product) for product in shown], engine)


def _candidates(wanted: Wanted, filters: dict[str, str]) -> tuple[Engine, dict[str, Entry]]:
    """What may answer, by the first engine that is there."""
    *preferred, always_there = search_engines.chosen()
    if not wanted.words:
        return always_there.name, {}
    for engine in preferred:
        try:
            return engine.name, engine.candidates(wanted, filters)
        except (DependencyError, NotFound) as error:
            context = {"engine": engine.name, "error": error.detail}
            log.warning("Search without its engine", extra={"context": context})
    return always_there.name, always_there.candidates(wanted, filters)


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
    found = firestore.existing(map(catalogue.reference, ids))
    products = {s.id: from_document(s.id, s.to_dict() or {}) for s in found if s.get("listed")}
    entries = {product_id: entry_of(product) for product_id, product in products.items()}
    best = ranked(wanted, {p: e for p, e in entries.items() if fits(e, filters)})
    return [products[product_id] for product_id in best]
