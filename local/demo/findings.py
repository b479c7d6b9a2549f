"""What a crawl would have found: new offers and changes that wait for a decision."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from local.demo.catalogue import DemoProduct
from shared.products import catalogue, identities, pairs, postings, proposal_store
from shared.products.matching import Matcher
from shared.products.models import Product, to_document
from shared.products.proposal_models import Fields, Kind, Proposal
from shared.products.proposal_models import to_document as proposal_document

NEW: Final = 12
CHANGED: Final = 12
# What no other shop sells, and so matches nothing.
_UNMATCHED: Final = ("Kithul Treacle Granola", "Moringa Leaf Powder", "Palmyra Jaggery Cubes")
_OFFER_FIELDS: Final = (
    "name",
    "brand",
    "size",
    "category",
    "retailer_sku",
    "price_minor",
    "currency",
)

Write = tuple[str, dict[str, Any]]


def findings(
    products: list[Product], demo: list[DemoProduct], matcher: Matcher, now: datetime
) -> Iterator[Write]:
    """The documents of some 25 proposals made during the days before `now`."""
    for number, (offer, twins) in enumerate(_new_offers(products, demo)):
        at = now - timedelta(hours=5 * number + 1)
        product = replace(offer, created_at=at, updated_at=at)
        yield f"{catalogue.COLLECTION}/{product.id}", to_document(product)
        yield f"{identities.COLLECTION}/{_identity(product)}", {"product_id": product.id}
        own = postings.offer_of(product)
        sure = {t.id: matcher.compare(own, postings.offer_of(t)).confidence for t in twins}
        partners = {other: confidence for other, confidence in sure.items() if confidence >= 50}  # noqa: PLR2004
        yield pairs.state(product.id).path, {"keys": [], "partners": partners}
        fields = {name: getattr(product, name) for name in _OFFER_FIELDS}
        yield _proposal(product, "new", fields, at)
    step = len(products) // CHANGED
    for number, product in enumerate(products[::step][:CHANGED]):
        yield _proposal(
            product, "change", _change(product, number), now - timedelta(hours=7 * number)
        )


def _new_offers(
    products: list[Product], demo: list[DemoProduct]
) -> Iterator[tuple[Product, list[Product]]]:
    of_item: dict[int, list[Product]] = defaultdict(list)
    for product, sold in zip(products, demo, strict=True):
        of_item[sold.item].append(product)
    shops = sorted({product.retailer for product in products})
    halves = [(item, offers) for item, offers in of_item.items() if len(offers) == 2]  # noqa: PLR2004
    for item, offers in halves[:: len(halves) // NEW][:NEW]:
        (missing,) = set(shops) - {offer.retailer for offer in offers}
        sku = f"{missing[0].upper()}{100_000 + item}"
        price = offers[0].price_minor + 1000
        yield _waiting(offers[0], retailer=missing, retailer_sku=sku, price_minor=price), offers
    for number, name in enumerate(_UNMATCHED):
        model = products[number]
        words: Fields = {"name": name, "brand": "", "size": "", "retailer_sku": f"N{number}"}
        yield _waiting(model, **words), []


def _waiting(model: Product, **fields: Any) -> Product:
    product = replace(model, status="pending", version=1, **fields)
    # Twenty characters that look random and are the same at each start.
    return replace(product, id=_identity(product)[:20])


def _change(product: Product, number: int) -> Fields:
    """In turn a dearer offer, a cheaper one, another wording, and another pack."""
    dearer, cheaper = (round(product.price_minor * percent / 10_000) * 100 for percent in (113, 78))
    return (
        {"price_minor": dearer},
        {"price_minor": cheaper},
        {"name": f"{product.name} New Look", "url": f"https://{product.retailer}.test/{number}"},
        {"size": f"2 x {product.size}", "price_minor": 2 * cheaper},
    )[number % 4]


def _proposal(product: Product, kind: Kind, fields: Fields, at: datetime) -> Write:
    proposal = Proposal(
        id=product.id,
        kind=kind,
        status="pending",
        retailer=product.retailer,
        category=product.category,
        source=f"crawl of {product.retailer}, {product.category}",
        fields=fields,
        reason=None,
        proposed_at=at,
    )
    return proposal_store.reference(product.id).path, proposal_document(proposal)


def _identity(product: Product) -> str:
    return identities.identity(product.retailer, product.retailer_sku, product.name, product.size)
