"""What a row is known by, and what is said of a crawl."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.crawling import results
from shared.crawling.ingestion import finding, messages
from shared.crawling.ingestion.models import Counts, Ingestion, begun, from_document, to_document
from shared.crawling.ingestion.offers import Refused, found
from shared.crawling.models import CrawlJob
from shared.crawling.results import Manifest, Row
from shared.products.identities import by_address
from shared.products.models import Product
from shared.products.upload_rows import UploadRow

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ROW = Row(
    url="https://shop.example/p/1",
    name="Ceylon Tea 400g",
    price_minor=45_000,
    currency="LKR",
    source="json-ld",
    sku="T1",
)
INGESTION = Ingestion(
    id="job",
    retailer="corner",
    category="tea",
    job_status="completed",
    seen_at=NOW,
    finished_at=NOW,
    status="done",
    whole=False,
    rows=7,
    pages_done=9,
    pages_failed=1,
    counts=Counts(new=3, changed=2, unchanged=1, quarantined=1),
)


def offer(**fields: Any) -> UploadRow:
    return found(1, msgspec.structs.replace(ROW, **fields), "Corner Shop", "tea").offer


def product(row: UploadRow, **fields: Any) -> Product:
    return msgspec.structs.replace(row.product("p1", "active", NOW), **fields)


@pytest.mark.parametrize(
    "spelt",
    [
        "http://shop.example/p/1",
        "https://www.shop.example/p/1/",
        "https://SHOP.example:443/p/1?utm_source=x&gclid=1#top",
    ],
)
def test_one_page_is_one_however_it_is_spelt(spelt: str) -> None:
    assert by_address("corner", spelt) == by_address("corner", ROW.url)


@pytest.mark.parametrize(
    "other",
    [
        "https://shop.example/p/2",
        "https://shop.example/p/1?id=2",
        "https://shop.example:8443/p/1",
        "https://other.example/p/1",
        "https://[::1/p/1",
    ],
)
def test_another_page_is_another(other: str) -> None:
    assert by_address("corner", other) != by_address("corner", ROW.url)
    assert by_address("keells", ROW.url) != by_address("corner", ROW.url)


def test_a_row_is_an_offer_whatever_its_price() -> None:
    assert (offer().retailer, offer().category, offer().retailer_sku) == (
        "corner-shop",
        "tea",
        "T1",
    )
    assert (offer(price_minor=-5).price_minor, offer(currency="?").currency) == (-5, "?")
    # A bad picture costs no price.
    assert offer(image="data:image/png;base64,AA").image is None
    for bad in ({"name": " "}, {"name": "x" * 301}, {"url": "javascript:alert(1)"}):
        with pytest.raises(Refused):
            offer(**bad)
    with pytest.raises(Refused):
        found(1, None, "corner", "tea")


def test_the_page_goes_before_the_number_and_the_number_before_the_words() -> None:
    row = offer()
    page, number, words = finding.keys_of(row)
    products = {each: product(row, id=each, retailer_sku=None) for each in "abc"}
    owners = {page: "a", number: "b", words: "c"}

    def known(**gone: Any) -> str | None:
        left = {pid: p for pid, p in products.items() if pid not in gone}
        match = finding.known(row, owners, {**left, **{k: v for k, v in gone.items() if v}})
        return match.id if match else None

    assert known() == "a"
    assert known(a=product(row, id="a", status="deleted")) == "b"
    assert known(a=None, b=None) == "c"
    # The words of an offer with another number are another offer's.
    assert known(a=None, b=None, c=product(row, id="c", retailer_sku="T2")) is None
    assert finding.kept_keys(row) == (page, number)
    assert finding.kept_keys(offer(sku=None)) == finding.keys_of(offer(sku=None))


def test_the_matchers_word_gives_way_to_what_the_two_say_themselves() -> None:
    row = offer()
    assert finding.fits(row, product(row, url=None, name="Tea of Ceylon 400 g"))
    assert not finding.fits(row, product(row, retailer_sku="T2"))
    assert not finding.fits(row, product(row, status="pending"))
    moved = product(row, url="https://shop.example/other", retailer_sku=None)
    assert finding.fits(row, moved)
    assert not finding.fits(row, msgspec.structs.replace(moved, name="Ceylon Tea Green 400g"))


@pytest.mark.parametrize(("ahead_minutes", "moment_minutes"), [(-1, -1), (60, 0)])
def test_a_clock_that_is_ahead_sees_nothing_of_the_future(
    ahead_minutes: int, moment_minutes: int
) -> None:
    job = CrawlJob(
        id="job",
        retailer="corner",
        category="tea",
        requested_by="somebody",
        created_at=NOW - timedelta(hours=1),
        finished_at=NOW,
        status="completed",
    )
    manifest = Manifest(
        job_id="job",
        fencing_token=1,
        retailer="corner",
        category="tea",
        recipe_version=1,
        started_at=NOW,
        finished_at=NOW + timedelta(minutes=ahead_minutes),
        ending="completed",
        whole=True,
        counts=results.Counts(),
        rows=results.StoredRows("crawls/job/1/rows", 1, "", 1),
        errors=[],
        errors_total=0,
    )
    assert begun(job, manifest).seen_at == NOW + timedelta(minutes=moment_minutes)


def test_one_message_says_how_it_ended_and_what_became_of_it() -> None:
    def told(**fields: Any) -> str:
        ingestion = msgspec.structs.replace(INGESTION, **fields)
        return messages.text(ingestion, "https://x/#/results", lambda t: f"«{t}»", again=False)

    assert told().splitlines() == [
        "✅ Crawl of *«corner», «tea»*: completed",
        "7 products found, not the whole of it; 9 pages read, 1 failed.",
        "3 new, 2 changed, 1 unchanged, 1 quarantined, 0 failed.",
        "<https://x/#/results|Results>",
    ]
    lost = told(job_status="failed", rows=None, error="<!channel>")
    assert "Why: «<!channel>»" in lost
    assert "no result" in lost
    assert "«torn»" in told(status="failed", failure="torn")
    assert "second time" in messages.text(INGESTION, "x", str, again=True)


def test_what_is_stored_is_what_is_read() -> None:
    fields = to_document(INGESTION)
    assert from_document("job", fields) == INGESTION
    assert fields["listed_at"] == NOW
    removed = msgspec.structs.replace(INGESTION, status="removed")
    assert "listed_at" not in to_document(removed)
    assert INGESTION.counts.rows == 7
    assert INGESTION.counts.plus(Counts(failed=2)).rows == 9
