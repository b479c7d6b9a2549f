"""What providers have answered, kept in Redis by what was asked: who asks again does not pay.

The key holds all that is told of the product, the words of the prompt, the list of categories and
the model; what any of them changes is another question. Without Redis everybody pays.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from shared.ai_models import Model
from shared.classification.models import Categories, Item, Verdict
from shared.classification.prompts import PROMPT_VERSION, SEVERAL_VERSION, identity
from shared.clients import redis

KEPT_SECONDS: Final = 7 * 24 * 3600
_IN_ONE_TRIP: Final = 500


class Kept(msgspec.Struct, frozen=True):
    """A verdict with whose it is; its confidence is the provider's own figure."""

    verdict: Verdict
    provider: str
    model: str
    prompt_version: str


_decoder = msgspec.json.Decoder(Kept)


def read(
    items: Mapping[int, Item], categories: Categories, models: Sequence[Model]
) -> dict[int, Kept]:
    """Those of the items that one of the models has answered; of several the first one's."""
    asked = [
        (index, key) for index, item in items.items() for key in _keys(item, categories, models)
    ]
    found: dict[int, Kept] = {}
    for (index, _), text in zip(asked, _texts([key for _, key in asked]), strict=True):
        if index not in found and text is not None and (kept := _read(text, categories)):
            found[index] = kept
    return found


def keep(answers: Sequence[tuple[Item, Kept]], categories: Categories, model: Model) -> None:
    """Keeps a model's answers for a week, in one round trip."""
    texts = {
        key: msgspec.json.encode(kept).decode()
        for item, kept in answers
        for key in _keys(item, categories, [model])
    }
    if texts:
        redis.set_all(texts, KEPT_SECONDS)


def _keys(item: Item, categories: Categories, models: Sequence[Model]) -> list[str]:
    listed = msgspec.json.encode(categories)
    versions = f"{PROMPT_VERSION} {SEVERAL_VERSION}".encode()
    beginning = sha256(b"\0".join((versions, listed, identity(item).encode()))).hexdigest()[:40]
    return [f"ai:answer:{model.provider}:{model.name}:{beginning}" for model in models]


def _texts(keys: Sequence[str]) -> Iterator[str | None]:
    for start in range(0, len(keys), _IN_ONE_TRIP):
        part = keys[start : start + _IN_ONE_TRIP]
        yield from _in_one_trip(part)


def _in_one_trip(keys: Sequence[str]) -> Sequence[str | None]:
    return redis.try_call(lambda r: r.mget(*keys)) or [None] * len(keys)


def _read(text: str, categories: Categories) -> Kept | None:
    try:
        kept = _decoder.decode(text)
    except msgspec.DecodeError:
        return None
    # Whatever stands there: nothing leaves the list.
    return kept if kept.verdict.category in categories.ids else None
