"""Writes a CSV of invented products for trying the upload.

python -m tools.make_upload 1000 > upload.csv
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import islice

from local.demo.catalogue import SEED, DemoProduct, demo_products
from shared.money import to_decimal
from shared.products.spreadsheet import csv_line

_HEADER = ("name", "brand", "size", "category", "retailer", "retailer_sku", "price", "currency")


def upload_lines(count: int, seed: int = SEED + 1) -> Iterator[str]:
    """The header and `count` rows; the seed is not the demo's, so that some rows are new to it."""
    yield csv_line(_HEADER)
    for product in islice(_endless(seed), count):
        price = to_decimal(product.price_minor, product.currency)
        yield csv_line(
            (
                product.name,
                product.brand,
                product.size,
                product.category,
                product.retailer,
                product.sku,
                price,
                product.currency,
            )
        )


def _endless(seed: int) -> Iterator[DemoProduct]:
    while True:
        yield from demo_products(seed)
        seed += 1


def main() -> None:
    """Writes as many rows as the command line asks for."""
    parser = argparse.ArgumentParser(description="Write an upload of invented products as CSV.")
    parser.add_argument("rows", type=int, nargs="?", default=1000)
    sys.stdout.writelines(upload_lines(parser.parse_args().rows))


if __name__ == "__main__":
    main()
