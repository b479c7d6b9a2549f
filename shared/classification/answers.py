"""A provider's answer, read strictly: what is not exactly what was asked for is refused."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.classification.models import Categories, Verdict
from shared.classification.prompts import MOST_RATIONALE
from shared.clients.ai.asking import ProviderFailed


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    category: str
    confidence: Annotated[int, Meta(ge=0, le=100)]
    rationale: str


_decoder = msgspec.json.Decoder(_Answer)


def read(text: str, categories: Categories) -> Verdict:
    """The verdict that `text` holds; raises ProviderFailed (bad_output)."""
    try:
        answer = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise ProviderFailed("bad_output") from None
    if answer.category not in categories.ids:
        raise ProviderFailed("bad_output")
    rationale = " ".join(answer.rationale.split())[:MOST_RATIONALE]
    return Verdict(answer.category, answer.confidence, rationale)
