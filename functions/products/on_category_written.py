"""Trigger: a category was written."""

from shared.edge import DocumentChange, trigger


@trigger(__name__, document="categories/{category_id}")
def on_category_written(change: DocumentChange) -> None:
    """Drops what caches hold of the tree."""
    from shared.products import reacting

    version = (change.after or {}).get("version")
    reacting.category_written(change.parameters["category_id"], version, change.commit_micros)
