"""/api/crawler/retailers/<retailer_id>: how one retailer's site is crawled."""

from shared.crawling.recipes import Site
from shared.crawling.schemas import RetailerView
from shared.edge import Request, endpoint

crawler_retailer = endpoint(
    __name__, "/api/crawler/retailers/{retailer_id}", service_account="crawler"
)


@crawler_retailer.get(role="admin", etag=True)
def read(request: Request) -> RetailerView:
    """The recipe, with its version as ETag; raises NotFound (404)."""
    from shared.crawling import retailers

    return retailers.read(request.path["retailer_id"])


@crawler_retailer.put(
    role="super_admin", audit="retailer.updated", etag=True, if_match=True, raises=(409,)
)
def write(request: Request[Site]) -> RetailerView:
    """The new or changed recipe; raises Conflict (409), StaleVersion (412) or Invalid (422)."""
    from shared.crawling import retailers

    name = request.path["retailer_id"]
    return retailers.write(name, request.body, request.if_match, request.actor)
