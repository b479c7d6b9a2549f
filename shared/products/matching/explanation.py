"""Why a pair is as sure as it is: whole points per field that add up to the confidence."""

import math
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from shared.products.matching import features, surroundings
from shared.products.matching.match import Evidence, Match, Verdict
from shared.products.matching.offer import Offer
from shared.products.matching.quantity import quantity
from shared.products.matching.scoring import ONE_RETAILER, TOGETHER
from shared.products.matching.terms import NUMBER, codes, kind, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

Value = dict[str, float]

NEUTRAL: Final = 50
_HALF: Final = 0.5
_FULL: Final = 100
_STRAIGHT: Final = 1e-9

FIELD_OF: Final = [
    *(features.field_of(name) for name in features.EXPANDED),
    *(
        next(f for f, names in surroundings.FIELDS.items() if name in names)
        for name in surroundings.NAMES
    ),
    "name",
]
"""The field of each of TOGETHER; what holds of any pair is said with the name."""

_SAYING: Final[dict[str, tuple[str, ...]]] = {
    "name": ("sorted_ratio",),
    "variant": ("number_same", "number_differs"),
    "model": (
        "code_same",
        "code_stem",
        "code_told",
        "code_told_stem",
        "code_begins",
        "code_differs",
    ),
    "description": ("text_overlap", "text_named"),
    "size": ("size_same", "size_near", "size_differs"),
    "price": ("price_known",),
    "brand": ("brand_same", "brand_differs", "brand_of_house"),
    "category": ("category_same", "category_differs"),
    "retailer": ("retailer_same",),
    "rivals": ("rivals_most",),
    "company": ("company_best", "apart_most"),
}
"""Per field the features of which one is not 0 where both sides say something."""
_FACTS: Final = frozenset({"size", "brand", "category"})
"""Fields that agree or differ whatever that is worth here."""

FIELDS: Final = tuple(dict.fromkeys(FIELD_OF))


def explained(
    example: "NDArray[Any]", shares: "NDArray[Any]", a: Offer, b: Offer, lowest: int = 0
) -> Match:
    """The match of two offers from the features and what each adds to the log-odds.

    Below a confidence of `lowest` it comes without evidence.
    """
    one_retailer = bool(example[ONE_RETAILER] > 0)
    each = shares.tolist()
    confidence = round(_FULL * _certainty(math.fsum(each)))
    if confidence < lowest:
        return Match(confidence, (), one_retailer)
    by_field = dict.fromkeys(FIELDS, 0.0)
    for field, share in zip(FIELD_OF, each, strict=True):
        by_field[field] += share
    confidence, points = confidence_and_points(list(by_field.values()))
    value = dict(zip(TOGETHER, example.tolist(), strict=True))
    evidence = [
        Evidence(
            field, _verdict(field, value, by_field[field]), _detail(field, value, a, b), weight
        )
        for field, weight in zip(FIELDS, points, strict=True)
    ]
    return Match(confidence, tuple(evidence), one_retailer)


def confidence_and_points(log_odds: list[float]) -> tuple[int, list[int]]:
    """The confidence from 0 to 100, and the whole points of each share of the log-odds.

    A share gets of the way from 50 what it has of the sum: its integrated gradient along the
    straight line from no evidence to all of it. Rounded by the largest remainder.
    """
    total = math.fsum(log_odds)
    certainty = _certainty(total)
    confidence = round(_FULL * certainty)
    per_unit = _FULL * (certainty - 0.5) / total if abs(total) > _STRAIGHT else _FULL / 4
    exact = [share * per_unit for share in log_odds]
    whole = [math.floor(points) for points in exact]
    missing = confidence - NEUTRAL - sum(whole)
    order = sorted(range(len(exact)), key=lambda at: (whole[at] - exact[at], at))
    for step in range(abs(missing)):
        at = order[step % len(order)] if missing > 0 else order[-1 - step % len(order)]
        whole[at] += 1 if missing > 0 else -1
    return confidence, whole


def _certainty(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


def _verdict(field: str, value: Value, share: float) -> Verdict:
    if not any(value[name] for name in _SAYING.get(field, ())):
        return "missing"
    facts = [name for name in (f"{field}_same", f"{field}_differs") if value.get(name)]
    if field in _FACTS and facts:
        return "differs" if facts[0].endswith("differs") else "agrees"
    return "agrees" if share >= 0 else "differs"


def _detail(field: str, value: Value, a: Offer, b: Offer) -> str:
    if field in _MEASURED:
        return _MEASURED[field](value)
    if field == "price":
        return _price(value, a, b)
    first, second = (_WRITTEN[field](offer) or "none" for offer in (a, b))
    return f"{first} and {second}"


def _price(value: Value, a: Offer, b: Offer) -> str:
    if not value["price_known"]:
        return "not comparable"
    low, high = sorted((a.price_minor, b.price_minor))
    return f"{round(_FULL * (high - low) / low)} % apart"


def _numbers(offer: Offer) -> str:
    return " ".join(sorted({term for term in terms(offer.name) if kind(term) == NUMBER}))


def _codes(offer: Offer) -> str:
    return " ".join(codes(f"{offer.name} {offer.model}"))


def _size(offer: Offer) -> str:
    return str(quantity(offer.size) or quantity(offer.name) or "")


_MEASURED: Final[dict[str, Callable[[Value], str]]] = {
    "name": lambda value: f"{round(value['sorted_ratio'] * _FULL)} % alike",
    "description": lambda value: f"{round(value['text_overlap'] * _FULL)} % in common",
    "rivals": lambda value: f"{'an' if value['rivals_most'] > _HALF else 'no'} other is as like",
    "company": lambda value: (
        f"{'some' if value['company_best'] > _HALF else 'no'} others like both"
    ),
}
_WRITTEN: Final[dict[str, Callable[[Offer], str]]] = {
    "variant": _numbers,
    "model": _codes,
    "size": _size,
    "brand": attrgetter("brand"),
    "category": attrgetter("category"),
    "retailer": attrgetter("retailer"),
}
