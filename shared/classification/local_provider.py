"""`local`: classifies in the function itself, with no key and no network.

What it knows are the categories' names, a list of synonyms that is shipped, what reviewers have
decided, and the newest products of the catalogue, whose categories people and uploads have given.
"""

import logging
import time
from functools import partial
from threading import Lock
from typing import Final

import msgspec

from shared.classification import labels, local_model, newest_products
from shared.classification.models import Categories, Example
from shared.classification.providers import Ask
from shared.clients.ai.asking import Patience, Question, Reply
from shared.errors import DependencyError

log = logging.getLogger(__name__)

# Read once for each instance in so long, whatever the size of the catalogue.
FRESH_SECONDS: Final = 600.0

_lock = Lock()
_kept: "tuple[float, frozenset[str], local_model.LocalModel] | None" = None


def ready(categories: Categories) -> Ask:
    """The provider for these categories; it learns when it is first asked."""
    return partial(_ask, categories)


def _ask(categories: Categories, question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG001 - it has one model
    patience.check()
    verdict = _model(categories).classify(question.text)
    return Reply(msgspec.json.encode(verdict).decode())


def _model(categories: Categories) -> local_model.LocalModel:
    global _kept  # noqa: PLW0603 - one copy for the process
    with _lock:
        now = time.monotonic()
        # `local` is tried with other categories than the collection's, too: those are few.
        known = _kept
        if known is not None and known[1] == categories.ids and now - known[0] < FRESH_SECONDS:
            return known[2]
        examples = _examples(categories)
        _kept = (now, categories.ids, local_model.LocalModel(categories, examples))
        return _kept[2]


def _examples(categories: Categories) -> list[Example]:
    """What reviewers have decided, then the newest products, a thousand at most; both if in reach.

    Of the given categories only. A product that a reviewer has seen stands here by his word alone.
    """
    decided = {label.text.casefold(): Example(label.text, label.category) for label in _labels()}
    found = [each for each in newest_products.known() if each.text.casefold() not in decided]
    known = [*decided.values(), *found]
    return [example for example in known if example.category in categories.ids]


def _labels() -> list[labels.Label]:
    try:
        return labels.read()
    except DependencyError as error:
        log.warning("No labels", extra={"context": {"why": error.detail}})
        return []
