"""One suite for what finds products: the posting lists, and OpenSearch."""

from collections import Counter
from collections.abc import Iterator

import pytest

from local.demo import seed
from local.demo.search_index import SearchIndex
from shared.clients import opensearch
from shared.clients.opensearch import Versioned
from shared.products.models import Product
from shared.products.search_engines import OpenSearchIndex, PostingLists, SearchEngine
from shared.products.search_finding import Wanted
from shared.products.search_index import ALIAS, DEFINITION, searched
from shared.products.searching import ranked
from tests import search_server
from tests.benchmarks.filling import goods
from tests.search_queries import QUERIES, queries, right

DEMO = 2600
AT_ONCE = 1000


@pytest.fixture(scope="module")
def products() -> list[Product]:
    return [seed._product(item) for item in goods(DEMO)]


@pytest.fixture(scope="module", params=["lists", "opensearch"])
def engine(request: pytest.FixtureRequest, products: list[Product]) -> Iterator[SearchEngine]:
    """The engine, filled with the demo's goods."""
    if request.param == "lists":
        yield PostingLists(SearchIndex(products))
        return
    with search_server.started() as server, search_server.configured(server.url):
        opensearch.create(ALIAS, DEFINITION)
        documents = [Versioned(product.id, 1, searched(product)) for product in products]
        for at in range(0, DEMO, AT_ONCE):
            opensearch.put_all(ALIAS, documents[at : at + AT_ONCE])
        opensearch.refresh(ALIAS)
        yield OpenSearchIndex()


def found(engine: SearchEngine, text: str, **filters: str) -> list[str]:
    wanted = Wanted.of(text)
    return ranked(wanted, engine.candidates(wanted, filters)) if wanted.words else []


def test_what_was_meant_comes_first(engine: SearchEngine, products: list[Product]) -> None:
    by_id = {product.id: product for product in products}
    missed: Counter[str] = Counter()
    for slip, query, product in queries(products):
        best = found(engine, query)[:1]
        if not best or not right(query, product, by_id[best[0]]):
            missed[slip] += 1
            print(slip, product.name, "|", query, "|", by_id[best[0]].name if best else None)  # noqa: T201
    print(f"{engine.name}: missed {dict(missed)} of {QUERIES}")  # noqa: T201
    assert missed.total() <= QUERIES * 0.05


def test_filters_leave_what_has_each_value(engine: SearchEngine, products: list[Product]) -> None:
    by_id = {product.id: product for product in products}
    wanted = products[0]
    named = {"retailer": wanted.retailer, "category": wanted.category, "status": "active"}
    answers = [by_id[each] for each in found(engine, wanted.name, **named)]
    assert wanted.id in [each.id for each in answers]
    assert {(each.retailer, each.category) for each in answers} == {
        (wanted.retailer, wanted.category)
    }
    assert found(engine, wanted.name, status="pending") == []


@pytest.mark.parametrize("query", ["zzz", "!!", "12345", "සහල් කිරි", "a"])
def test_what_nobody_sells_is_not_found(engine: SearchEngine, query: str) -> None:
    assert found(engine, query) == []


def test_a_word_that_is_still_being_typed_is_completed(
    engine: SearchEngine, products: list[Product]
) -> None:
    by_id = {product.id: product for product in products}
    assert "Ambewatta" in by_id[found(engine, "ambewat")[0]].brand
