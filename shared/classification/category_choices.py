"""The categories that may be answered: those of the collection that hold no others."""

from shared.classification.models import Categories, Choice
from shared.products import category_tree


def read() -> Categories:
    """Every category without one below it, as its tree names it; one read for each category."""
    stored = category_tree.read_all()
    parents = {fields["parent_id"] for fields in stored.values()}
    return Categories(
        tuple(
            Choice(cid, tuple(stored[a]["name"] for a in category_tree.ancestors(cid, stored)))
            for cid in sorted(stored)
            if cid not in parents
        )
    )
