"""What the dashboard needs to know of one product's prices, and where that is kept."""

import zlib
from collections.abc import Iterable, Mapping
from statistics import mean, pstdev
from typing import Final

import msgspec

from shared.prices.models import DAY_MICROS, MAX_MONTH_BYTES, Point

# However many products there are, so many documents hold the summaries of them all.
BUCKETS: Final = 256
WEEK_MICROS: Final = 7 * DAY_MICROS
MONTH_MICROS: Final = 30 * DAY_MICROS


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """A product's newest price at its retailer, and how it has moved until then.

    `week_ago_minor` is the price seven days before the newest, `volatility_percent` the standard
    deviation of the last 30 days' prices as a share of their mean. `group_id` is that of the offers
    that it was merged with.
    """

    retailer: str
    currency: str
    price_minor: int
    at_micros: int
    week_ago_minor: int | None
    volatility_percent: float | None
    partners: tuple[str, ...]
    group_id: str | None = None


_decoder = msgspec.json.Decoder(dict[str, Summary])


def bucket_of(product_id: str) -> str:
    """The document that keeps the product's summary."""
    return f"{zlib.crc32(product_id.encode()) % BUCKETS:02x}"


def summary_of(
    points: Iterable[Point],
    retailer: str,
    currency: str,
    partners: Iterable[str],
    group_id: str | None = None,
) -> Summary | None:
    """The summary of the points at one retailer, None where there are none."""
    own = sorted(p for p in points if (p.retailer, p.currency) == (retailer, currency))
    if not own:
        return None
    newest = own[-1]
    before = [p.price_minor for p in own if p.at_micros <= newest.at_micros - WEEK_MICROS]
    recent = [p.price_minor for p in own if p.at_micros > newest.at_micros - MONTH_MICROS]
    spread = round(pstdev(recent) * 100 / mean(recent), 2) if len(recent) > 1 else None
    return Summary(
        retailer=retailer,
        currency=currency,
        price_minor=newest.price_minor,
        at_micros=newest.at_micros,
        week_ago_minor=before[-1] if before else None,
        volatility_percent=spread,
        partners=tuple(partners),
        group_id=group_id,
    )


def pack(summaries: Mapping[str, Summary]) -> str:
    """The summaries as one text; those seen longest ago give way where they are too many."""
    kept = dict(sorted(summaries.items(), key=lambda item: (-item[1].at_micros, item[0])))
    text = msgspec.json.encode(kept)
    while len(text) > MAX_MONTH_BYTES:
        for product_id in list(kept)[-max(1, len(kept) // 20) :]:
            del kept[product_id]
        text = msgspec.json.encode(kept)
    return text.decode()


def unpack(text: str) -> dict[str, Summary]:
    """The summaries of a document's text, by product."""
    return _decoder.decode(text)
