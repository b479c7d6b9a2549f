"""Uploads the real Sri Lankan catalogues through the API and prints the duplicates that are listed.

    python -m tests.benchmarks.catalogues [ROWS]

Once as uploads leave them, by the model that ships, and once more after the night's training and a
full re-match. It starts a cloud of its own and takes many minutes, so it is part of no test run;
ROWS takes only so many of each file.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.datasets import data_dir
from tests.integration.products.support import Json, Shop, admin_shop, good
from tests.polling import eventually
from tests.stacks import running_stack

FILES = {"keells": "keells_all.csv", "cargills": "cargills_products.csv"}
SHOWN = 10
PATIENCE_SECONDS = 3600


def main() -> int:
    """Uploads both files, waits for their matches and prints the surest and the least sure."""
    parser = argparse.ArgumentParser(description="Match the real catalogues.")
    parser.add_argument("rows", type=int, nargs="?", default=None)
    rows: int | None = parser.parse_args().rows
    data = data_dir()
    folder = data / "catalogues" / "sri-lanka" if data else None
    if folder is None or not folder.is_dir():
        tell("no catalogues: set SHOPPLE_DATA to the folder of data sets")
        return 1
    with tempfile.TemporaryDirectory() as state, running_stack(Path(state)) as stack:
        shop = admin_shop(stack)
        began = time.monotonic()
        for retailer, name in FILES.items():
            tell(f"{retailer}: {upload(shop, retailer, folder / name, rows)}")
        shop.stack.control.wait_until_idle(PATIENCE_SECONDS)
        show(shop, "as uploaded", began)
        began = time.monotonic()
        tell(f"\n{trained_and_matched(shop)}")
        show(shop, "trained and matched anew", began)
    return 0


def trained_and_matched(shop: Shop) -> Json:
    """What is told of the full re-match after a training, at its end."""
    if not shop.call_private("retrain_matcher").is_success:
        raise RuntimeError("The matcher was not trained.")
    begun = good(shop.http.post("/api/products/rematch", json={}))
    path = f"/api/products/rematches/{begun['rematch_id']}"

    def done() -> Json | None:
        told = shop.get(path)
        return told if told["state"] != "running" else None

    told: Json = eventually(done, timeout_seconds=PATIENCE_SECONDS)
    shop.stack.control.wait_until_idle(PATIENCE_SECONDS)
    return told


def show(shop: Shop, title: str, began: float) -> None:
    """Prints how many pairs are listed, the surest and the least sure."""
    found = sorted(pairs(shop), key=lambda line: line[0], reverse=True)
    total = shop.get("/api/products/stats")["by_retailer"]
    tell(f"{title}: {total}, {len(found)} pairs listed after {time.monotonic() - began:.0f} s")
    for which, some in (("surest", found[:SHOWN]), ("least sure", found[-SHOWN:])):
        tell(f"\nThe ten {which}:")
        tell("\n".join(f"{confidence:4}  {line}" for confidence, line in some))


def upload(shop: Shop, retailer: str, path: Path, rows: int | None) -> Json:
    """The counts of a preview and a confirm of a file's first rows, or of all of it."""
    lines = path.read_bytes().splitlines(keepends=True)
    files = {"file": (path.name, b"".join(lines[: None if rows is None else rows + 1]))}
    answer = shop.http.post("/api/products/preview", files=files, data={"retailer": retailer})
    told = good(answer)
    if "preview" not in told:
        told = shop.followed(told["upload_id"], "previewed")
    preview = told["preview"]
    counts = {name: preview[name] for name in ("total", "new", "duplicates", "invalid")}
    return counts | shop.confirm(preview["upload_id"])


def pairs(shop: Shop) -> Iterator[tuple[int, str]]:
    """Each listed pair with its confidence, in words."""
    cursor: Json = {}
    while True:
        page = shop.get("/api/products/duplicates", limit=100, **cursor)
        for group in page["groups"]:
            offers = {product["id"]: words(product) for product in group["products"]}
            for pair in group["pairs"]:
                yield pair["confidence"], f"{offers[pair['a']]}  ~  {offers[pair['b']]}"
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def tell(line: str) -> None:
    """Prints at once: the next line may take minutes."""
    print(line, flush=True)  # noqa: T201 - this is what it is for


def words(product: Json) -> str:
    """One offer on a line."""
    size = f" [{product['size']}]" if product["size"] else ""
    return f"{product['retailer']}: {product['name']}{size} {product['price']}"


if __name__ == "__main__":
    sys.exit(main())
