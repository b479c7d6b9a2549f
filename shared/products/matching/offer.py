"""What the matcher needs to know of one retailer's offer."""

from typing import Final

import msgspec

DESCRIPTION_LETTERS: Final = 1_000
"""How much of a description the product gives the matcher: a model is learned of 20,000 at once."""


class Offer(msgspec.Struct, frozen=True, gc=False):
    """One retailer's offer; texts are empty and the price is 0 where unknown."""

    id: str
    retailer: str
    name: str
    brand: str
    size: str
    category: str
    price_minor: int
    currency: str
    model: str = ""
    description: str = ""
