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
from typing import TYPE_CHECKING, Final

import msgspec

from shared.classification import labels, newest_products
from shared.classification.models import Categories, Example
from shared.classification.providers import Ask
from shared.clients.ai.asking import Patience, Question, Reply
from shared.clock import utc_now
from shared.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.classification.local_model import LocalModel

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
_kept: "OrderedDict[frozenset[str], tuple[float, LocalModel]]" = OrderedDict()


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
        known = _kept.get(categories.ids)
        began = time.monotonic()
        if known is not None and began < known[0]:
            return known[1]
        model, fresh_seconds = _renewed(categories, is_first=known is None)
        _kept[categories.ids] = (began + fresh_seconds, model)
        _kept.move_to_end(categories.ids)
        while len(_kept) > _MODELS:
            _kept.popitem(last=False)
        return model


def _renewed(categories: Categories, *, is_first: bool) -> "tuple[LocalModel, float]":
    """What another instance has learned, else what there is to learn; and how long it is good."""
    from shared.classification import local_artefact

    # Of one that is too old the vectors are still true, and they are what takes long.
    found = local_artefact.read(categories, even_if_old=is_first)
    if found is not None and found[1] > 0:
        return found
    began_at = utc_now()
    model, fresh_seconds = _learned(categories)
    local_artefact.write(categories, model, fresh_seconds, began_at)
    return model, fresh_seconds


def _learned(categories: Categories) -> "tuple[LocalModel, float]":
    """What there is to learn, as far as time allows, and how long that is good for."""
    from shared.classification import meaning
    from shared.classification.local_model import MOST_TEXTS, LocalModel

    examples, unfiled = _examples(categories)
    examples = examples[:MOST_EXAMPLES]
    texts = [*(each.text for each in examples), *unfiled[: max(0, MOST_TEXTS - len(examples))]]
    done = meaning.prepared(texts, LEARNING_SECONDS)
    taken = examples[:done]
    model = LocalModel(categories, taken, texts[len(examples) : done], embed=meaning.vectors)
    return model, FRESH_SECONDS if done == len(texts) else UNFINISHED_SECONDS


def _examples(categories: Categories) -> tuple[list[Example], list[str]]:
    """What reviewers have decided, then the newest products; both if in reach.

    Of the given categories only; and the texts of those products that have no category. A product
    that a reviewer has seen stands here by his word alone.
    """
    # A label of a category that is gone must not hide what the catalogue says of the same text.
    decided = {
        label.text.casefold(): Example(label.text, label.category)
        for label in _labels()
        if label.category in categories.ids
    }
    newest = (Example(each.text, each.category) for each in newest_products.known())
    found = [each for each in newest if each.text.casefold() not in decided]
    known = [each for each in (*decided.values(), *found) if each.category in categories.ids]
    return known, [each.text for each in found if not each.category]


def _labels() -> list[labels.Label]:
    try:
        return labels.read()
    except DependencyError as error:
        log.warning("No labels", extra={"context": {"why": error.detail}})
        return []
