"""What the matcher needs to know of one retailer's offer."""

import msgspec


class Offer(msgspec.Struct, frozen=True):
    """One retailer's offer; `brand`, `size` and `category` are empty where unknown."""

    id: str
    retailer: str
    name: str
    brand: str
    size: str
    category: str
    price_minor: int
    currency: str
