"""/api/crawler/retailers: every retailer's recipe."""

from shared.crawling.schemas import RetailerList
from shared.edge import Request, endpoint

crawler_retailers = endpoint(__name__, "/api/crawler/retailers", service_account="crawler")


@crawler_retailers.get(role="admin")
def read_all(request: Request) -> RetailerList:  # noqa: ARG001 - a handler takes the request
    """All retailers in order of name; there are 200 at most."""
    from shared.crawling import retailers

    return retailers.read_all()
