"""Task: products were given other prices, or confirmed ones, or came and went."""

from shared.edge import Request, task
from shared.prices.background_schemas import RecordPrices


@task(__name__, queue="prices", concurrency=4)
def record_prices(request: Request[RecordPrices]) -> None:
    """Puts the prices of one commit into their histories, and follows what came or went."""
    from shared.prices import recording

    recording.record(request.body)
