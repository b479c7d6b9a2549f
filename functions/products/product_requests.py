"""/api/product-requests: what shoppers ask for."""

from shared.edge import Answer, Request, endpoint
from shared.products.request_schemas import ProductWish, RequestPage, RequestQuery, WishView

product_requests = endpoint(__name__, "/api/product-requests")


@product_requests.post(
    role="public",
    limit="heavy",
    audit="product_request.asked",
    answers={200: WishView, 201: WishView},
    raises=(409,),
)
def ask(request: Request[ProductWish]) -> Answer[WishView]:
    """The request that counts this wish, once a day for each client; 201 for a new one."""
    from shared.products import product_requests

    view, is_new = product_requests.ask(request.body, request.actor)
    return Answer(view, status=201 if is_new else 200)


@product_requests.get(role="admin", raises=(400,))
def read_page(request: Request[None, RequestQuery]) -> RequestPage:
    """One page, newest or most asked first; raises BadRequest (400) for a foreign cursor."""
    from shared.products import product_requests

    return product_requests.read_page(request.query)
