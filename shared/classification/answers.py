"""A provider's answer, read strictly: what is not exactly what was asked for is refused."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.classification.models import Categories, Verdict
from shared.classification.product_text import words
from shared.classification.prompts import MOST_RATIONALE, Marked, beginning
from shared.clients.ai.asking import ProviderFailed


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    category: str
    confidence: Annotated[int, Meta(ge=0, le=100)]
    rationale: str


class _Row(_Answer, forbid_unknown_fields=True):
    mark: str
    begins: str


class _Rows(msgspec.Struct, forbid_unknown_fields=True):
    products: list[_Row]


_decoder = msgspec.json.Decoder(_Answer)
_decoder_of_several = msgspec.json.Decoder(_Rows)


def read(text: str, categories: Categories) -> Verdict:
    """The verdict that `text` holds; raises ProviderFailed (bad_output)."""
    try:
        answer = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise ProviderFailed("bad_output") from None
    return _verdict(answer, categories)


def read_several(text: str, asked: Sequence[Marked], categories: Categories) -> list[Verdict]:
    """A verdict for each that was asked for, in order; raises ProviderFailed (bad_output).

    One row that is foreign, missing, too many, in another's place or about another product, or one
    category that is not on the list, and nothing of the answer counts.
    """
    try:
        rows = _decoder_of_several.decode(text).products
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise ProviderFailed("bad_output") from None
    if [row.mark for row in rows] != [each.mark for each in asked]:
        raise ProviderFailed("bad_output")
    if [words(row.begins) for row in rows] != [beginning(each.item) for each in asked]:
        raise ProviderFailed("bad_output")
    return [_verdict(row, categories) for row in rows]


def _verdict(answer: _Answer, categories: Categories) -> Verdict:
    if answer.category not in categories.ids:
        raise ProviderFailed("bad_output")
    rationale = " ".join(answer.rationale.split())[:MOST_RATIONALE]
    return Verdict(answer.category, answer.confidence, rationale)
