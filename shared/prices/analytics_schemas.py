"""What the dashboard of prices shows."""

from decimal import Decimal

import msgspec


class MoverView(msgspec.Struct):
    """A product whose price moved within the week before its newest price."""

    product_id: str
    name: str
    retailer: str
    price: Decimal
    previous_price: Decimal
    currency: str
    change_percent: float


class MoversView(msgspec.Struct):
    """The largest rises and falls, at most ten each."""

    up: list[MoverView]
    down: list[MoverView]


class IndexView(msgspec.Struct):
    """A retailer's price level on matched products; 100 is the mean of those who sell them."""

    retailer: str
    index: float
    products: int


class VolatilityView(msgspec.Struct):
    """The median of a retailer's products' volatility over 30 days, in percent."""

    retailer: str
    percent: float
    products: int


class CoverageView(msgspec.Struct):
    """How many products have a price of the last seven days; the retailer is empty for all."""

    retailer: str
    products: int
    priced: int
    percent: float


class AnalyticsView(msgspec.Struct):
    """The dashboard's figures as they were at `as_of`, null before the first price."""

    as_of: str | None
    movers: MoversView
    index: list[IndexView]
    volatility: list[VolatilityView]
    coverage: list[CoverageView]
