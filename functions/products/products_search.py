"""/api/products/search: products by their words, slips of the pen forgiven."""

from shared.edge import Request, endpoint
from shared.products.search_schemas import SearchProducts, SearchResults

products_search = endpoint(__name__, "/api/products/search", concurrency=40)


@products_search.get(role="admin")
def search(request: Request[None, SearchProducts]) -> SearchResults:
    """The best answers first; at most 60 documents are read, however many products there are."""
    from shared.products import searching

    return searching.search(request.query)
