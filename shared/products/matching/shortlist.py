"""Which of many candidates are worth a full comparison."""

from collections.abc import Iterable

from shared.products.matching.offer import Offer


def shortlist(offer: Offer, others: Iterable[Offer], most: int) -> list[Offer]:
    """The `most` offers whose names are most like this one's, in no particular order.

    One pass in RapidFuzz costs as much as a few full comparisons, and posting lists bring well
    over a hundred candidates.
    """
    by_id = {other.id: other for other in others}
    if len(by_id) <= most:
        return list(by_id.values())
    from rapidfuzz import fuzz, process

    names = {pid: _words(other) for pid, other in sorted(by_id.items())}
    best = process.extract(_words(offer), names, scorer=fuzz.token_sort_ratio, limit=most)
    return [by_id[pid] for _, _, pid in best]


def _words(offer: Offer) -> str:
    return f"{offer.brand} {offer.name} {offer.size}".casefold()
