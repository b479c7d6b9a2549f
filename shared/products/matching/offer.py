"""What the matcher needs to know of one retailer's offer."""

import msgspec


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
