"""Uploads in Firestore: the state in one document, the rows in chunks beside it."""

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, utc_now
from shared.errors import Conflict, NotFound
from shared.products.upload_models import Chunk, Stage, Upload, pack, unpack

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "uploads"
CHUNKS: Final = "upload_chunks"


def new_id() -> str:
    """20 random characters."""
    return secrets.token_hex(10)


def create(upload: Upload, chunks: list[Chunk], uid: str) -> None:
    """Writes the chunks and then the upload that names them."""
    created_at = utc_now()
    writer = firestore.client().bulk_writer()
    for number, chunk in enumerate(chunks):
        writer.create(_chunk(upload.id, number), {"data": pack(chunk), "created_at": created_at})
    with firestore.errors_mapped():
        writer.close()  # type: ignore[no-untyped-call]
        reference(upload.id).create(
            {**to_fields(upload), "uid": uid, "created_at": created_at},
            **firestore.limits(),
        )


def reference(upload_id: str) -> "DocumentReference":
    """Where an upload is stored."""
    return firestore.client().collection(COLLECTION).document(upload_id)


def read(upload_id: str, transaction: "Transaction | None" = None) -> Upload:
    """The upload's present state; raises NotFound."""
    with firestore.errors_mapped():
        snapshot = reference(upload_id).get(transaction=transaction, **firestore.limits())
    fields = snapshot.to_dict()
    if fields is None:
        raise NotFound("There is no such upload, or it was removed for its age.")
    known = {name: fields[name] for name in Upload.__struct_fields__ if name in fields}
    return msgspec.convert({**known, "id": upload_id}, Upload)


def written_micros(upload_id: str) -> int:
    """When the upload's state was last committed, by Firestore's clock."""
    with firestore.errors_mapped():
        snapshot = reference(upload_id).get(["status"], **firestore.limits())
    return epoch_micros(snapshot.update_time)


def read_chunks(upload: Upload) -> list[Chunk]:
    """Every chunk, in order."""
    references = [_chunk(upload.id, number) for number in range(upload.chunks)]
    found = {each.id: each.to_dict() or {} for each in firestore.existing(references)}
    return [unpack(found[reference.id]["data"]) for reference in references]


def save_previewed(upload: Upload, number: int, chunk: Chunk) -> Upload:
    """The upload as it is stored: with this chunk, unless its preview is over by now.

    Raises Conflict if another run has come as far.
    """

    def store(transaction: "Transaction") -> Upload:
        stored = read(upload.id, transaction)
        if stored.status != "previewing":
            return stored
        if stored.previewed_chunks != number:
            # Both go on by turns: the other may yet be cut off.
            raise Conflict("Another run is previewing this upload.")
        transaction.update(_chunk(upload.id, number), {"data": pack(chunk)})
        transaction.update(reference(upload.id), to_fields(upload))
        return upload

    return firestore.in_transaction(store)


def fail(upload_id: str, stage: Stage, reason: str) -> None:
    """Ends the upload at this stage for the `reason`; not one that went on, or is gone."""

    def store(transaction: "Transaction") -> None:
        upload = read(upload_id, transaction)
        if upload.status == stage:
            upload.status, upload.error = "failed", reason
            transaction.update(reference(upload_id), to_fields(upload))

    with suppress(NotFound):
        firestore.in_transaction(store)


def resume(upload_id: str, stage: Stage) -> Upload:
    """The upload, which goes on if it failed at this stage: its task was sent again."""

    def store(transaction: "Transaction") -> Upload:
        upload = read(upload_id, transaction)
        if upload.resumes(stage):
            transaction.update(reference(upload_id), to_fields(upload))
        return upload

    return firestore.in_transaction(store)


def to_fields(upload: Upload) -> dict[str, Any]:
    """The upload as its document's fields."""
    fields: dict[str, Any] = msgspec.to_builtins(upload)
    del fields["id"]
    return fields


def _chunk(upload_id: str, number: int) -> "DocumentReference":
    return firestore.client().collection(CHUNKS).document(f"{upload_id}-{number}")
