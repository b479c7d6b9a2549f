"""Offers to price, and the channel that is told."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from local.control import Control
from shared.products.models import Product, to_document
from tests.integration.products.support import Shop

Offers = Callable[..., list[str]]


@pytest.fixture
def slack(shop: Shop) -> Iterator[Control]:
    """The control of a sink whose channel is empty and works."""
    shop.stack.control.empty_sink()
    yield shop.stack.control
    shop.stack.control.empty_sink()


@pytest.fixture
def offers(shop: Shop) -> Offers:
    """Makes offers that cost 100 rupees, without anything that follows a product's write."""

    def make(count: int = 1, retailer: str = "keells") -> list[str]:
        batch = shop.database.batch()
        ids = [secrets.token_hex(10) for _ in range(count)]
        for product_id in ids:
            document = shop.database.collection("products").document(product_id)
            batch.set(document, to_document(offer(product_id, retailer)))
        batch.commit()
        return ids

    return make


def offer(product_id: str, retailer: str) -> Product:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Product(
        id=product_id,
        name=f"Offer {product_id}",
        brand="",
        size="",
        category="",
        retailer=retailer,
        retailer_sku=None,
        url=None,
        image=None,
        description=None,
        price_minor=10_000,
        currency="LKR",
        status="active",
        version=1,
        created_at=moment,
        updated_at=moment,
    )
