"""What follows a product's write: caches, statistics, posting lists, search and matches.

Everything is recomputed from the documents as they are now, so that events may come twice, late
or in any order. The order of steps matters once: a product stands in its posting lists before
it looks for others in them, so that of two products written at once at least one sees the other.
"""

from collections.abc import Callable

from shared.edge import cache
from shared.errors import Conflict, DependencyError, ShoppleError
from shared.products import (
    match_models,
    pairing,
    posting_cache,
    reacting,
    search_index,
    search_lists,
    statistics,
)
from shared.products.allowances import Allowance
from shared.products.matching import Matcher


def follow(product_id: str, matcher: Matcher | None = None) -> None:
    """Brings everything that hangs on the product up to date; raises to be called again.

    What may be read for it is limited together: where others hinder one step so often that nothing
    is left for the next, a repetition finds done what was done, and always gets further.
    """
    allowance = Allowance()
    matcher = matcher or match_models.current()
    # First, since a search that is written costs next to nothing: with posting lists that are
    # written another attempt at the search might leave too little for the pairs, again and again.
    hindered = [
        _tried(lambda: search_lists.publish(product_id, allowance)),
        _tried(lambda: search_index.publish(product_id, allowance)),
    ]
    published = pairing.publish(product_id, matcher, allowance)
    # At once: a repetition of what fails from here on finds the lists written already.
    _renew_lists(published)
    statistics.request_refresh()
    hindered.append(_tried(lambda: _make_up(published)))
    failed = [error for error in hindered if error is not None]
    paired = pairing.pair(published, product_id, matcher, paid=not failed)
    if paired.written:
        cache.bump("products", published.commit_micros or 0)
    if paired.waiting:
        # Each turn leaves fewer, so that its name is its own; where it is lost the debt is swept.
        name = f"{product_id}-{published.commit_micros}-{len(paired.waiting)}"
        reacting.request_follow(product_id, name)
    for error in failed:
        raise error


def _renew_lists(published: pairing.Published) -> None:
    """Makes what was kept of changed posting lists unfindable."""
    if published.written:
        # No clock of an instance: one that is ahead would hide the next write from its trigger.
        cache.bump(posting_cache.NAMESPACE, published.commit_micros or 0)


def _make_up(published: pairing.Published) -> None:
    """Makes up for a bump that the writer missed."""
    if published.commit_micros is not None:
        for namespace in ("products", posting_cache.NAMESPACE):
            cache.ensure_bumped(namespace, published.commit_micros)


def _tried(step: Callable[[], None]) -> ShoppleError | None:
    """What hinders the step, which must not hinder the rest."""
    try:
        step()
    except (DependencyError, Conflict) as error:
        return error
    return None
