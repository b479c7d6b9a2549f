"""What calls have cost, by the books."""

from typing import Any

import msgspec

from shared.classification.spending import SHARDS, calls, day_document, has_room, holds
from shared.clients import firestore
from shared.clock import Clock, utc_now


class Used(msgspec.Struct, frozen=True):
    """What a provider's day has cost, and what each of its shards holds, settled or open."""

    settled: int = 0
    held: tuple[int, ...] = ()

    def has_room(self, limit: int, micros: int) -> bool:
        """Whether a call of so much may still be made."""
        held = (*self.held, *[0] * (SHARDS - len(self.held)))
        return any(has_room(each, limit, micros) for each in held)


def today(clock: Clock = utc_now) -> dict[str, Used]:
    """Each provider's spend of this day (UTC); one read for each shard."""
    day = clock().date().isoformat()
    references = [day_document(day, shard) for shard in range(SHARDS)]
    with firestore.errors_mapped():
        read = firestore.client().get_all(references, **firestore.limits())
        shards = [each.to_dict() or {} for each in read]
    return {
        name: Used(
            sum(shard.get(name, {}).get("settled", 0) for shard in shards),
            tuple(holds(shard, name) for shard in shards),
        )
        for name in {name for shard in shards for name in shard if name != "expires_at"}
    }


def of_origin(origin: str) -> tuple[int, int]:
    """How many calls were made for it, and what they cost; one read for each 1,000 of them."""
    from google.cloud.firestore import FieldFilter

    query = calls().where(filter=FieldFilter("origin", "==", origin))
    with firestore.errors_mapped():
        # The library's types take the field for the query.
        both = query.count("calls").sum("cost_micros", "cost")  # type: ignore[arg-type]
        asked: Any = both.get(**firestore.limits())
    told = {each.alias: int(each.value) for each in asked[0]}
    return told["calls"], told["cost"]
