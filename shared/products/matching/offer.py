"""What the matcher needs to know of one retailer's offer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """One retailer's offer; `brand`, `size` and `category` are empty where unknown."""

    id: str
    retailer: str
    name: str
    brand: str
    size: str
    category: str
    price_minor: int
    currency: str
