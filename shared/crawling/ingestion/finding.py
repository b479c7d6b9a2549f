"""Which product a crawled row is: by its page, by its retailer's number, else by the matcher.

Each is a document by id, so a row costs the same whatever the size of the catalogue.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.crawling.ingestion.offers import Found
from shared.products import identities, match_models, postings
from shared.products.matching import Matcher, Offer, shortlist
from shared.products.matching.text import normalise
from shared.products.models import Product
from shared.products.proposal_rules import still_the_same
from shared.products.upload_models import offer_of
from shared.products.upload_rows import UploadRow

# Two offers of one retailer are mostly two products, so only what is nearly certain is one.
SURE_ENOUGH: Final = 95
MAX_COMPARED: Final = 10


def keys_of(offer: UploadRow) -> tuple[str, ...]:
    """The identities that the offer may be known by, the surest first: three at most."""
    named = identities.identity(offer.retailer, None, offer.name, offer.size)
    by_number = [identities.of_row(offer)] if offer.retailer_sku else []
    by_page = [identities.by_address(offer.retailer, offer.url)] if offer.url else []
    return (*by_page, *by_number, named)


def kept_keys(offer: UploadRow) -> tuple[str, ...]:
    """Those of its identities that are the offer's alone: its wording only without a number."""
    keys = keys_of(offer)
    return keys[:-1] if offer.retailer_sku else keys


def known(
    offer: UploadRow, owners: Mapping[str, str], products: Mapping[str, Product]
) -> Product | None:
    """The product of one of the offer's identities, unless it was deleted."""
    keys = keys_of(offer)
    for key in keys:
        product = products.get(owners.get(key, ""))
        if product is None or product.status == "deleted":
            continue
        if key != keys[-1] or not _other_number(offer, product):
            return product
    return None


def guesses(unknown: Sequence[Found], matcher: Matcher | None = None) -> dict[int, str]:
    """What the matcher takes for the unknown rows' products at their own retailer, by number.

    Twelve posting lists a row at most; rows that are alike share theirs.
    """
    if not unknown:
        return {}
    matcher = matcher or match_models.current()
    keys = {each.number: matcher.keys(offer_of(each.offer, "")) for each in unknown}
    lists = postings.read(key for own in keys.values() for key in own)
    guessed = {}
    for each in unknown:
        best = _best(each.offer, (lists.get(key, {}) for key in keys[each.number]), matcher)
        if best is not None:
            guessed[each.number] = best
    return guessed


def fits(offer: UploadRow, product: Product) -> bool:
    """Whether the matcher's word is enough: nothing that the two say is against it."""
    if product.status != "active" or _other_number(offer, product):
        return False
    if offer.url and product.url:
        # Another page of the shop is another product, unless it says the very same.
        return all(
            normalise(getattr(offer, name)) == normalise(getattr(product, name))
            for name in ("name", "brand", "size")
        )
    return True


def _other_number(offer: UploadRow, product: Product) -> bool:
    return bool(
        offer.retailer_sku and product.retailer_sku and offer.retailer_sku != product.retailer_sku
    )


def _best(row: UploadRow, lists: Iterable[Mapping[str, Offer]], matcher: Matcher) -> str | None:
    """The one offer of the row's retailer that it surely is; of two such, none."""
    offer = offer_of(row, "")
    own = {
        pid: other
        for entries in lists
        for pid, other in entries.items()
        if other.retailer == row.retailer
    }
    likely = shortlist(offer, own.values(), MAX_COMPARED)
    sure = [each.id for each in likely if still_the_same(each, offer, matcher) >= SURE_ENOUGH]
    return sure[0] if len(sure) == 1 else None
