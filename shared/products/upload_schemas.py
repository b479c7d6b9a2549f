"""What preview and confirm take and answer."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.products.schemas import EvidenceView
from shared.products.upload_models import Accept, Counts, UploadStatus

UploadId = Annotated[str, Meta(max_length=40, pattern="^[0-9A-Za-z]+$")]
UploadedRows = Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=10_000)]


class PreviewRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The rows of an upload; a row names at least `name`, `price` and `retailer`."""

    products: UploadedRows
    retailer: Annotated[str, Meta(max_length=60)] = ""


class ConfirmRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A previewed upload, or the rows themselves for both steps in one."""

    upload_id: UploadId | None = None
    accept: Accept = "new"
    products: UploadedRows | None = None


class DuplicateView(msgspec.Struct, omit_defaults=True):
    """A row that the catalogue, or an earlier row of the file, has already."""

    row: int
    product_id: str
    confidence: int
    evidence: list[EvidenceView]
    duplicate_of_row: int | None = None


class RowErrorView(msgspec.Struct):
    """Why a row cannot be stored."""

    row: int
    field: str
    message: str


class Preview(msgspec.Struct, omit_defaults=True):
    """What an upload would do; the two lists stop at 1,000 entries, the counts do not."""

    upload_id: str
    total: int
    new: int
    duplicates: int
    invalid: int
    ignored: list[str]
    duplicate_details: list[DuplicateView]
    errors: list[RowErrorView]
    truncated: bool = False


class PreviewAnswer(msgspec.Struct):
    """A finished preview."""

    preview: Preview


class UploadAccepted(msgspec.Struct):
    """Work that goes on in the background and is followed at the upload."""

    upload_id: str
    status: UploadStatus


class Progress(msgspec.Struct):
    """Rows done of all rows."""

    done: int
    total: int
    percent: int


class UploadView(msgspec.Struct, omit_defaults=True):
    """An upload, its progress and what is known of it by now."""

    upload_id: str
    status: UploadStatus
    progress: Progress
    preview: Preview | None = None
    result: Counts | None = None
    error: str | None = None
