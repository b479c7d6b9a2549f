"""Task: go on with a full re-match."""

import msgspec

from shared.edge import Request, task
from shared.products.background_schemas import RematchProducts


def _give_up(request: Request[RematchProducts]) -> None:
    from shared.products import rematching

    by = msgspec.structs.replace(request.actor, action="products.rematch_failed")
    rematching.give_up(request.body.rematch_id, by)


@task(__name__, queue="rematching", memory_mb=512, concurrency=1, given_up=_give_up)
def rematch_products(request: Request[RematchProducts]) -> None:
    """Works on a block, or has every block worked on that is not done."""
    from shared.products import rematching

    if request.body.block is None:
        rematching.spread(request.body.rematch_id)
    else:
        rematching.work(request.body.rematch_id, request.body.block)
