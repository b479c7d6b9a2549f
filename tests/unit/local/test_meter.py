"""The meter counts as Google bills, on Google's own messages."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud.firestore_v1.types import document, firestore, query
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local import meter

FOUND = firestore.RunQueryResponse(document=document.Document(name="a/b"))
NONE = firestore.RunQueryResponse()
Work = Callable[[], object]


def cost(work: Work) -> tuple[int, int, int]:
    """What the answer says that `work` has cost."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        work()
        return Response("done")(environ, start_response)

    headers = Client(meter.metered(app)).get("/").headers
    reads, writes, redis_calls = (
        int(headers[name]) for name in (meter.READS, meter.WRITES, meter.REDIS_CALLS)
    )
    return reads, writes, redis_calls


def asked(offset: int = 0) -> dict[str, Any]:
    source = query.StructuredQuery.CollectionSelector(collection_id="products")
    return {"structured_query": query.StructuredQuery(from_=[source], offset=offset)}


def run(responses: list[Any], offset: int = 0) -> Work:
    return lambda: list(meter._run_query(lambda _: iter(responses), asked(offset)))


def test_a_query_costs_its_documents_and_at_least_one_read() -> None:
    assert cost(run([FOUND, FOUND, NONE])) == (2, 0, 0)
    assert cost(run([NONE])) == (1, 0, 0)


def test_skipped_rows_are_billed() -> None:
    assert cost(run([FOUND, FOUND], offset=40)) == (42, 0, 0)


def test_rows_that_were_answered_and_not_looked_at_are_billed() -> None:
    def look_at_one() -> None:
        rows = meter._run_query(lambda _: iter([FOUND] * 200), asked())
        next(rows)
        rows.close()  # type: ignore[attr-defined]

    assert cost(look_at_one) == (200, 0, 0)


@pytest.mark.parametrize(("entries", "reads"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (20_000, 20)])
def test_a_count_bills_each_thousand_entries(entries: int, reads: int) -> None:
    result = {"aggregate_fields": {"n": document.Value(integer_value=entries)}}
    response = firestore.RunAggregationQueryResponse(result=result)
    request = {"structured_aggregation_query": query.StructuredAggregationQuery(asked())}
    counting = meter._run_aggregation_query
    assert cost(lambda: list(counting(lambda _: iter([response]), request))) == (reads, 0, 0)


def test_a_document_that_is_missing_is_a_read_too() -> None:
    there = firestore.BatchGetDocumentsResponse(found=document.Document(name="a/b"))
    missing = firestore.BatchGetDocumentsResponse(missing="a/c")
    begun = firestore.BatchGetDocumentsResponse(transaction=b"1")
    responses = [begun, there, missing]
    assert cost(lambda: list(meter._batch_get_documents(lambda _: iter(responses), {}))) == (
        2,
        0,
        0,
    )


def test_each_write_of_a_commit_and_each_redis_call_counts() -> None:
    def work() -> None:
        meter._write(lambda _: None, {"writes": [1, 2, 3]})
        meter._redis(lambda: None)

    assert cost(work) == (0, 3, 1)


def test_threads_work_at_the_expense_of_their_request(monkeypatch: pytest.MonkeyPatch) -> None:
    # Named first, so that what is wrapped below is unwrapped again.
    monkeypatch.setattr(ThreadPoolExecutor, "submit", ThreadPoolExecutor.submit)

    def work() -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: run([FOUND] * 3)(), range(10)))

    assert cost(work) == (0, 0, 0)
    meter._wrap(ThreadPoolExecutor, "submit", meter._submit)
    assert cost(work) == (30, 0, 0)
    assert cost(lambda: None) == (0, 0, 0)
