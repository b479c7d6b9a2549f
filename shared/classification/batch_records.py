"""A batch and its parts as they are stored, and which items go in which part."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from shared.classification import portions
from shared.classification.models import Decided, Item
from shared.classification.prompts import (
    MOST_BRAND,
    MOST_DESCRIPTION,
    MOST_NAME,
    MOST_PRICE,
    MOST_SIZE,
    identity,
)
from shared.money import of_text

Status = Literal["queued", "running", "cancelling", "cancelled", "done"]
Verdict = Literal["successful", "failed", "review"]
OVER: Final[tuple[Status, ...]] = ("cancelled", "done")

MOST_ITEMS: Final = 10_000
# Twins of what stands in a part stand there too, as far as there is room.
PART_ITEMS: Final = 100
# A document holds a mebibyte; a part is to be read quickly.
PART_BYTES: Final = 90_000


class Batch(msgspec.Struct, frozen=True):
    """A batch as it is stored; `sizes` says how many items each of its parts has.

    The counts are those of its results when they were last counted, calls and cost (millionths of
    a US dollar) those of the books. `due_at` is when the sweep looks after it; None once it is
    over.
    """

    id: str
    status: Status
    total: int
    sizes: tuple[int, ...]
    provider: str | None
    model: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    counted_at: datetime
    due_at: datetime | None
    done: int = 0
    successful: int = 0
    failed: int = 0
    review: int = 0
    calls: int = 0
    cost_micros: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing comes of it any more."""
        return self.status in OVER


class Placed(msgspec.Struct, frozen=True):
    """An item and its place in the batch."""

    index: int
    item: Item

    def fields(self) -> dict[str, Any]:
        """What of it is stored: as much as a question says of it."""
        item = self.item
        told = {
            "index": self.index,
            "name": item.name[:MOST_NAME],
            "description": item.description and item.description[:MOST_DESCRIPTION],
            "brand": item.brand and item.brand[:MOST_BRAND],
            "price": None if item.price is None else str(item.price)[:MOST_PRICE],
            "id": item.id,
            "size": item.size and item.size[:MOST_SIZE],
        }
        return {name: value for name, value in told.items() if value is not None}

    @classmethod
    def of_fields(cls, fields: dict[str, Any]) -> "Placed":
        """The item that was stored."""
        told = dict(fields)
        index = told.pop("index")
        price = told.pop("price", None)
        return cls(index, Item(**told, price=None if price is None else of_text(price)))


def parts(items: Sequence[Item]) -> Iterator[list[Placed]]:
    """The items of each part: what goes in one call, with all that says the same.

    So a part that is worked on twice costs one call more, and equal items are asked about once.
    """
    twins: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        twins.setdefault(identity(item), []).append(index)
    alike = {indexes[0]: indexes for indexes in twins.values()}
    alone: list[int] = []
    for leaders in portions.portions({leader: items[leader] for leader in alike}):
        if len(leaders) == 1:
            alone += leaders
        else:
            yield from _bounded(items, [alike[leader] for leader in leaders])
    for start in range(0, len(alone), portions.MOST_IN_CALL):
        some = alone[start : start + portions.MOST_IN_CALL]
        yield from _bounded(items, [alike[leader] for leader in some])


def verdict_of(decided: Decided) -> Verdict:
    """How a result counts."""
    if decided.category is None:
        return "failed"
    return "review" if decided.needs_review else "successful"


def _bounded(items: Sequence[Item], groups: list[list[int]]) -> Iterator[list[Placed]]:
    # The first of each before any twin, so that what one call answers stays together.
    firsts = [group[0] for group in groups]
    indexes = firsts + [index for group in groups for index in group[1:]]
    part: list[Placed] = []
    size = 0
    for index in indexes:
        placed = Placed(index, items[index])
        bytes_more = len(msgspec.json.encode(placed.fields()))
        if part and (len(part) >= PART_ITEMS or size + bytes_more > PART_BYTES):
            yield part
            part, size = [], 0
        part.append(placed)
        size += bytes_more
    yield part
