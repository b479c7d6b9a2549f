"""Trigger: a month of a product's prices was written."""

from shared.edge import DocumentChange, trigger


@trigger(__name__, document="products/{product_id}/prices/{month}")
def on_price_written(change: DocumentChange) -> None:
    """Drops what caches hold, and has the rest of the consequences done by a task."""
    from shared.prices import following

    following.price_written((change.after or {}).get("change"), change.commit_micros)
