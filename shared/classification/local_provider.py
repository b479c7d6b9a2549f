"""`local`: classifies in the function itself, with no key and no network.

What it knows are the categories' names, a list of synonyms that is shipped, what reviewers have
decided, and the newest products of the catalogue, whose categories people and uploads have given.
Its model is imported and loaded when it is first asked; what one instance has learned, the others
take over.
"""

import logging
import time
from collections import OrderedDict
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shared.classification import labels, newest_products, renewal
from shared.classification.models import Categories, Example
from shared.classification.providers import Ask
from shared.clients.ai.asking import Patience, Question, Reply
from shared.clock import utc_now
from shared.errors import ShoppleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.classification.local_model import LocalModel
    from shared.classification.renewal import Kept

log = logging.getLogger(__name__)

# Learned once in so long, whatever the size of the catalogue.
MOST_EXAMPLES: Final = 2000
FRESH_SECONDS: Final = 600.0
# The first answer waits no longer for what there is to learn; the rest is learned a minute later.
LEARNING_SECONDS: Final = 3.0
UNFINISHED_SECONDS: Final = 60.0
# Those of before a change of the collection may still be asked for.
_MODELS: Final = 2

_lock = Lock()
_kept: "OrderedDict[frozenset[str], Kept[LocalModel]]" = OrderedDict()


class _Lesson(NamedTuple):
    """A model, how long it is good, and whether others may have it from here."""

    model: "LocalModel"
    fresh_seconds: float
    is_for_others: bool


class _Known(NamedTuple):
    """What there is to learn; not `whole` where some of it was out of reach."""

    examples: list[Example]
    unfiled: list[str]
    whole: bool


def ready(categories: Categories) -> Ask:
    """The provider for these categories; it learns when it is first asked."""
    return partial(_ask, _model, categories)


def untaught(categories: Categories) -> Ask:
    """The provider for categories that nothing in the catalogue belongs to: it reads nothing."""
    return partial(_ask, _untaught, categories)


def _ask(
    model_of: "Callable[[Categories], LocalModel]",
    categories: Categories,
    question: Question,
    model: str,  # noqa: ARG001 - it has one model
    patience: Patience,
) -> Reply:
    patience.check()
    verdict = model_of(categories).classify(question.text)
    return Reply(msgspec.json.encode(verdict).decode())


def _untaught(categories: Categories) -> "LocalModel":
    from shared.classification import meaning
    from shared.classification.local_model import LocalModel

    return LocalModel(categories, [], [], embed=meaning.vectors)


def _model(categories: Categories) -> "LocalModel":
    with _lock:
        before = _kept.get(categories.ids)
        began, began_at = time.monotonic(), utc_now()
        if before is not None and began < before.renew_at:
            return before.value
        lesson = _taken_over(categories, before, began) or _learned(categories)
        _kept[categories.ids] = renewal.kept(lesson.model, began, lesson.fresh_seconds)
        _kept.move_to_end(categories.ids)
        while len(_kept) > _MODELS:
            _kept.popitem(last=False)
    # Others of this instance need not wait until it is handed over.
    if lesson.is_for_others:
        from shared.classification import local_artefact

        local_artefact.write(categories, lesson.model, lesson.fresh_seconds, began_at)
    return lesson.model


def _taken_over(
    categories: Categories, before: "Kept[LocalModel] | None", now: float
) -> _Lesson | None:
    """What another instance has learned, if that is newer than what was known before."""
    from shared.classification import local_artefact

    least_seconds = renewal.least_seconds(before, now)
    # Of one that is too old the vectors are still true, and they are what takes long.
    is_first = before is None
    found = local_artefact.read(categories, even_if_old=is_first, least_seconds=least_seconds)
    if found is None or found[1] <= 0:
        return None
    return _Lesson(*found, is_for_others=False)


def _learned(categories: Categories) -> _Lesson:
    """What there is to learn, as far as time allows."""
    from shared.classification import meaning
    from shared.classification.local_model import MOST_TEXTS, LocalModel

    examples, unfiled, whole = _known(categories)
    examples = examples[:MOST_EXAMPLES]
    texts = [*(each.text for each in examples), *unfiled[: max(0, MOST_TEXTS - len(examples))]]
    done = meaning.prepared(texts, LEARNING_SECONDS)
    taken = examples[:done]
    model = LocalModel(categories, taken, texts[len(examples) : done], embed=meaning.vectors)
    fresh_seconds = FRESH_SECONDS if whole and done == len(texts) else UNFINISHED_SECONDS
    # What one instance could not read, others may: it is no lesson for them.
    return _Lesson(model, fresh_seconds, is_for_others=whole)


def _known(categories: Categories) -> _Known:
    """What reviewers have decided, then the newest products; both if in reach.

    Of the given categories only; and the texts of those products that have no category. A product
    that a reviewer has seen stands here by his word alone.
    """
    told, products = _labels(), newest_products.known()
    # A label of a category that is gone must not hide what the catalogue says of the same text.
    decided = {
        label.text.casefold(): Example(label.text, label.category)
        for label in told or []
        if label.category in categories.ids
    }
    newest = (Example(each.text, each.category) for each in products or [])
    found = [each for each in newest if each.text.casefold() not in decided]
    known = [each for each in (*decided.values(), *found) if each.category in categories.ids]
    whole = told is not None and products is not None
    return _Known(known, [each.text for each in found if not each.category], whole)


def _labels() -> list[labels.Label] | None:
    try:
        return labels.read()
    except ShoppleError as error:
        log.warning("No labels", extra={"context": {"why": error.detail}})
        return None
