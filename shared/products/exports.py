"""Exports: a task writes the filtered catalogue as CSV to Storage."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore, storage, tasks
from shared.clock import rfc3339, utc_now
from shared.edge.pages import in_order
from shared.edge.request import Actor
from shared.errors import NotFound
from shared.products.background_schemas import ExportProducts
from shared.products.models import Product, from_document
from shared.products.schemas import ProductFilter, view
from shared.products.spreadsheet import csv_line
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "exports"
QUEUE: Final = "exports"
FUNCTION: Final = "export_products"
LINK_LIFETIME: Final = timedelta(minutes=15)
PAGE_ROWS: Final = 500
COLUMNS: Final = (
    "id",
    "name",
    "brand",
    "size",
    "category",
    "retailer",
    "retailer_sku",
    "price",
    "currency",
    "status",
    "url",
    "image",
    "description",
    "version",
    "created_at",
    "updated_at",
    "group_id",
)
BYTE_ORDER_MARK: Final = "\ufeff"
FAILED: Final = "The export could not be written; begin another one."

ExportStatus = Literal["queued", "running", "completed", "failed"]


class ExportAccepted(msgspec.Struct):
    """An export that was begun."""

    export_id: str
    status: ExportStatus


class ExportView(msgspec.Struct, omit_defaults=True):
    """An export; `url` is there once it is completed, for 15 minutes at a time."""

    export_id: str
    status: ExportStatus
    rows: int
    url: str | None = None
    expires_at: str | None = None
    error: str | None = None


def begin(wanted: ProductFilter, by: Actor) -> ExportAccepted:
    """Records the export and enqueues its task; raises a DependencyError."""
    export_id = secrets.token_hex(10)
    batch = firestore.client().batch()
    fields = {
        "status": "queued",
        "filter": msgspec.to_builtins(wanted),
        "rows": 0,
        "uid": by.uid,
        "created_at": utc_now(),
    }
    batch.create(_document(export_id), fields)
    batch.create(*audit.entry(by, f"exports/{export_id}", None, {"filter": fields["filter"]}))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())
    work = msgspec.json.encode(ExportProducts(export_id))
    tasks.enqueue(QUEUE, FUNCTION, work, name=export_id)
    return ExportAccepted(export_id, "queued")


def describe(export_id: str) -> ExportView:
    """The export's state, with a fresh link once it is completed; raises NotFound."""
    fields = _read(export_id)
    answer = ExportView(export_id, fields["status"], fields["rows"], error=fields.get("error"))
    if answer.status == "completed":
        answer.url = storage.link(_object(export_id), LINK_LIFETIME, "products.csv")
        answer.expires_at = rfc3339(utc_now() + LINK_LIFETIME)
    return answer


def write(export_id: str) -> None:
    """Writes the whole file again if it was not completed; raises a DependencyError."""
    fields = _read(export_id)
    if fields["status"] == "completed":
        return
    wanted = msgspec.convert(fields["filter"], ProductFilter)
    _update(export_id, {"status": "running", "error": None})
    rows = 0
    with storage.open_for_writing(_object(export_id), "text/csv; charset=utf-8") as stream:
        stream.write((BYTE_ORDER_MARK + csv_line(COLUMNS)).encode())
        for page in pages(wanted):
            stream.write("".join(map(_line, page)).encode())
            rows += len(page)
            _update(export_id, {"rows": rows})
    _update(export_id, {"status": "completed", "rows": rows})


def give_up(export_id: str) -> None:
    """Tells whoever waits for the export that it failed, unless it is completed or gone."""

    def fail(transaction: "Transaction") -> None:
        snapshot = _document(export_id).get(transaction=transaction, **firestore.limits())
        if snapshot.exists and snapshot.get("status") != "completed":
            transaction.update(snapshot.reference, {"status": "failed", "error": FAILED})

    firestore.in_transaction(fail)


def pages(wanted: ProductFilter) -> Iterator[list[Product]]:
    """The products that fit, oldest first, page by page; raises a DependencyError."""
    from shared.products.listing import filtered, fits

    query = in_order(filtered(wanted), ("created_at",), "ASCENDING")
    for found in firestore.runs(query, PAGE_ROWS):
        products = [from_document(s.id, s.to_dict() or {}) for s in found]
        yield [product for product in products if wanted.q is None or fits(product, wanted)]


def _line(product: Product) -> str:
    fields = msgspec.to_builtins(view(product))
    return csv_line([str(fields.get(column, "")) for column in COLUMNS])


def _read(export_id: str) -> dict[str, Any]:
    with firestore.errors_mapped():
        fields = _document(export_id).get(**firestore.limits()).to_dict()
    if fields is None:
        raise NotFound("There is no such export, or it was removed for its age.")
    return fields


def _update(export_id: str, change: dict[str, Any]) -> None:
    with firestore.errors_mapped():
        _document(export_id).update(change, **firestore.limits())


def _object(export_id: str) -> str:
    return f"exports/{export_id}.csv"


def _document(export_id: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(export_id)
