"""Products as documents, and the words by which a search box finds them."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.products.models import (
    MAX_TERMS,
    Product,
    from_document,
    name_key,
    search_terms,
    terms,
    to_document,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
PRODUCT = Product(
    id="p1",
    name="Éclair (Chocolate)",
    brand="Keells",
    size="80g",
    category="cakes",
    retailer="keells",
    retailer_sku="17",
    url=None,
    image=None,
    description=None,
    price_minor=12_050,
    currency="LKR",
    status="active",
    version=3,
    created_at=NOW,
    updated_at=NOW,
)


def test_a_product_comes_back_from_its_document() -> None:
    document = to_document(PRODUCT)
    assert from_document("p1", document) == PRODUCT
    assert "id" not in document
    assert (document["listed"], document["name_key"]) == (True, "eclair chocolate")


def test_a_change_makes_a_version_and_no_change_makes_none() -> None:
    assert PRODUCT.changed(LATER, name=PRODUCT.name, status="active") is PRODUCT
    changed = PRODUCT.changed(LATER, price_minor=1)
    assert (changed.version, changed.updated_at, changed.price_minor) == (4, LATER, 1)
    assert changed.created_at == NOW


@pytest.mark.parametrize(
    ("status", "listed"),
    [("active", True), ("pending", False), ("rejected", False), ("deleted", False)],
)
def test_only_what_is_active_is_listed(status: str, listed: bool) -> None:  # noqa: FBT001
    assert to_document(PRODUCT.changed(LATER, status=status))["listed"] is listed


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("choc", "Dark CHOCOLATE bar"),
        ("bar dark", "Dark Chocolate Bar"),
        ("cafe", "Café Crème"),
        ("CAFÉ", "cafe creme"),
        ("unpronounceable", "Unpronounceable thing"),
        ("කිරි", "නැවුම් කිරි 1l"),
    ],
)
def test_a_search_finds_the_beginnings_of_words(asked: str, name: str) -> None:
    assert search_terms(asked)
    assert set(search_terms(asked)) <= set(terms(name))


def test_a_search_asks_for_its_longest_word_first_and_for_no_single_letter() -> None:
    assert search_terms("a milk chocolate of x") == ["chocolate", "milk", "of"]
    assert search_terms("x ! 7") == []


@given(st.text(max_size=300))
def test_a_documents_terms_are_few_short_and_different(text: str) -> None:
    found = terms(text)
    assert len(found) <= MAX_TERMS
    assert len(set(found)) == len(found)
    assert all(1 <= len(term) <= 10 for term in found)


@given(st.text(max_size=300))
@example("0\U00018d09\U00011a01")
def test_the_key_of_a_name_is_short_and_its_own_key(text: str) -> None:
    key = name_key(text)
    assert len(key) <= 200
    assert name_key(key) == key
