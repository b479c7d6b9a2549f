from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.products.matching.quantity import quantity, without_quantity
from shared.products.matching.text import canonical, normalise, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nature's  LOVE - Dried Apricot", "natures love dried apricot"),
        ("Nescafé Classic", "nescafe classic"),
        ("\uff2d\uff49\uff4c\uff4b 1,5 L", "milk 1.5 l"),
        ("1,250 g", "1250 g"),
        ("Mr.Pop Onion", "mr pop onion"),
        (
            '\u05e7"\u05d2 \u05e9\u05d5\u05e7\u05d5\u05dc\u05d3',
            "\u05e7\u05d2 \u05e9\u05d5\u05e7\u05d5\u05dc\u05d3",
        ),
        (
            "\u0d9a\u0dd2\u0dbb\u0dd2 \u0db4\u0dd2\u0da7\u0dd2",
            "\u0d9a\u0dd2\u0dbb\u0dd2 \u0db4\u0dd2\u0da7\u0dd2",
        ),
        ("\u0d9c\u0dca\u200d\u0dbb\u0dd1\u0db8\u0dca", "\u0d9c\u0dca\u0dbb\u0dd1\u0db8\u0dca"),
        ("", ""),
        ("!!!", ""),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text())
def test_normalise_leaves_single_spaces_and_a_stable_text(text: str) -> None:
    once = normalise(text)
    assert " ".join(once.split()) == once
    assert tokens(text) == tuple(once.split())


def test_canonical_takes_off_a_plural() -> None:
    assert canonical("chips") == canonical("chip")
    assert canonical("glass") == "glass"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("400g", "400 g"),
        ("0.4 kg", "400 g"),
        ("1kg", "1000 g"),
        ("1 L", "1000 ml"),
        ("1,5 L", "1500 ml"),
        ("2,500 g", "2500 g"),
        ("500 ML", "500 ml"),
        ("6x330ml", "1980 ml"),
        ("330ml x 6", "1980 ml"),
        ("1/2 kg", "500 g"),
        ("\u00bd kg", "500 g"),
        ("10s", "10 pcs"),
        ("1`S", "1 pcs"),
        ("12 pcs", "12 pcs"),
        ("Tea Bags 50s 100g", "100 g"),
        ("Kitchen Towels 2Ply 2S", "2 pcs"),
        ("Onion Stars 50G+5g", "50 g"),
        ("Mosquito Coil 10 Hours 10S", "10 pcs"),
        ('\u05e9\u05de\u05e4\u05d5 1 \u05e7"\u05d2', "1000 g"),
        ("6*60\u05d2\u05e8", "360 g"),
        ("500 \u05de\u05d9\u05dc\u05d9\u05dc\u05d9\u05d8\u05e8", "500 ml"),
        ("500 \u0d9c\u0dca\u200d\u0dbb\u0dd1\u0db8\u0dca", "500 g"),
        ("7up", "None"),
        ("80Pgs", "None"),
        ("300 graham", "None"),
        ("0g", "None"),
        ("White Sugar Bulk kg", "None"),
    ],
)
def test_quantity(text: str, expected: str) -> None:
    assert str(quantity(text)) == expected


def test_a_quantity_is_exact() -> None:
    size = quantity("0.1 kg")
    assert size is not None
    assert size.value == Decimal(100)


def test_without_quantity_keeps_the_name() -> None:
    assert without_quantity("Keells Red Dhal 1kg").strip() == "keells red dhal"


@given(st.text())
def test_any_text_can_be_read_for_a_quantity(text: str) -> None:
    size = quantity(text)
    assert size is None or size.value > 0
