"""The months that an upload changes, some of them in each transaction."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, Final

from shared.clients import firestore
from shared.clock import epoch_micros
from shared.edge import cache
from shared.errors import Conflict, DependencyUnavailable, ShoppleError
from shared.prices import quarantine, store
from shared.prices.judging import Candidate, Month
from shared.prices.models import pack
from shared.prices.schemas import RowVerdict
from shared.prices.summaries import bucket_of
from shared.products import outbox

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

NAMESPACE: Final = "prices"
# The debt stands beside them: even a product with every month since 2000 stays under 500 writes.
CHUNK_MONTHS: Final = 100
PARALLEL: Final = 4

MonthKey = tuple[str, str]
Months = Mapping[MonthKey, Sequence[Candidate]]
Verdicts = dict[int, RowVerdict]


def write(months: Months) -> Verdicts:
    """The verdict of each row; raises the first error once all else is stored."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        outcomes = list(pool.map(_settled, chunks_of(months)))
    written = [micros for _, micros, _ in outcomes if micros is not None]
    if written:
        cache.bump(NAMESPACE, max(written))
    for _, _, error in outcomes:
        if error is not None:
            raise error
    return {row: verdict for verdicts, _, _ in outcomes for row, verdict in verdicts.items()}


def chunks_of(months: Months) -> Iterator[Months]:
    """The months of each transaction: a product's all together, since a debt follows them.

    Were its February followed before its January is stored, one fall could be told twice.
    """
    # Months whose summaries share a document are followed by one task.
    keys = sorted(months, key=lambda key: (bucket_of(key[0]), key))
    chunk: dict[MonthKey, Sequence[Candidate]] = {}
    for _, own in groupby(keys, key=lambda key: key[0]):
        added = {key: months[key] for key in own}
        if chunk and len(chunk) + len(added) > CHUNK_MONTHS:
            yield chunk
            chunk = {}
        chunk |= added
    if chunk:
        yield chunk


def _settled(chunk: Months) -> tuple[Verdicts, int | None, ShoppleError | None]:
    try:
        verdicts, micros = _write_chunk(chunk)
    except Conflict:
        # Locks are given up in time, at the latest those of a client that is gone.
        busy = "The same prices are being written by others; send the same again."
        return {}, None, DependencyUnavailable(busy)
    except ShoppleError as error:
        return {}, None, error
    return verdicts, micros, None


def _write_chunk(chunk: Months) -> tuple[Verdicts, int | None]:
    """Judges and stores in one transaction; says when that was committed, if anything was."""
    change_id = secrets.token_hex(10)
    last: Transaction | None = None

    def run(transaction: "Transaction") -> Verdicts:
        nonlocal last
        last = transaction
        known = store.read_all((store.month(*key) for key in chunk), transaction)
        verdicts: Verdicts = {}
        changed: dict[str, None] = {}
        for key, candidates in chunk.items():
            reference = store.month(*key)
            month = Month(store.points_of(known.get(reference.path)))
            for candidate in candidates:
                verdicts[candidate.row] = _judge(transaction, month, candidate)
            if month.changed:
                fields = {"points": pack(month.points), "change": change_id}
                transaction.set(reference, fields)
                changed[key[0]] = None
        if changed:
            debt = outbox.fields("price", change_id, 1) | {"product_ids": list(changed)}
            transaction.set(outbox.document("price", change_id), debt)
        return verdicts

    verdicts = firestore.in_transaction(run)
    results = (last.write_results if last else None) or ()
    # A removal from the quarantine has no time of its own.
    times = [epoch_micros(result.update_time) for result in results if result.update_time]
    return verdicts, max(times, default=None)


def _judge(transaction: "Transaction", month: Month, candidate: Candidate) -> RowVerdict:
    judgement = month.take(candidate)
    if judgement.verdict == "quarantined":
        kept = quarantine.fields(candidate, judgement.reason)
        transaction.set(quarantine.reference(candidate), kept)
    elif judgement.verdict == "stored" and candidate.confirmed:
        transaction.delete(quarantine.reference(candidate))
    field = "price" if judgement.reason else ""
    return RowVerdict(candidate.row, judgement.verdict, field, judgement.reason)
