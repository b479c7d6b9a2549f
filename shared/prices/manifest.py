"""What an upload of prices was asked to do, as its audit entry names it."""

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore
from shared.clock import utc_now
from shared.edge.request import Actor
from shared.prices.judging import Candidate
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "price_uploads"
CHUNKS: Final = "price_upload_chunks"
CHUNK_ROWS: Final = 1000


def write(upload_id: str, candidates: Sequence[Candidate], total: int, by: Actor) -> None:
    """Stores the rows that are about to be judged, with the audit entry, in one commit."""
    batch = firestore.client().batch()
    # Kept as long as the audit entry that names it.
    created_at = utc_now()
    chunks = range(0, len(candidates), CHUNK_ROWS)
    for number, at in enumerate(chunks):
        data = zlib.compress(msgspec.json.encode(candidates[at : at + CHUNK_ROWS]))
        batch.create(_chunk(upload_id, number), {"data": data, "created_at": created_at})
    told = {"total": total, "readable": len(candidates), "chunks": len(chunks)}
    batch.create(_reference(upload_id), {**told, "uid": by.uid, "created_at": created_at})
    batch.create(*audit.entry(by, f"{COLLECTION}/{upload_id}", None, told))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _reference(upload_id: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(upload_id)


def _chunk(upload_id: str, number: int) -> "DocumentReference":
    return firestore.client().collection(CHUNKS).document(f"{upload_id}-{number}")
