"""Task: what follows a product's write."""

from shared.edge import Request, task
from shared.products.background_schemas import MatchProduct


@task(__name__, queue="matching", memory_mb=512)
def match_product(request: Request[MatchProduct]) -> None:
    """Brings caches, statistics, posting lists and matches up to date."""
    from shared.products import following

    following.follow(request.body.product_id)
