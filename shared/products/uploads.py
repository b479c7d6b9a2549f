"""Uploads from file to catalogue: preview, confirm, and the view of how far they are."""

import msgspec

from shared.clients import tasks
from shared.edge.request import Actor, Form
from shared.errors import BadRequest, Invalid, ShoppleError
from shared.products import upload_confirm, upload_preview, upload_store
from shared.products.background_schemas import FollowUpload
from shared.products.schemas import EvidenceView
from shared.products.upload_models import (
    CHUNK_ROWS,
    MAX_LISTED,
    Chunk,
    Counts,
    StoredRow,
    Upload,
)
from shared.products.upload_rows import ParsedUpload, parse_products
from shared.products.upload_schemas import (
    ConfirmRequest,
    DuplicateView,
    Preview,
    PreviewAnswer,
    PreviewRequest,
    Progress,
    RowErrorView,
    UploadAccepted,
    UploadView,
)
from shared.products.upload_variants import told_apart

QUEUE = "uploads"
XLSX_MAGIC = b"PK\x03\x04"


def preview(body: PreviewRequest | Form, by: Actor) -> PreviewAnswer | UploadAccepted:
    """The finished preview or, above 1,000 rows, the upload that is being previewed."""
    upload, chunks = _store(_parse(body), by)
    if upload.large:
        _follow("preview_upload", upload.id, by)
        return UploadAccepted(upload.id, upload.status)
    return PreviewAnswer(_preview_view(upload_preview.preview(upload, chunks), chunks))


def continue_preview(work: FollowUpload) -> None:
    """The task behind a large preview."""
    upload = upload_store.resume(work.upload_id, "previewing")
    if upload.status == "previewing":
        upload_preview.preview(upload, upload_store.read_chunks(upload))


def give_up_preview(work: FollowUpload) -> None:
    """Tells whoever waits for the preview that it failed."""
    upload_store.fail(work.upload_id, "previewing", "The preview failed; upload the file again.")


def confirm(body: ConfirmRequest, by: Actor) -> Counts | UploadAccepted:
    """What was committed or, above 1,000 rows, the upload that is being committed."""
    upload_id = _upload_to_confirm(body, by)
    upload = upload_confirm.claim(upload_id, body.accept)
    if upload.large and upload.status != "confirmed":
        _follow("confirm_upload", upload_id, by)
        return UploadAccepted(upload_id, upload.status)
    return upload_confirm.commit(upload_id, by).counts


def continue_confirm(work: FollowUpload) -> None:
    """The task behind a large confirm."""
    by = Actor(work.uid, work.email, "upload.confirmed", work.address, work.request_id)
    upload_store.resume(work.upload_id, "confirming")
    upload_confirm.commit(work.upload_id, by)


def give_up_confirm(work: FollowUpload) -> None:
    """Tells whoever waits for the confirm that it stopped."""
    reason = "The confirm stopped before its end; confirm again to go on."
    upload_store.fail(work.upload_id, "confirming", reason)


def describe(upload_id: str) -> UploadView:
    """The upload as its page shows it; raises NotFound."""
    upload = upload_store.read(upload_id)
    done = upload.previewed_chunks if upload.accept is None else upload.confirmed_chunks
    rows = min(upload.total, done * CHUNK_ROWS)
    finished = upload.status in ("previewed", "confirmed")
    return UploadView(
        upload_id=upload_id,
        status=upload.status,
        progress=Progress(
            done=upload.total if finished else rows,
            total=upload.total,
            percent=100 if finished else rows * 100 // max(1, upload.total),
        ),
        preview=_stored_preview(upload) if upload.status == "previewed" else None,
        result=upload.counts if upload.status == "confirmed" else None,
        error=upload.error,
    )


def _upload_to_confirm(body: ConfirmRequest, by: Actor) -> str:
    if (body.upload_id is None) == (body.products is None):
        raise Invalid.one("upload_id", "give either upload_id or products")
    if body.upload_id is not None:
        return body.upload_id
    upload, chunks = _store(parse_products(body.products or []), by)
    return upload_preview.preview(upload, chunks).id


def _parse(body: PreviewRequest | Form) -> ParsedUpload:
    if isinstance(body, PreviewRequest):
        return parse_products(body.products, default_retailer=body.retailer)
    unknown = (set(body.fields) - {"retailer"}) | (set(body.files) - {"file"})
    if unknown:
        raise Invalid.one(min(unknown), "is not known")
    file = body.files.get("file")
    if file is None:
        raise Invalid.one("file", "is required")
    retailer = body.fields.get("retailer", "")
    if file.content.startswith(XLSX_MAGIC):
        from shared.products.upload_xlsx import parse_xlsx

        return parse_xlsx(file.content, default_retailer=retailer)
    from shared.products.upload_csv import parse_csv

    return parse_csv(file.content, default_retailer=retailer)


def _store(parsed: ParsedUpload, by: Actor) -> tuple[Upload, list[Chunk]]:
    if parsed.total == 0:
        raise BadRequest("The upload holds no rows.")
    chunks = _chunks(parsed)
    upload = Upload(
        id=upload_store.new_id(),
        status="previewing",
        total=parsed.total,
        invalid=len({error.row for error in parsed.errors}),
        chunks=len(chunks),
        ignored=parsed.ignored,
    )
    upload_store.create(upload, chunks, by.uid)
    return upload, chunks


def _chunks(parsed: ParsedUpload) -> list[Chunk]:
    numbers = sorted({row.row for row in parsed.rows} | {error.row for error in parsed.errors})
    chunk_of = {number: index // CHUNK_ROWS for index, number in enumerate(numbers)}
    chunks = [Chunk([], []) for _ in range(-(-len(numbers) // CHUNK_ROWS))]
    for row in told_apart(parsed.rows):
        chunks[chunk_of[row.row]].rows.append(StoredRow(row))
    for error in parsed.errors:
        chunks[chunk_of[error.row]].errors.append(error)
    return chunks


def _stored_preview(upload: Upload) -> Preview:
    return _preview_view(upload, upload_store.read_chunks(upload))


def _preview_view(upload: Upload, chunks: list[Chunk]) -> Preview:
    duplicates = [s for chunk in chunks for s in chunk.rows if s.verdict == "duplicate"]
    errors = [error for chunk in chunks for error in chunk.errors]
    return Preview(
        upload_id=upload.id,
        total=upload.total,
        new=upload.new,
        duplicates=upload.duplicates,
        invalid=upload.invalid,
        ignored=upload.ignored,
        duplicate_details=[_duplicate_view(s) for s in duplicates[:MAX_LISTED]],
        errors=[RowErrorView(e.row, e.field, e.message) for e in errors[:MAX_LISTED]],
        truncated=max(len(duplicates), len(errors)) > MAX_LISTED,
    )


def _duplicate_view(stored: StoredRow) -> DuplicateView:
    return DuplicateView(
        row=stored.row.row,
        product_id=stored.product_id,
        confidence=stored.confidence,
        evidence=[EvidenceView(e.field, e.verdict, e.detail, e.weight) for e in stored.evidence],
        duplicate_of_row=stored.duplicate_of_row,
    )


def _follow(function: str, upload_id: str, by: Actor) -> None:
    work = FollowUpload(upload_id, by.uid, by.email, by.address, by.request_id)
    try:
        tasks.enqueue(QUEUE, function, msgspec.json.encode(work))
    except ShoppleError:
        reason = "The work could not be queued; upload it again."
        upload_store.fail(upload_id, "previewing", reason)
        raise
