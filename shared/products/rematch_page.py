"""One page of a full re-match: some products, matched one after the other."""

import logging
from typing import TYPE_CHECKING

import msgspec

from shared.clients import firestore
from shared.edge import cache
from shared.errors import DependencyTimeout, DependencyUnavailable
from shared.products import catalogue, match_models, outbox, pairing, posting_cache
from shared.products.allowances import Allowance
from shared.products.turns import Waited

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

    from shared.products.matching import Matcher

log = logging.getLogger(__name__)


class Page(msgspec.Struct):
    """What a task did of its block before it says so."""

    after: str | None
    last: str | None
    ids: list[str]
    matches: list[tuple[str, str]] = []
    failed: int = 0
    whole: bool = False


def matched(ids: list[str], after: str | None, model: str) -> Page:
    """Matches these products anew, by that model or a newer; raises where all else would fail too.

    One that fails by itself counts as failed, and is owed to the sweep.
    """
    matcher = match_models.current(at_least=model)
    page = Page(after, ids[-1] if ids else after, ids)
    changed: set[str] = set()
    try:
        for product_id in ids:
            try:
                page.matches += _match_one(product_id, matcher, changed)
            except (DependencyUnavailable, DependencyTimeout):
                raise
            except Exception:
                # One product that cannot be matched must not end the run for all others.
                log.exception("Not matched", extra={"context": {"product": product_id}})
                _owe(product_id)
                page.failed += 1
    finally:
        # A repetition of what fails finds what is written by now as it wants it.
        for namespace in sorted(changed):
            cache.bump(namespace, 0)
    return page


def _match_one(product_id: str, matcher: "Matcher", changed: set[str]) -> list[tuple[str, str]]:
    """The product's matches; adds to `changed` whose pages tell of what was written.

    All its partners are judged anew, in as many turns as that takes.
    """
    published = pairing.publish(product_id, matcher, Allowance())
    if published.written:
        changed.add(posting_cache.NAMESPACE)
    matches: dict[str, None] = {}
    waiting: Waited = None
    while waiting is None or waiting:
        of_turn = msgspec.structs.replace(published, allowance=Allowance())
        paired = pairing.pair(of_turn, product_id, matcher, paid=False, waited=waiting)
        if paired.written:
            changed.add("products")
        matches |= dict.fromkeys(paired.matches)
        waiting = paired.waiting
    return [(product_id, other) for other in matches]


def _owe(product_id: str) -> None:
    """Has the product matched by itself, by the sweep, as after a write of it."""

    def write(transaction: "Transaction") -> None:
        product = catalogue.reference(product_id)
        found = product.get(["version"], transaction=transaction, **firestore.limits()).to_dict()
        if found is not None:
            owed = outbox.fields("product", product_id, found["version"])
            transaction.set(outbox.document("product", product_id), owed)

    firestore.in_transaction(write)
