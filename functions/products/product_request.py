"""/api/product-requests/<request_id>: what becomes of a request."""

from shared.edge import Request, endpoint
from shared.products.request_schemas import ProductRequestView, RequestChange

product_request = endpoint(__name__, "/api/product-requests/{request_id}")


@product_request.put(
    role="admin", audit="product_request.updated", etag=True, if_match=True, raises=(409,)
)
def change(request: Request[RequestChange]) -> ProductRequestView:
    """The request with its status and note; raises NotFound (404), StaleVersion (412)."""
    from shared.products import product_requests

    return product_requests.change(
        request.path["request_id"], request.body, request.if_match, request.actor
    )
