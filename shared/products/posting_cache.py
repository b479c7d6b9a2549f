"""Posting lists in Redis for a few minutes, for whoever looks the same offers up again.

A preview looks in its lists for offers of the row's own retailer: what a list holds of one retailer
is kept as `matcher:cache:<retailer>:<category>:<generation>:<key>`. The generation is taken before
the lists are read, and replaced with each product and each change of a list, so that nothing old is
ever found. Without Redis every list is read from Firestore.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shared.clients import redis
from shared.edge import cache
from shared.products import postings
from shared.products.matching import Offer

NAMESPACE: Final = "matcher"
TTL_SECONDS: Final = 300

_decoder = msgspec.json.Decoder(list[Offer])


class Wanted(msgspec.Struct, frozen=True):
    """A posting list, as far as it holds offers of one retailer; asked for in one category."""

    retailer: str
    category: str
    key: str


def read(wanted: Iterable[Wanted]) -> dict[Wanted, list[Offer]]:
    """What the lists hold of the retailers; at most one read each, none for one that is kept."""
    asked = list(dict.fromkeys(wanted))
    if not asked:
        return {}
    generation = cache.generation(NAMESPACE)
    kept = _kept(asked, generation)
    missing = [each for each in asked if each not in kept]
    lists = postings.read(each.key for each in missing)
    fresh = {
        each: [o for o in lists.get(each.key, {}).values() if o.retailer == each.retailer]
        for each in missing
    }
    _keep(fresh, generation)
    return {**kept, **fresh}


def _kept(asked: list[Wanted], generation: str | None) -> dict[Wanted, list[Offer]]:
    if generation is None:
        return {}
    keys = [_name(each, generation) for each in asked]
    texts = redis.try_call(lambda r: r.mget(*keys)) or []
    found = zip(asked, texts, strict=False)
    return {each: _decoder.decode(text) for each, text in found if text is not None}


def _keep(fresh: Mapping[Wanted, list[Offer]], generation: str | None) -> None:
    if generation is None or not fresh:
        return
    redis.set_all(
        {_name(each, generation): _text(offers) for each, offers in fresh.items()}, TTL_SECONDS
    )


def _text(offers: list[Offer]) -> str:
    return msgspec.json.encode(offers).decode()


def _name(wanted: Wanted, generation: str) -> str:
    return f"matcher:cache:{wanted.retailer}:{wanted.category}:{generation}:{wanted.key}"
