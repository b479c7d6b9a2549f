"""Where batches, their items and their results are stored.

Each item has one result, under its own number: who creates it first has the last word, and whoever
comes later finds it there. A result that waits for a person, and its entry in the queue of reviews,
are one commit.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.classification import reviews
from shared.classification.batch_records import Batch, Placed, Verdict, verdict_of
from shared.classification.models import Decided
from shared.clients import firestore
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import (
        CollectionReference,
        DocumentReference,
        DocumentSnapshot,
        Query,
        WriteBatch,
    )

COLLECTION: Final = "classification_batches"
ITEMS: Final = "items"
RESULTS: Final = "results"
# A commit may hold 10 MiB.
PARTS_IN_COMMIT: Final = 50


def create(batch: Batch, parts: Sequence[Sequence[Placed]], by: Actor, source: str) -> None:
    """Stores the items, and with the last commit the batch: before that nobody sees any."""
    database = firestore.client()
    numbered = list(enumerate(parts))
    for start in range(0, len(numbered), PARTS_IN_COMMIT):
        commit = database.batch()
        for number, part in numbered[start : start + PARTS_IN_COMMIT]:
            fields = {"items": [each.fields() for each in part], "expires_at": batch.expires_at}
            commit.create(_part(batch.id, number), fields)
        with firestore.errors_mapped():
            commit.commit(**firestore.limits())
    commit = database.batch()
    commit.create(reference(batch.id), fields_of(batch))
    after = {"total": batch.total, "from": source, "provider": batch.provider, "model": batch.model}
    commit.create(
        *audit.entry(by, f"{COLLECTION}/{batch.id}", None, after, lambda: batch.created_at)
    )
    with firestore.errors_mapped():
        commit.commit(**firestore.limits())


def read(batch_id: str) -> "tuple[Batch, DocumentSnapshot[Any]]":
    """The batch and its document; raises NotFound."""
    with firestore.errors_mapped():
        snapshot = reference(batch_id).get(**firestore.limits())
    if not snapshot.exists:
        raise NotFound("There is no such batch, or it was removed for its age.")
    return batch_of(snapshot), snapshot


def update(snapshot: "DocumentSnapshot[Any]", changes: dict[str, Any]) -> None:
    """Changes the batch that was read; raises Conflict where somebody has meanwhile."""
    unchanged = firestore.client().write_option(last_update_time=snapshot.update_time)
    with firestore.errors_mapped():
        snapshot.reference.update(changes, option=unchanged, **firestore.limits())


def items(batch_id: str, part: int) -> list[Placed]:
    """The items of a part."""
    with firestore.errors_mapped():
        fields = _part(batch_id, part).get(**firestore.limits()).to_dict() or {}
    return [Placed.of_fields(each) for each in fields.get("items", [])]


def settled(batch_id: str, part: int) -> set[int]:
    """The numbers of those that have a result: a read for each, and one where none has."""
    with firestore.errors_mapped():
        found = _of_part(batch_id, part).select([]).stream(**firestore.limits())
        return {int(each.id) for each in found}


def count_settled(batch_id: str, part: int) -> int:
    """How many of a part have a result: one read."""
    with firestore.errors_mapped():
        return firestore.count(_of_part(batch_id, part))


def count(batch_id: str, verdict: Verdict | None = None) -> int:
    """How many results there are, of that verdict only if one is named."""
    from google.cloud.firestore import FieldFilter

    query: Query = results(batch_id)  # type: ignore[assignment]
    if verdict is not None:
        query = query.where(filter=FieldFilter("verdict", "==", verdict))
    with firestore.errors_mapped():
        return firestore.count(query)


def settle(
    batch: Batch, part: int, decided: Sequence[tuple[Placed, Decided]], now: datetime
) -> None:
    """Gives each item its result, unless it has one."""
    results_of = [_Result(batch, part, placed, result, now) for placed, result in decided]
    try:
        _commit(results_of)
    except Conflict:
        # Somebody was faster with one of them at least, and each has to be tried by itself.
        for each in results_of:
            with suppress(Conflict):
                _commit([each])


def results(batch_id: str) -> "CollectionReference":
    """The batch's results, by the number of the item."""
    found: CollectionReference = reference(batch_id).collection(RESULTS)
    return found


def reference(batch_id: str) -> "DocumentReference":
    """Where a batch is stored."""
    return firestore.client().collection(COLLECTION).document(batch_id)


def batch_of(snapshot: "DocumentSnapshot[Any]") -> Batch:
    """The batch in a document that exists."""
    fields = snapshot.to_dict() or {}
    return Batch(id=snapshot.id, **(fields | {"sizes": tuple(fields["sizes"])}))


def fields_of(batch: Batch) -> dict[str, Any]:
    """The batch's fields in Firestore."""
    fields = msgspec.structs.asdict(batch) | {"sizes": list(batch.sizes)}
    del fields["id"]
    return fields


def parts_left(batch: Batch) -> Iterator[int]:
    """The parts that are not done: one read for each, where any is done at all."""
    for part, size in enumerate(batch.sizes):
        if batch.done == 0 or count_settled(batch.id, part) < size:
            yield part


class _Result(msgspec.Struct, frozen=True):
    batch: Batch
    part: int
    placed: Placed
    decided: Decided
    at: datetime

    def create(self, commit: "WriteBatch") -> None:
        """Adds the result, and the review that it may need; each can be created once."""
        verdict, review_id, placed = verdict_of(self.decided), None, self.placed
        if verdict != "successful":
            origin = f"{self.batch.id}-{placed.index}"
            review_id, entry = reviews.review_entry(
                placed.item, self.decided, origin=origin, at=self.at
            )
            commit.create(reviews.reference(review_id), entry)
        told = msgspec.structs.asdict(self.decided) | {
            "index": placed.index,
            "product": {"id": placed.item.id, "name": placed.item.name},
            "review_id": review_id,
            "at": self.at,
        }
        fields = {"part": self.part, "verdict": verdict, "told": told}
        # Ids in the order of the numbers.
        document = results(self.batch.id).document(f"{placed.index:05}")
        commit.create(document, {**fields, "expires_at": self.batch.expires_at})


def _commit(together: Sequence[_Result]) -> None:
    commit = firestore.client().batch()
    for each in together:
        each.create(commit)
    with firestore.errors_mapped():
        commit.commit(**firestore.limits())


def _of_part(batch_id: str, part: int) -> "Query":
    from google.cloud.firestore import FieldFilter

    return results(batch_id).where(filter=FieldFilter("part", "==", part))


def _part(batch_id: str, part: int) -> "DocumentReference":
    items_of: CollectionReference = reference(batch_id).collection(ITEMS)
    return items_of.document(f"{part:05}")
