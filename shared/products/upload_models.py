"""An upload between preview and confirm: its rows in chunks, and how far the work has come."""

import zlib
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from shared.products.matching import Offer
from shared.products.matching.offer import DESCRIPTION_LETTERS
from shared.products.upload_rows import RowError, UploadRow

# Three documents a row and one for the upload stay under Firestore's classic 500 writes.
CHUNK_ROWS: Final = 150
INLINE_ROWS: Final = 1000
# An answer lists this many errors and duplicates; the counts are always complete.
MAX_LISTED: Final = 1000

Verdict = Literal["new", "duplicate"]
Stage = Literal["previewing", "confirming"]
UploadStatus = Literal["previewing", "previewed", "confirming", "confirmed", "failed"]
AcceptedRows = Annotated[list[Annotated[int, Meta(ge=1)]], Meta(max_length=10_000)]
Accept = Literal["new", "all"] | AcceptedRows


class Said(msgspec.Struct, array_like=True, frozen=True):
    """What one field says of a duplicate; rows of former times carry no weights."""

    field: str
    verdict: str
    detail: str
    weight: int = 0


class StoredRow(msgspec.Struct, array_like=True):
    """A valid row and, once previewed, what it is: new, or a duplicate of `product_id`."""

    row: UploadRow
    verdict: Verdict = "new"
    product_id: str = ""
    confidence: int = 0
    evidence: list[Said] = []
    duplicate_of_row: int | None = None


class Chunk(msgspec.Struct):
    """Some rows of an upload, with the errors of the invalid ones among them."""

    rows: list[StoredRow]
    errors: list[RowError]


class Counts(msgspec.Struct):
    """What a confirm did; the four add up to the rows of the upload.

    Skipped are rows that were not accepted or change nothing, failed those that are invalid or
    whose product is gone.
    """

    inserted: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0


class Upload(msgspec.Struct):
    """The state of one upload, as its document holds it."""

    id: str
    status: UploadStatus
    total: int
    invalid: int
    chunks: int
    ignored: list[str]
    new: int = 0
    duplicates: int = 0
    previewed_chunks: int = 0
    confirmed_chunks: int = 0
    accept: Accept | None = None
    counts: Counts = msgspec.field(default_factory=Counts)
    error: str | None = None

    @property
    def large(self) -> bool:
        """Whether its work is followed rather than waited for."""
        return self.total > INLINE_ROWS

    def resumes(self, stage: Stage) -> bool:
        """Goes on with this stage if the upload failed there; says whether it does."""
        if self.status != "failed" or (self.accept is not None) != (stage == "confirming"):
            return False
        self.status, self.error = stage, None
        return True

    def accepts(self, stored: StoredRow) -> bool:
        """Whether the confirm asks for this row."""
        if isinstance(self.accept, list):
            return stored.row.row in self.accept
        return self.accept == "all" or stored.verdict == "new"


def pack(chunk: Chunk) -> bytes:
    """A chunk as a document keeps it; 150 rows of supermarket goods take about 10 kB."""
    return zlib.compress(msgspec.json.encode(chunk))


def unpack(data: bytes) -> Chunk:
    """A chunk as it was packed."""
    return msgspec.json.decode(zlib.decompress(data), type=Chunk)


def offer_of(row: UploadRow, product_id: str) -> Offer:
    """What the matcher needs to know of a row."""
    return Offer(
        id=product_id,
        retailer=row.retailer,
        name=row.name,
        brand=row.brand,
        size=row.size,
        category=row.category,
        price_minor=row.price_minor,
        currency=row.currency,
        description=(row.description or "")[:DESCRIPTION_LETTERS],
    )


def given_fields(row: UploadRow) -> dict[str, Any]:
    """The fields that a row brings to an existing product; what it leaves empty stays."""
    fields = {
        name: getattr(row, name)
        for name in ("name", "brand", "size", "category", "retailer_sku", "url", "image")
    }
    fields["description"] = row.description
    kept = {name: value for name, value in fields.items() if value}
    return {**kept, "price_minor": row.price_minor, "currency": row.currency}
