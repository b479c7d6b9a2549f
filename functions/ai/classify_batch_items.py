"""/classify-batch/<batch_id>/items: what came of each product."""

from shared.classification.batch_schemas import ItemList, ListItems
from shared.edge import Request, endpoint

classify_batch_items = endpoint(__name__, "/classify-batch/{batch_id}/items", service_account="ai")


@classify_batch_items.get(role="admin", raises=(400,))
def read_page(request: Request[None, ListItems]) -> ItemList:
    """One page of results, in order; raises NotFound (404), BadRequest (400)."""
    from shared.classification import batches

    return batches.read_items(request.path["batch_id"], request.query)
