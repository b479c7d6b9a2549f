"""Which crawled prices wait for a person."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crawling.ingestion.judging import Facts, unlikely, unstorable

KNOWN: dict[str, Any] = {"currency": "LKR", "known_minor": 45_000, "known_currency": "LKR"}
BY_WEIGHT: dict[str, Any] = {"size": "400g", "unit": "100g", "unit_price_minor": 11_250}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(0, "LKR"), "is not above zero"),
        (Facts(-1, "LKR"), "is not above zero"),
        (Facts(10**14, "LKR"), "is too large"),
        (Facts(100, "XYZ"), "is in no currency of ISO 4217"),
        (Facts(100, "EUR"), ""),
        (Facts(45_000, "EUR", known_minor=45_000, known_currency="LKR"), "is in EUR, the"),
        (Facts(225_000, **KNOWN), ""),
        (Facts(225_001, **KNOWN), "is more than 5 times the usual 450.00 LKR"),
        (Facts(9_000, **KNOWN), ""),
        (Facts(8_999, **KNOWN), "is less than the usual 450.00 LKR divided by 5"),
        # What it cost of late counts, not what the catalogue says; one accident among it does not.
        (Facts(9_000, recent_minor=[1_000, 2_000, 90_000], **KNOWN), ""),
        (Facts(45_000, recent_minor=[5_000, 6_000], **KNOWN), "is more than 5 times"),
        # The unit's price in the place of the pack's.
        (Facts(11_250, "LKR", **BY_WEIGHT), "is the price of 100g"),
        (Facts(11_300, **KNOWN, **{**BY_WEIGHT, "unit_price_minor": 28}), "seems to be the price"),
        (Facts(45_000, **KNOWN, **BY_WEIGHT), ""),
        (Facts(11_250, "LKR", size="100 g", unit="100g", unit_price_minor=11_250), ""),
        (Facts(90_000, "LKR", size="1 kg", unit="kg", unit_price_minor=90_000), ""),
        (Facts(90_000, "LKR", size="2 kg", unit="kg", unit_price_minor=90_000), "is the price of"),
        (Facts(90_000, "LKR", size="2 l", unit="kg", unit_price_minor=90_000), ""),
        (Facts(90_000, "LKR", size="", unit="kg", unit_price_minor=90_000), ""),
    ],
)
def test_a_price_waits_for_a_reason(facts: Facts, reason: str) -> None:
    told = unlikely(facts, 5)
    assert told.startswith(reason) if reason else told == ""


PRICES = st.integers(min_value=1, max_value=10**12)


@given(usual=PRICES, price=PRICES, factor=st.integers(2, 100))
def test_only_what_is_further_away_than_the_factor_waits(
    usual: int, price: int, factor: int
) -> None:
    facts = Facts(price, "LKR", known_minor=usual, known_currency="LKR")
    assert bool(unlikely(facts, factor)) == (price > usual * factor or price * factor < usual)


@given(price=st.integers(), currency=st.sampled_from(["LKR", "USD", "JPY", "lkr", ""]))
def test_nothing_that_cannot_be_stored_is_likely(price: int, currency: str) -> None:
    assert bool(unlikely(Facts(price, currency), 5)) == bool(unstorable(price, currency))
