"""What the endpoints of batches take and answer, and what their task is given."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.classification.batch_records import Status, Verdict
from shared.classification.models import Provider, Source
from shared.classification.schemas import ModelName, ProductToClassify
from shared.edge.pages import Cursor, PageSize
from shared.products.schemas import ProductFilter

ProductId = Annotated[str, Meta(min_length=1, max_length=40, pattern="^[0-9A-Za-z]+$")]


class ClassifyBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of products, ids of products, and a filter; whom to ask first, if it matters."""

    products: Annotated[list[ProductToClassify], Meta(min_length=1, max_length=10_000)] | None = (
        None
    )
    product_ids: Annotated[list[ProductId], Meta(min_length=1, max_length=10_000)] | None = None
    filter: ProductFilter | None = None
    provider: Provider | None = None
    model: ModelName | None = None


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty object."""


class BatchAccepted(msgspec.Struct):
    """A batch that was begun."""

    batch_id: str
    total: int
    status: Status


class BatchView(msgspec.Struct):
    """A batch; `done` are all with a result, of which some count as failed or wait for a review.

    `calls` and `cost` (US dollars) are of all calls that were made for it.
    """

    batch_id: str
    status: Status
    total: int
    done: int
    successful: int
    failed: int
    review: int
    started_at: str | None
    finished_at: str | None
    created_at: str
    created_by: str
    cost: Decimal
    calls: int


class ListBatches(msgspec.Struct, forbid_unknown_fields=True):
    """One page of the batches, newest first."""

    limit: PageSize = 20
    cursor: Cursor | None = None


class BatchList(msgspec.Struct):
    """One page of the batches."""

    batches: list[BatchView]
    next_cursor: str | None


class ListItems(msgspec.Struct, forbid_unknown_fields=True):
    """One page of a batch's results, in the items' order."""

    limit: PageSize = 20
    cursor: Cursor | None = None
    verdict: Verdict | None = None


class NamedProduct(msgspec.Struct, omit_defaults=True):
    """The product that was classified."""

    name: str
    id: str | None = None


class ItemView(msgspec.Struct, omit_defaults=True):
    """What came of an item; `cost` is its share in US dollars, `failure` why it has no category."""

    index: int
    product: NamedProduct
    category: str | None
    confidence: int | None
    rationale: str
    provider: Provider | None
    model: str | None
    source: Source
    verdict: Verdict
    cost: Decimal
    review_id: str | None = None
    failure: str | None = None


class ItemList(msgspec.Struct):
    """One page of a batch's results."""

    items: list[ItemView]
    next_cursor: str | None


class ClassifyChunk(msgspec.Struct):
    """A batch whose `part` is to be worked on; without one, all that are not done."""

    batch_id: str
    part: int | None = None
