"""Crawled prices that may be untrue: kept apart, in no history, until a person has decided."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import rfc3339
from shared.crawling.ingestion.models import Held
from shared.crawling.ingestion.offers import Found
from shared.crawling.ingestion.schemas import QuarantinedProduct, QuarantineView
from shared.money import to_decimal
from shared.products.models import Product
from shared.products.upload_rows import UploadRow

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "crawl_quarantine"
KEPT: Final = timedelta(days=90)


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One price with all that its release needs; `product_id` is None for an unknown offer.

    `found_at` is the moment of the price, `previous_minor` what the product cost then.
    """

    id: str
    job_id: str
    number: int
    retailer: str
    product_id: str | None
    offer: UploadRow
    previous_minor: int | None
    previous_currency: str | None
    reason: str
    found_at: datetime
    created_at: datetime
    expires_at: datetime
    status: Held = "open"
    decided_by: str | None = None
    decided_at: datetime | None = None
    version: int = 1

    @property
    def found(self) -> Found:
        """The row as it was read; whoever releases it stands for its price."""
        return Found(self.number, self.offer)

    @property
    def crawled_at(self) -> datetime:
        """The moment of its crawl, of which `found_at` is the row's own part."""
        return self.found_at - timedelta(microseconds=self.number)


def kept(  # noqa: PLR0913 - each is one thing that is remembered
    row: Found,
    *,
    job_id: str,
    seen_at: datetime,
    product: Product | None,
    reason: str,
    now: datetime,
) -> Quarantined:
    """The entry of a row; its id is the job's and the row's, so there is one."""
    return Quarantined(
        id=f"{job_id}-{row.number}",
        job_id=job_id,
        number=row.number,
        retailer=row.offer.retailer,
        product_id=product.id if product else None,
        offer=row.offer,
        previous_minor=product.price_minor if product else None,
        previous_currency=product.currency if product else None,
        reason=reason,
        found_at=seen_at,
        created_at=now,
        expires_at=now + KEPT,
    )


def reference(entry_id: str) -> "DocumentReference":
    """Where an entry is stored."""
    return firestore.client().collection(COLLECTION).document(entry_id)


def to_document(entry: Quarantined) -> dict[str, Any]:
    """The entry's fields in Firestore."""
    fields = msgspec.structs.asdict(entry)
    del fields["id"]
    fields["offer"] = msgspec.structs.asdict(entry.offer)
    return fields


def from_document(entry_id: str, fields: dict[str, Any]) -> Quarantined:
    """The entry in a document's fields."""
    return Quarantined(id=entry_id, **{**fields, "offer": UploadRow(**fields["offer"])})


def view(entry: Quarantined) -> QuarantineView:
    """The entry as people see it."""
    offer = entry.offer
    previous = None
    if entry.previous_minor is not None and entry.previous_currency is not None:
        previous = to_decimal(entry.previous_minor, entry.previous_currency)
    return QuarantineView(
        id=entry.id,
        job_id=entry.job_id,
        retailer=entry.retailer,
        product=QuarantinedProduct(entry.product_id, offer.name, offer.url),
        price=to_decimal(offer.price_minor, offer.currency),
        currency=offer.currency,
        previous_price=previous,
        previous_currency=entry.previous_currency,
        reason=entry.reason,
        status=entry.status,
        found_at=rfc3339(entry.found_at),
        decided_by=entry.decided_by,
        decided_at=rfc3339(entry.decided_at) if entry.decided_at else None,
        version=entry.version,
    )
