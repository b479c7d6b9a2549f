"""Trains the model that ships with the package: `python -m tools.train_default_model`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from local.demo.catalogue import demo_products
from shared.products.matching import MatchModel, Offer, encode, train

NOW = datetime(2026, 7, 1, tzinfo=UTC)
WHERE = Path(__file__).resolve().parents[1] / "shared/products/matching/default_model.json"


def demo_offers() -> list[Offer]:
    """The demo catalogue's offers."""
    return [
        Offer(str(at), p.retailer, p.name, p.brand, p.size, p.category, p.price_minor, p.currency)
        for at, p in enumerate(demo_products(now=NOW))
    ]


def trained() -> MatchModel:
    """The model of the demo catalogue, as sure as where an offer meets one other source."""
    return msgspec.structs.replace(train(demo_offers()), scale=1.0)


def main() -> int:
    """Writes the model, and says how large it is."""
    stored = encode(trained())
    WHERE.write_bytes(stored + b"\n")
    print(f"{WHERE.name}: {len(stored):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
