"""The nightly export: the catalogue as gzip NDJSON in Storage, written in parts by tasks.

Which part is next stands in one document a day, so a task that comes twice or is cut off writes its
part again under another name, and only what the manifest names counts. The manifest comes last.
"""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore, storage, tasks
from shared.clock import Clock, rfc3339, utc_now
from shared.system import nightly_objects
from shared.system.background_schemas import WriteNightlyExport
from shared.system.nightly_objects import Written
from shared.system.retention_rules import MANIFEST, NIGHTLY

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "nightly_exports"
QUEUE: Final = "exports"
FUNCTION: Final = "write_nightly_export"
# Pairs of offers that match are stored as such; prices have an upload of their own to come from.
EXPORTED: Final = (
    "products",
    "categories",
    "match_pairs",
    "match_states",
    "product_groups",
    "match_decisions",
)
PART_ROWS: Final = 20_000
# A run that is older is taken for dead, and another one begun.
RUN_LIFETIME: Final = timedelta(hours=6)


class Night(msgspec.Struct):
    """How far a day's export is: next is `part`, from `EXPORTED[collection]` beyond id `after`."""

    run: str
    status: Literal["running", "completed", "failed"]
    began_at: datetime
    part: int = 0
    collection: int = 0
    after: str | None = None
    objects: list[Written] = []


class Manifest(msgspec.Struct):
    """What a day's export consists of; fields are as Firestore stores them, money in minor units.

    Parts are read one after another, so a document that changes meanwhile is as it was at its turn.
    """

    day: str
    began_at: str
    completed_at: str
    rows: dict[str, int]
    objects: list[Written]


def begin(clock: Clock = utc_now) -> str:
    """Begins the export of the present day (UTC), or goes on with it; says which day that is."""
    now = clock()
    day = now.date().isoformat()
    snapshot, night = _read(day)
    alive = night and night.status == "running" and night.began_at > now - RUN_LIFETIME
    if night is None or not alive:
        night = Night(secrets.token_hex(8), "running", now)
        firestore.store(snapshot, _fields(night))
    _enqueue(day, night)
    return day


def write(day: str, run: str, part: int, part_rows: int = PART_ROWS) -> None:
    """Writes a part, or after the last one the manifest; what is done already is not done again."""
    snapshot, night = _read(day)
    if night is None or night.run != run or night.status != "running":
        return
    if night.part == part:
        if night.collection == len(EXPORTED):
            _finish(day, snapshot, night)
            return
        _write_part(day, night, part_rows)
        firestore.store(snapshot, _fields(night))
    _enqueue(day, night)


def give_up(day: str, run: str) -> None:
    """Ends a run that failed for good; the next call of `begin` begins another one."""
    snapshot, night = _read(day)
    if night is not None and night.run == run and night.status == "running":
        night.status = "failed"
        firestore.store(snapshot, _fields(night))


def _write_part(day: str, night: Night, part_rows: int) -> None:
    collection = EXPORTED[night.collection]
    name = f"{NIGHTLY}{day}/{collection}-{night.part:05}-{secrets.token_hex(4)}.ndjson.gz"
    written, last = nightly_objects.write(name, collection, night.after, part_rows)
    night.objects.append(written)
    night.part += 1
    night.after = last
    if last is None:
        night.collection += 1


def _finish(day: str, snapshot: "DocumentSnapshot[Any]", night: Night) -> None:
    rows = dict.fromkeys(EXPORTED, 0)
    for each in night.objects:
        rows[each.collection] += each.rows
    manifest = Manifest(
        day, rfc3339(night.began_at), rfc3339(utc_now()), rows, objects=night.objects
    )
    folder = f"{NIGHTLY}{day}/"
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    storage.put(f"{folder}{MANIFEST}", content, "application/json", "private, no-store")
    night.status = "completed"
    firestore.store(snapshot, _fields(night))
    _remove_replaced(folder, night)


def _remove_replaced(folder: str, night: Night) -> None:
    """An earlier run's objects go; a later run's, which may have begun by now, are younger."""
    named = {each.name for each in night.objects}
    for page in storage.pages(folder, 1000):
        for each in page:
            ours = each.name in named or each.name.endswith(f"/{MANIFEST}")
            if not ours and each.written_at < night.began_at:
                storage.remove(each.name)


def _enqueue(day: str, night: Night) -> None:
    body = msgspec.json.encode(WriteNightlyExport(day, night.run, night.part))
    tasks.enqueue(QUEUE, FUNCTION, body, name=f"nightly-{night.run}-{night.part}")


def _read(day: str) -> "tuple[DocumentSnapshot[Any], Night | None]":
    with firestore.errors_mapped():
        snapshot = _document(day).get(**firestore.limits())
    return snapshot, firestore.record_of(snapshot, Night)


def _fields(night: Night) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(night, builtin_types=(datetime,))
    return fields


def _document(day: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(day)
