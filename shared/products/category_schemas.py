"""What the category endpoints take and answer."""

from typing import Annotated

import msgspec
from msgspec import Meta

CategoryId = Annotated[str, Meta(min_length=1, max_length=100)]


class CategoryView(msgspec.Struct, omit_defaults=True):
    """One category; `path` holds the names from the root to itself."""

    id: str
    name: str
    path: list[str]
    product_count: int
    version: int
    parent_id: str | None = None


class CategoryList(msgspec.Struct):
    """The whole tree, parents before their children."""

    categories: list[CategoryView]


class CategoryChange(msgspec.Struct, forbid_unknown_fields=True):
    """A category's name and place."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    parent_id: CategoryId | None = None


class CategoryRemoval(msgspec.Struct, forbid_unknown_fields=True):
    """Where products and children of the removed category go."""

    move_to: CategoryId | None = None


class CategoryRemoved(msgspec.Struct, omit_defaults=True):
    """A category that is gone, or whose products are still being moved."""

    id: str
    moving: bool
    moved_to: str | None = None
