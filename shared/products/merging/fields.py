"""What a merged product says: a rule for each field, over offers that stay as they are."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from shared.products.matching.text import normalise
from shared.products.models import Product


def merged(offers: Sequence[Product]) -> Product:
    """The product that the offers make, the primary given first and the others as they joined.

    What is said of one offer alone (id, name, price, link, status, version) is the primary's.
    """
    primary = offers[0]
    pictured = _pictured(offers)
    return msgspec.structs.replace(
        primary,
        brand=_most_common(offer.brand for offer in offers),
        size=primary.size or _most_common(offer.size for offer in offers),
        category=_most_common(offer.category for offer in offers),
        description=_longest(offer.description for offer in offers),
        image=pictured.image,
        picture=pictured.picture,
    )


def _most_common(values: Iterable[str]) -> str:
    """The value that most offers give, however they write it; of as common ones the first."""
    spelled: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for value in values:
        if value:
            key = normalise(value) or value
            spelled.setdefault(key, value)
            counts[key] += 1
    return spelled[max(counts, key=counts.__getitem__)] if counts else ""


def _longest(texts: Iterable[str | None]) -> str | None:
    """The longest text, of as long ones the first."""
    return max((text for text in texts if text), key=len, default=None)


def _pictured(offers: Sequence[Product]) -> Product:
    """Whose picture is shown: the primary's, else the first stored one, else the first link."""
    primary = offers[0]
    if primary.picture or primary.image:
        return primary
    stored = (offer for offer in offers if offer.picture)
    linked = (offer for offer in offers if offer.image)
    return next(stored, None) or next(linked, None) or primary
