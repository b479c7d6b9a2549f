"""What the endpoints on duplicates and re-matching take and answer."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.edge.pages import Cursor, PageSize
from shared.products.schemas import EvidenceView, ProductView, Slug

ProductId = Annotated[str, Meta(min_length=1, max_length=40, pattern="^[0-9A-Za-z]+$")]
# Of twenty and twenty come 590 pairs: one commit.
MAX_DECIDED = 20
# All pairs of twenty.
MAX_REOPENED = 190
RematchState = Literal["running", "completed", "failed"]


class DuplicatesQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which pairs begin a group; without a threshold, those that the settings call the same.

    Less sure pairs are not kept: a threshold below that of the settings counts as that.
    """

    threshold: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=100,
                description="The confidence from which on pairs are shown, at least that of the"
                " settings (`thresholds.duplicate_confidence`): less sure ones are not kept.",
            ),
        ]
        | None
    ) = None
    retailer: Slug | None = None
    category: Slug | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class PairView(msgspec.Struct):
    """Two products of a group that match each other; `decision` is what a person said of them."""

    a: str
    b: str
    confidence: int
    evidence: list[EvidenceView]
    decision: Literal["same"] | None


class GroupView(msgspec.Struct):
    """Products that are thought to be one; the confidence is that of the surest open pair."""

    id: str
    confidence: int
    products: list[ProductView]
    pairs: list[PairView]


class DuplicatesPage(msgspec.Struct):
    """Groups, surest first; a page may hold fewer than its limit and go on.

    `threshold` is the confidence that counted: the one asked for, or the settings' if that is more.
    """

    groups: list[GroupView]
    next_cursor: str | None
    threshold: int


class Decided(msgspec.Struct, forbid_unknown_fields=True):
    """Products that are all the same, and others that are none of them.

    Only with `overrule` does this take the place of an earlier word that says the opposite.
    """

    same: Annotated[list[ProductId], Meta(min_length=1, max_length=MAX_DECIDED)]
    different: Annotated[list[ProductId], Meta(max_length=MAX_DECIDED)] = []
    overrule: bool = False


class DecidedCounts(msgspec.Struct):
    """How many pairs are confirmed and refused by this."""

    confirmed: int
    refused: int


class Reopen(msgspec.Struct, forbid_unknown_fields=True):
    """Pairs of which nothing shall be decided any more."""

    pairs: Annotated[list[tuple[ProductId, ProductId]], Meta(min_length=1, max_length=MAX_REOPENED)]


class ReopenedCount(msgspec.Struct):
    """Of how many pairs a decision was taken back."""

    reopened: int


class RematchRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A re-match of all that is listed: there is nothing to choose."""


class RematchView(msgspec.Struct):
    """A full re-match and how far it has come; each pair is counted once.

    Products that `failed` are matched by themselves later.
    """

    rematch_id: str
    state: RematchState
    blocks_total: int
    blocks_done: int
    products_done: int
    pairs_found: int
    failed: int
    model: str
    started_at: str
    finished_at: str | None
