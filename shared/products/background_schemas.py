"""What the catalogue's tasks are given."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class MatchProduct(msgspec.Struct):
    """A product whose consequences are due."""

    product_id: str


class FollowUpload(msgspec.Struct):
    """An upload whose work goes on, and who asked for it."""

    upload_id: str
    uid: str
    email: str
    address: str
    request_id: str


class ExportProducts(msgspec.Struct):
    """An export that is to be written."""

    export_id: str


class MoveCategory(msgspec.Struct):
    """A removed category whose contents are to be moved."""

    category_id: str


class Recount(msgspec.Struct):
    """A recount that must begin after `due_at`, in epoch seconds."""

    due_at: float


class RematchProducts(msgspec.Struct):
    """A run whose `block` is to be worked on; without one, all that are not done."""

    rematch_id: str
    block: int | None = None


class ProposeProducts(msgspec.Struct):
    """What was found, each offer with the fields of an upload's row, and where."""

    offers: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=200)]
    source: Annotated[str, Meta(min_length=1, max_length=200)]
