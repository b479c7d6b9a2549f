"""Uploads of prices: each row is judged by itself and stored at most once.

Nothing of an upload's progress needs to be remembered: a price is known by its product, retailer
and moment, so an upload that was cut off anywhere is simply sent again.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from shared.clock import Clock, epoch_micros, from_epoch_micros, utc_now
from shared.edge.request import Actor
from shared.money import to_minor
from shared.prices import manifest, month_writes, store
from shared.prices.judging import Candidate
from shared.prices.models import Point, month_of
from shared.prices.month_writes import MonthKey
from shared.prices.schemas import PriceUpload, PriceUploadAnswer, RowVerdict
from shared.prices.upload_rows import PriceRow, Refused, ignored_columns, read_row
from shared.products import catalogue

_COUNTED: Final = ("stored", "unchanged", "quarantined", "rejected")


def upload(body: PriceUpload, by: Actor, clock: Clock = utc_now) -> PriceUploadAnswer:
    """A verdict for each row; raises a DependencyError, after which the same may be sent again."""
    verdicts: dict[int, RowVerdict] = {}
    candidates = list(_candidates(body.prices, verdicts, clock()))
    upload_id = secrets.token_hex(10)
    if candidates:
        manifest.write(upload_id, candidates, len(body.prices), by)
        verdicts |= month_writes.write(_by_month(candidates))
    counts = Counter(verdict.verdict for verdict in verdicts.values())
    return PriceUploadAnswer(
        upload_id=upload_id,
        total=len(body.prices),
        **{name: counts[name] for name in _COUNTED},
        ignored=ignored_columns(body.prices),
        verdicts=[verdicts[row] for row in sorted(verdicts)],
    )


def _candidates(
    raw_rows: Sequence[object], verdicts: dict[int, RowVerdict], now: datetime
) -> Iterator[Candidate]:
    """What may be stored; why the others may not goes into `verdicts`."""
    rows = []
    for number, raw in enumerate(raw_rows, start=1):
        try:
            rows.append(read_row(number, raw, now))
        except Refused as refused:
            verdicts[number] = _rejected(number, refused)
    references = {row.product_id: catalogue.reference(row.product_id) for row in rows}
    found = store.read_all(references.values())
    for row in rows:
        try:
            yield _candidate(row, found.get(references[row.product_id].path))
        except Refused as refused:
            verdicts[row.row] = _rejected(row.row, refused)


def _rejected(row: int, refused: Refused) -> RowVerdict:
    return RowVerdict(row, "rejected", refused.field, str(refused))


def _candidate(row: PriceRow, product: dict[str, Any] | None) -> Candidate:
    if product is None or not product["listed"]:
        raise Refused("product_id", "is not the id of a product")
    currency = product["currency"]
    if row.currency not in (None, currency):
        raise Refused("currency", f"must be the product's own, {currency}")
    try:
        price_minor = to_minor(row.amount, currency)
    except ValueError as error:
        raise Refused("price", str(error)) from None
    own = product["retailer"] == row.retailer
    return Candidate(
        row=row.row,
        product_id=row.product_id,
        point=Point(epoch_micros(row.at), row.retailer, price_minor, currency, row.source),
        timed=row.timed,
        confirmed=row.confirmed,
        reference_minor=product["price_minor"] if own else None,
    )


def _by_month(candidates: Sequence[Candidate]) -> dict[MonthKey, list[Candidate]]:
    """The candidates of each document in order of time, whatever their order in the file."""
    months: dict[MonthKey, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: (c.product_id, c.point.at_micros, c.row)):
        month = month_of(from_epoch_micros(candidate.point.at_micros))
        months.setdefault((candidate.product_id, month), []).append(candidate)
    return months
