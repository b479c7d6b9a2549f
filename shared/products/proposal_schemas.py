"""What the approval workflow takes and answers."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.clock import rfc3339
from shared.edge.pages import Cursor, PageSize
from shared.money import to_decimal
from shared.products.models import Product
from shared.products.proposal_models import Decision, Kind, Proposal
from shared.products.proposal_rules import difference
from shared.products.schemas import Slug

ProductId = Annotated[str, Meta(pattern="^[0-9A-Za-z]{1,64}$")]
Ids = Annotated[list[ProductId], Meta(min_length=1, max_length=100)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class OfferView(msgspec.Struct):
    """A product's fields as they are, or as they are proposed."""

    name: str
    brand: str
    size: str
    category: str
    retailer: str
    price: Decimal
    currency: str
    url: str | None
    image: str | None
    description: str | None


class DifferenceView(msgspec.Struct):
    """A field that changes, before and after: text, a number for the price, or null."""

    field: str
    known: Any
    proposed: Any


class LikelyMatch(msgspec.Struct):
    """The product that a new offer is most likely to be, with the confidence from 0 to 100."""

    product_id: str
    name: str
    confidence: int


class ProposalView(msgspec.Struct):
    """A proposal, under its product's id; of a new offer nothing is known and nothing differs.

    While it is pending, `reason` says why the rules left it to a person, then why it was rejected.
    """

    id: str
    kind: Kind
    status: Literal["pending", "approved", "rejected"]
    product: OfferView
    known: OfferView | None
    differences: list[DifferenceView]
    match: LikelyMatch | None
    source: str
    reason: str | None
    proposed_at: str
    decided_at: str | None
    decided_by: str | None
    version: int


class PendingQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which proposals, newest first; the category is the one that is proposed."""

    retailer: Slug | None = None
    category: Slug | None = None
    kind: Kind | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class PendingPage(msgspec.Struct):
    """One page of what waits for a decision; the total stops at 1,000 and says so."""

    pending: list[ProposalView]
    total: int
    total_is_minimum: bool
    next_cursor: str | None


class Approval(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing more to say."""


class Rejection(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is rejected."""

    reason: Reason


class Approvals(msgspec.Struct, forbid_unknown_fields=True):
    """Which proposals are approved."""

    ids: Ids


class Rejections(msgspec.Struct, forbid_unknown_fields=True):
    """Which proposals are rejected, and why."""

    ids: Ids
    reason: Reason


class DecisionResult(msgspec.Struct, omit_defaults=True):
    """What became of one proposal; `detail` says why it failed."""

    id: str
    status: Literal["approved", "rejected", "failed"]
    detail: str | None = None


class Decisions(msgspec.Struct):
    """What became of each proposal, in the order in which they were named."""

    results: list[DecisionResult]


def version_of(product: Product, proposal: Proposal) -> int:
    """What an ETag names: either's change is one of what was shown, and neither goes back."""
    return product.version + proposal.version


def view(product: Product, proposal: Proposal, match: LikelyMatch | None = None) -> ProposalView:
    """The proposal beside its product as it is now or, once decided, as it was at the decision."""
    known = None
    proposed = product
    if proposal.kind == "change":
        known = msgspec.structs.replace(product, **(proposal.replaced or {}))
        proposed = msgspec.structs.replace(known, **proposal.fields)
    decided = proposal.decided_at
    status: Decision | Literal["pending"] = "pending"
    if proposal.status in ("approved", "rejected"):
        status = proposal.status
    return ProposalView(
        id=product.id,
        kind=proposal.kind,
        status=status,
        product=_offer(proposed),
        known=None if known is None else _offer(known),
        differences=[] if known is None else _differences(known, proposed, proposal),
        match=match,
        source=proposal.source,
        reason=proposal.reason,
        proposed_at=rfc3339(proposal.proposed_at),
        decided_at=rfc3339(decided) if decided else None,
        decided_by=proposal.decided_by,
        version=version_of(product, proposal),
    )


def _offer(product: Product) -> OfferView:
    return OfferView(
        name=product.name,
        brand=product.brand,
        size=product.size,
        category=product.category,
        retailer=product.retailer,
        price=to_decimal(product.price_minor, product.currency),
        currency=product.currency,
        url=product.url,
        image=product.image,
        description=product.description,
    )


def _differences(known: Product, proposed: Product, proposal: Proposal) -> list[DifferenceView]:
    found = []
    differing = difference(known, proposal.fields)
    # Firestore sorts what it keeps by name.
    for name in (field for field in Product.__struct_fields__ if field in differing):
        if name == "price_minor":
            before, after = (to_decimal(p.price_minor, p.currency) for p in (known, proposed))
            found.append(DifferenceView("price", before, after))
        else:
            found.append(DifferenceView(name, getattr(known, name), getattr(proposed, name)))
    return found
