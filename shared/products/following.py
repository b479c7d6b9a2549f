"""What follows a product's write: caches, statistics, posting lists, search and matches.

Everything is recomputed from the documents as they are now, so that events may come twice, late
or in any order. The order of steps matters once: a product stands in its posting lists before
it looks for others in them, so that of two products written at once at least one sees the other.
"""

from shared.edge import cache
from shared.errors import DependencyError, DependencyUnavailable
from shared.products import (
    match_models,
    pairing,
    posting_cache,
    search_index,
    search_lists,
    statistics,
)
from shared.products.matching import Matcher


def follow(product_id: str, matcher: Matcher | None = None) -> None:
    """Brings everything that hangs on the product up to date; raises to be called again."""
    matcher = matcher or match_models.current()
    published = pairing.publish(product_id, matcher)
    # At once: a repetition of what fails from here on finds the lists written already.
    _renew_lists(published)
    statistics.request_refresh()
    hindered = [_bump(published), _index(product_id)]
    search_lists.publish(product_id)
    failed = [error for error in hindered if error is not None]
    paired = pairing.pair(published, product_id, matcher, paid=not failed)
    if paired.written:
        cache.bump("products", published.commit_micros or 0)
    for error in failed:
        raise error


def _renew_lists(published: pairing.Published) -> None:
    """Makes what was kept of changed posting lists unfindable."""
    if published.written:
        # No clock of an instance: one that is ahead would hide the next write from its trigger.
        cache.bump(posting_cache.NAMESPACE, published.commit_micros or 0)


def _bump(published: pairing.Published) -> DependencyError | None:
    """Makes up for a bump that the writer missed; what hinders it must not hinder the rest."""
    if published.commit_micros is not None:
        try:
            for namespace in ("products", posting_cache.NAMESPACE):
                cache.ensure_bumped(namespace, published.commit_micros)
        except DependencyUnavailable as error:
            return error
    return None


def _index(product_id: str) -> DependencyError | None:
    """Tells the search engine; that it is away must not hinder the rest either."""
    try:
        search_index.publish(product_id)
    except DependencyError as error:
        return error
    return None
