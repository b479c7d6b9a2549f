"""What differs, what needs no person, and what is worth asking a second time: pure rules."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from shared.products.matching import Matcher, Offer
from shared.products.matching.text import normalise
from shared.products.models import Product
from shared.products.proposal_models import Fields, Kind
from shared.system.configuration_records import AutoApproval, Configuration

# What an offer is; a price or a link may change without making it another.
NATURE: Final = ("name", "brand", "size", "category")
_WORDING: Final = ("name", "brand", "size")
SURE: Final = 100
_NO_EVIDENCE: Final = 101


class Facts(msgspec.Struct, frozen=True):
    """What the rules look at; prices in minor units, confidences from 0 to 100.

    `confidence`: of a new offer's best match at another retailer, of a change that the product is
    still the same. `twin_confidence`: of a new offer's best match at its own retailer.
    """

    kind: Kind
    retailer: str
    category_known: bool
    confidence: int
    price_minor: int
    currency: str
    known_price_minor: int | None = None
    known_currency: str | None = None
    twin_confidence: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """Approved by the rules, or pending with the reasons; none while the rules are off."""

    status: Literal["approved", "pending"]
    reasons: tuple[str, ...] = ()


def verdict(settings: Configuration, facts: Facts) -> Verdict:
    """Whether a proposal needs no person."""
    rules = settings.auto_approval
    if not rules.enabled:
        return Verdict("pending")
    if facts.retailer not in rules.retailers:
        return Verdict("pending", (f"{facts.retailer} is not approved without a person",))
    reasons = tuple(_objections(rules, facts, settings.thresholds.duplicate_confidence))
    return Verdict("pending" if reasons else "approved", reasons)


def difference(product: Product, given: Fields) -> Fields:
    """Of the given values those that are not the product's own."""
    return {name: value for name, value in given.items() if getattr(product, name) != value}


def reopens(product: Product, given: Fields) -> bool:
    """Whether a rejected offer is another one now: by name, brand, size or category."""
    changed = (name for name in NATURE if name in given)
    return any(normalise(getattr(product, n)) != normalise(given[n]) for n in changed)


def still_the_same(known: Offer, found: Offer, matcher: Matcher) -> int:
    """How sure it is, from 0 to 100, that one retailer's offer is what it was, reworded."""
    if all(getattr(known, name) == getattr(found, name) for name in _WORDING):
        return SURE
    # One retailer's two names are told apart strictly; here they are one offer's, then and now.
    return matcher.compare(known, msgspec.structs.replace(found, id="", retailer="")).confidence


def best_confidences(offer: Offer, others: Iterable[Offer], matcher: Matcher) -> tuple[int, int]:
    """The surest match of an offer at other retailers, and at its own; 0 without any."""
    abroad = twin = 0
    pairs = [(offer, other) for other in others]
    for (_, other), match in zip(pairs, matcher.compare_each(pairs, _NO_EVIDENCE), strict=True):
        if other.retailer == offer.retailer:
            twin = max(twin, match.confidence)
        else:
            abroad = max(abroad, match.confidence)
    return abroad, twin


def _objections(rules: AutoApproval, facts: Facts, duplicate: int) -> Iterator[str]:
    if not facts.category_known:
        yield "the category is not known"
    if facts.known_price_minor is not None:
        yield from _price_objections(rules, facts, facts.known_price_minor)
    if facts.twin_confidence >= duplicate:
        yield "the retailer seems to sell it already"
    if facts.confidence < rules.min_match_confidence:
        what = "the best match" if facts.kind == "new" else "that it is the same product"
        yield f"{what} is {facts.confidence} % sure, under {rules.min_match_confidence} %"


def _price_objections(rules: AutoApproval, facts: Facts, known_minor: int) -> Iterator[str]:
    if facts.currency != facts.known_currency:
        yield "the currency is another"
        return
    moved = abs(facts.price_minor - known_minor)
    if moved * 100 > rules.max_price_change_percent * known_minor:
        percent = f"by {moved * 100 / known_minor:.0f} %" if known_minor else "from nothing"
        yield f"the price moved {percent}, the limit is {rules.max_price_change_percent} %"
