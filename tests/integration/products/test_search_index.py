"""The search by OpenSearch where events come late or twice, and where its server is away."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from osmem_server import OsmemServer  # type: ignore[import-untyped]

from local.ports import HOST, Ports
from local.tls import TLS
from shared.products.search_index import ALIAS
from tests import search_server
from tests.integration.products.support import Json, Shop, good, row, word
from tests.polling import eventually

# Somebody waits: a server that is silent costs a second, and its next rest nothing.
PATIENCE_SECONDS = 5


class Search:
    """A catalogue of three products, and the server that finds them."""

    def __init__(self, shop: Shop, address: str) -> None:
        self.shop, self.url = shop, f"http://{address}"
        self._address = address
        self.server: OsmemServer = OsmemServer.start(japanese=False, addr=address)

    def restart(self) -> None:
        self.server = OsmemServer.start(japanese=False, addr=self._address)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.server.pid, number)

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()

    def ask(self, q: str) -> Json:
        """The answer, which must come soon."""
        begun = time.monotonic()
        answer = self.shop.get("/api/products/search", q=q)
        assert time.monotonic() - begun < PATIENCE_SECONDS
        return answer

    def names(self, q: str) -> list[str]:
        return [each["name"] for each in self.ask(q)["products"]]

    def served_again(self) -> None:
        """Return once searches are not spared the server any more."""
        eventually(lambda: self.ask("any words")["engine"] == "opensearch")

    def stored(self, product_id: str) -> Json:
        """The product's document in the index, with its version."""
        path = f"{self.url}/{ALIAS}/_doc/{product_id}"
        return good(httpx.get(path, trust_env=False, verify=TLS))

    def owed(self, product_id: str) -> bool:
        return f"product-{product_id}" in self.shop.documents("outbox")

    def rename(self, product_id: str, name: str) -> None:
        fields = self.shop.get(f"/api/products/{product_id}")
        body = {each: fields[each] for each in ("brand", "size", "category", "price")}
        good(self.shop.http.put(f"/api/products/{product_id}", json=body | {"name": name}))


@pytest.fixture(scope="module")
def search(shop: Shop) -> Iterator[Search]:
    opened = Search(shop, f"{HOST}:{Ports.free().gateway}")
    with search_server.serving(shop, opened.url):
        shop.upload([row(number) for number in range(3)])
        shop.idle()
        yield opened
        # What a failed test left frozen could not be ended.
        opened.signal(signal.SIGCONT)
        opened.server.close()


@pytest.fixture
def product_id(search: Search) -> str:
    """The first product, as it was made."""
    (found,) = (
        each["id"]
        for each in search.shop.get("/api/products", q="S0", limit=100)["products"]
        if each["retailer_sku"] == "S0"
    )
    return str(found)


def test_an_older_state_never_comes_back(search: Search, product_id: str) -> None:
    """Events come thrice and in any order, and a task that read the product long ago comes last."""
    shop = search.shop
    before = search.stored(product_id)
    shop.stack.control.disturb_events(copies=3, delay_seconds=1)
    try:
        for name in ("Green Lantern", "Yellow Lantern"):
            search.rename(product_id, name)
        shop.idle()
    finally:
        shop.stack.control.reset_events()
    assert search.names("yelow lantern") == ["Yellow Lantern"]
    assert search.names("green") == []
    late: dict[str, Any] = {"version": before["_version"], "version_type": "external"}
    path = f"{search.url}/{ALIAS}/_doc/{product_id}"
    refused = httpx.put(path, params=late, json=before["_source"], trust_env=False, verify=TLS)
    assert refused.status_code == 409
    now = search.stored(product_id)
    assert shop.call_private("match_product", {"product_id": product_id}).is_success
    assert search.stored(product_id) == now
    good(shop.http.delete(f"/api/products/{product_id}"))
    shop.idle()
    assert search.names("yellow lantern") == []
    gone = search.stored(product_id)
    assert gone["_source"] == {"listed": False}
    late["version"] = now["_version"]
    assert (
        httpx.put(path, params=late, json=now["_source"], trust_env=False, verify=TLS).status_code
        == 409
    )
    good(shop.http.post(f"/api/products/{product_id}/restore"))
    shop.idle()
    assert search.names("yellow lantern") == ["Yellow Lantern"]


def test_while_the_server_is_silent_the_lists_answer_and_the_task_tries_again(
    search: Search, product_id: str
) -> None:
    search.served_again()
    before = search.stored(product_id)
    search.signal(signal.SIGSTOP)
    try:
        search.rename(product_id, "Quiet Harbour")
        eventually(lambda: search.names("quiet harbor") == ["Quiet Harbour"], timeout_seconds=30)
        assert search.ask("quiet harbor")["engine"] == "lists"
        assert search.owed(product_id)
    finally:
        search.signal(signal.SIGCONT)
    search.shop.idle()
    eventually(lambda: not search.owed(product_id), timeout_seconds=30)
    assert search.stored(product_id)["_version"] > before["_version"]
    search.served_again()
    assert search.names("quiet harbor") == ["Quiet Harbour"]


def test_a_server_that_lost_everything_is_filled_again(search: Search, product_id: str) -> None:
    """Until then the lists answer, and no write makes an index that holds that one product."""
    shop = search.shop
    search.kill()
    search.rename(product_id, "Broken Bridge")
    eventually(lambda: search.names("broken bridge") == ["Broken Bridge"], timeout_seconds=30)
    assert search.ask("broken bridge")["engine"] == "lists"
    assert search.owed(product_id)
    search.restart()
    shop.idle()
    eventually(lambda: not search.owed(product_id), timeout_seconds=30)
    assert httpx.get(f"{search.url}/{ALIAS}", trust_env=False, verify=TLS).status_code == 404
    assert search.ask("broken bridge")["engine"] == "lists"
    assert search_server.fill(shop, search.url).startswith("0\n")
    search.served_again()
    assert search.names("broken bridge") == ["Broken Bridge"]


def test_the_command_fills_what_was_there_before_and_goes_on_where_it_was_cut_off(
    search: Search,
) -> None:
    shop = search.shop
    ids = sorted(shop.documents("products"))
    for collection in ("search_lists", "search_states", "search_vocabularies"):
        for name in shop.documents(collection):
            shop.database.document(f"{collection}/{name}").delete()
    (old,) = httpx.get(f"{search.url}/_alias/{ALIAS}", trust_env=False, verify=TLS).json()

    told = search_server.fill(shop, search.url)

    assert told.startswith("0\n3 products; to go on from here: --after ")
    (index,) = httpx.get(f"{search.url}/_alias/{ALIAS}", trust_env=False, verify=TLS).json()
    assert index != old
    assert f"removed {old}" in told
    assert sorted(shop.documents("search_states")) == ids
    assert search.names(word(1)) == [row(1)["name"]]
    again = search_server.fill(shop, search.url, "--after", ids[1], "--into", index)
    assert again.startswith(f"0\n1 products; to go on from here: --after {ids[2]} --into {index}\n")
    wrong = search_server.fill(shop, search.url, "--into", f"{ALIAS}-20200101000000")
    assert wrong.startswith("1\nnot done: There is no index")
