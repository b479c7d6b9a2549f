"""Trigger: a product was written."""

from shared.edge import DocumentChange, trigger


@trigger(__name__, document="products/{product_id}")
def on_product_written(change: DocumentChange) -> None:
    """Drops what caches hold, and has the rest of the consequences done by a task."""
    from shared.products import reacting

    reacting.product_written(change.parameters["product_id"], change.commit_micros)
    reacting.price_written(change.before, change.after)
