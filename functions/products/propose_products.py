"""Task: hold what was found until it is approved."""

import msgspec

from shared.edge import Request, task
from shared.products.background_schemas import ProposeProducts


def _give_up(request: Request[ProposeProducts]) -> None:
    # Nothing is owed elsewhere: the dead letter of the last attempt is what can be redriven.
    del request


@task(__name__, queue="uploads", memory_mb=512, concurrency=1, given_up=_give_up)
def propose_products(request: Request[ProposeProducts]) -> None:
    """Makes proposals of the offers; those proposed before change nothing."""
    from shared.products import proposing

    by = msgspec.structs.replace(request.actor, action="products.proposed")
    proposing.propose(request.body.offers, request.body.source, by)
