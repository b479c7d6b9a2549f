"""/api/products/stats: how many products there are, by retailer and category."""

from shared.edge import Cached, Request, endpoint
from shared.products.schemas import ProductStatistics

products_stats = endpoint(__name__, "/api/products/stats", concurrency=80)


@products_stats.get(role="admin", cached=Cached("products", ttl_seconds=60))
def read(request: Request) -> ProductStatistics:  # noqa: ARG001 - a handler takes the request
    """The statistics as last counted, at most 10 s ago after a write."""
    from shared.products import statistics

    return statistics.read()
