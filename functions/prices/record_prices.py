"""Task: products were given other prices."""

from shared.edge import Request, task
from shared.prices.background_schemas import RecordPrices


@task(__name__, queue="prices", concurrency=4)
def record_prices(request: Request[RecordPrices]) -> None:
    """Puts the prices of one commit into their products' histories."""
    from shared.prices import recording

    recording.record(request.body.change_id)
