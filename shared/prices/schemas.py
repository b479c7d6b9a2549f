"""What the endpoints of prices take and answer."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.prices.judging import Verdict
from shared.prices.models import Source
from shared.prices.trend import Direction

MAX_ROWS = 10_000
ProductId = Annotated[str, Meta(pattern="^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$")]
Moment = Annotated[str, Meta(max_length=40)]
Interval = Literal["day", "week", "month"]


class PriceUpload(msgspec.Struct, forbid_unknown_fields=True):
    """Prices to store: each row names `product_id`, `price`, `retailer` and `source`.

    `timestamp` (RFC 3339, now unless told), `currency` (the product's) and `confirmed` (store it
    though it is unlikely) may be left out.
    """

    prices: Annotated[list[Any], Meta(min_length=1, max_length=MAX_ROWS)]


class RowVerdict(msgspec.Struct, omit_defaults=True):
    """What became of a row, counted from 1, and why it was not stored."""

    row: int
    verdict: Verdict
    field: str = ""
    reason: str = ""


class PriceUploadAnswer(msgspec.Struct):
    """A verdict for each row in order; `ignored` are the columns that nothing reads."""

    upload_id: str
    total: int
    stored: int
    unchanged: int
    quarantined: int
    rejected: int
    ignored: list[str]
    verdicts: list[RowVerdict]


class HistoryQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A range of time, 90 days unless told, at most five years; both ends belong to it.

    With `interval` there is one point for each retailer and interval: its last price. With
    `retailer`, a product that was merged shows what its offers there have cost; without, its own.
    """

    begin: Moment | None = msgspec.field(default=None, name="from")
    end: Moment | None = msgspec.field(default=None, name="to")
    retailer: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    interval: Interval | None = None


class PointView(msgspec.Struct):
    """One price."""

    timestamp: str
    price: Decimal
    currency: str
    retailer: str
    source: Source


class StatsView(msgspec.Struct):
    """Statistics of the range's prices in `currency`, whatever the interval; null without any."""

    min: Decimal | None
    max: Decimal | None
    average: Decimal | None
    median: Decimal | None
    count: int
    currency: str


class HistoryView(msgspec.Struct):
    """The prices of one product, in order of time."""

    product_id: str
    points: list[PointView]
    stats: StatsView


class AnalyzeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Products whose prices of the last `window_days` are looked at."""

    product_ids: Annotated[list[ProductId], Meta(min_length=1, max_length=50)]
    window_days: Annotated[int, Meta(ge=2, le=365)] = 30


class TrendView(msgspec.Struct):
    """The trend of a product's prices at its own retailer.

    `slope` is money a day, `significance` the p-value of the Mann-Kendall test, `change_percent`
    leads from the median of the first third of days to that of the last.
    """

    product_id: str
    trend: Direction
    slope: Decimal
    currency: str
    significance: float
    change_percent: float
    days_with_data: int
    days_without_data: int
    first_price: Decimal | None
    last_price: Decimal | None


class AnalyzeAnswer(msgspec.Struct):
    """The trends of the products that there are; `unknown` names the others."""

    window_days: int
    trends: list[TrendView]
    unknown: list[str]
