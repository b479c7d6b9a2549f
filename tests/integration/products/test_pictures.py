"""Pictures of products: sent and fetched, stored once, and gone when nobody shows them."""

import secrets
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from local.plan import BUCKET
from local.tls import TLS
from shared.products.picture_reading import MOST_BYTES, fitted
from tests.integration.products.support import Json, Shop, as_json, good, row

WIDTHS = {"160", "480", "1200"}


def picture(kind: str = "PNG") -> bytes:
    """A picture like no other."""
    image = Image.new("RGB", (600, 400), tuple(secrets.token_bytes(3)))
    image.putpixel((0, 0), tuple(secrets.token_bytes(3)))
    packed = BytesIO()
    image.save(packed, kind)
    return packed.getvalue()


def product(shop: Shop, number: int) -> str:
    upload_id = shop.preview([row(number)])["upload_id"]
    shop.confirm(upload_id, "all")
    found = shop.get("/api/products", retailer="keells", q=row(number)["name"].split()[0])
    return str(found["products"][0]["id"])


def send(shop: Shop, product_id: str, content: bytes, **more: Any) -> httpx.Response:
    # The name lies: what counts is the content.
    files = {"file": ("page.html", content, "text/html")}
    return shop.http.post(f"/api/products/{product_id}/image", files=files, **more)


def fetch(shop: Shop, product_id: str, url: str) -> httpx.Response:
    return shop.http.post(f"/api/products/{product_id}/image", json={"url": url})


def stored(shop: Shop, folder: str = "pictures/") -> set[str]:
    base = shop.stack.environment()["STORAGE_EMULATOR_HOST"]
    url = f"{base}/storage/v1/b/{BUCKET}/o"
    told = good(httpx.get(url, params={"prefix": folder}, trust_env=False, verify=TLS))
    return {item["name"] for item in told.get("items", [])}


def put(shop: Shop, name: str, content: bytes) -> str:
    """The loopback address of an object."""
    base = shop.stack.environment()["STORAGE_EMULATOR_HOST"]
    httpx.post(
        f"{base}/upload/storage/v1/b/{BUCKET}/o",
        params={"uploadType": "media", "name": name},
        content=content,
        trust_env=False,
    ).raise_for_status()
    return f"{base}/download/storage/v1/b/{BUCKET}/o/{name}?alt=media"


def folder(shop: Shop, product_id: str) -> str:
    fields = shop.database.collection("products").document(product_id).get().to_dict() or {}
    return f"pictures/{fields['picture']}/"


def grow_old(shop: Shop) -> None:
    """As if all that was claimed or let go had been so an hour ago."""
    past = datetime.now(UTC) - timedelta(hours=1)
    for digest in shop.documents("pictures"):
        shop.database.collection("pictures").document(digest).update({"touched_at": past})
    for entry, fields in shop.documents("outbox").items():
        if fields["kind"] == "picture":
            shop.database.collection("outbox").document(entry).update({"at": past})


def sweep(shop: Shop) -> None:
    shop.settle()
    assert shop.call_private("sweep_outbox").is_success


def refused(answer: httpx.Response) -> Json:
    assert answer.status_code == 422, answer.text
    return as_json(answer.json()["errors"][0])


def test_a_picture_is_stored_in_three_widths_and_shown(shop: Shop) -> None:
    product_id = product(shop, 1)
    answer = send(shop, product_id, picture())
    told = good(answer)
    assert set(told["images"]) == WIDTHS
    assert told["image"] == told["images"]["480"]
    assert answer.headers["ETag"] == f'"{told["version"]}"'
    assert good(shop.http.get(f"/api/products/{product_id}"))["images"] == told["images"]
    for width, link in told["images"].items():
        seen = httpx.get(link, trust_env=False, verify=TLS)
        assert seen.headers["Content-Type"] == "image/webp"
        with Image.open(BytesIO(seen.content)) as image:
            assert image.size == fitted((600, 400), int(width))
    assert len(stored(shop, folder(shop, product_id))) == 3


def test_two_products_share_one_picture_until_neither_shows_it(shop: Shop) -> None:
    first, second = product(shop, 2), product(shop, 3)
    content = picture()
    good(send(shop, first, content))
    before = stored(shop)
    good(send(shop, second, content))
    shared = folder(shop, first)
    assert folder(shop, second) == shared
    assert stored(shop) == before

    good(send(shop, first, picture()))
    grow_old(shop)
    sweep(shop)
    assert len(stored(shop, shared)) == 3

    removed = good(shop.http.delete(f"/api/products/{second}/image"))
    assert "images" not in removed
    sweep(shop)
    # Whoever claimed it a moment ago may still be about to show it.
    assert len(stored(shop, shared)) == 3
    grow_old(shop)
    sweep(shop)
    assert stored(shop, shared) == set()
    assert len(stored(shop, folder(shop, first))) == 3
    sweep(shop)
    assert not [e for e in shop.documents("outbox").values() if e["kind"] == "picture"]


def test_a_picture_that_was_removed_may_come_again(shop: Shop) -> None:
    product_id, content = product(shop, 4), picture()
    good(send(shop, product_id, content))
    first = folder(shop, product_id)
    good(shop.http.delete(f"/api/products/{product_id}/image"))
    # Its removal was cut off between the mark and the files.
    digest = first.removeprefix("pictures/").partition("-")[0]
    shop.database.collection("pictures").document(digest).update({"removing": True})
    told = good(send(shop, product_id, content))
    assert folder(shop, product_id) != first
    assert stored(shop, first) == set()
    assert httpx.get(told["images"]["160"], trust_env=False, verify=TLS).is_success


def test_files_whose_product_was_never_written_are_swept(shop: Shop) -> None:
    product_id = product(shop, 5)
    good(send(shop, product_id, picture()))
    lost = folder(shop, product_id)
    # As after a crash between the files and the product.
    shop.database.collection("products").document(product_id).update({"picture": None})
    grow_old(shop)
    sweep(shop)
    assert stored(shop, lost) == set()


def test_a_removed_product_keeps_its_picture_for_its_return(shop: Shop) -> None:
    product_id = product(shop, 6)
    good(send(shop, product_id, picture()))
    good(shop.http.delete(f"/api/products/{product_id}"))
    assert send(shop, product_id, picture()).status_code == 404
    grow_old(shop)
    sweep(shop)
    assert set(good(shop.http.post(f"/api/products/{product_id}/restore"))["images"]) == WIDTHS
    assert len(stored(shop, folder(shop, product_id))) == 3


def test_the_same_again_changes_nothing(shop: Shop) -> None:
    product_id, content = product(shop, 7), picture()
    version = good(send(shop, product_id, content))["version"]
    assert good(send(shop, product_id, content))["version"] == version
    stale = send(shop, product_id, content, headers={"If-Match": f'"{version - 1}"'})
    assert stale.status_code == 412
    for _ in range(2):
        gone = good(shop.http.delete(f"/api/products/{product_id}/image"))
        assert gone["version"] == version + 1


def test_a_picture_is_fetched_from_an_address(shop: Shop) -> None:
    product_id = product(shop, 8)
    url = put(shop, "shelf.bin", picture("JPEG"))
    assert set(good(fetch(shop, product_id, url))["images"]) == WIDTHS
    page = put(shop, "page.png", b"<html>no picture</html>")
    assert refused(fetch(shop, product_id, page))["field"] == "url"
    large = put(shop, "large.png", picture() + b"\0" * MOST_BYTES)
    assert fetch(shop, product_id, large).status_code == 413
    assert "404" in refused(fetch(shop, product_id, url.replace("shelf", "absent")))["message"]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/computeMetadata/v1/",
        "http://10.0.0.1/a.png",
        "http://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "http://user:secret@127.0.0.1/",
        "nonsense",
    ],
)
def test_an_address_inside_is_refused(shop: Shop, url: str) -> None:
    assert refused(fetch(shop, product(shop, 8), url))["field"] == "url"


def test_what_is_no_picture_is_refused_and_nothing_stored(shop: Shop) -> None:
    product_id, before = product(shop, 9), stored(shop)
    path = f"/api/products/{product_id}/image"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for content in (svg, b"", picture()[:-40]):
        assert refused(send(shop, product_id, content))["field"] == "file"
    assert refused(shop.http.post(path, files={"other": b"x"}))["field"] == "other"
    assert (
        refused(shop.http.post(path, data={"note": "x"}, files={"file": b"x"}))["field"] == "note"
    )
    assert refused(shop.http.post(path, json={}))["field"] == "url"
    assert send(shop, product_id, b"\0" * (MOST_BYTES + 1)).status_code == 413
    assert send(shop, "absent0product0000", picture()).status_code == 404
    assert stored(shop) == before
