from datetime import UTC, datetime

import pytest

from shared.products import identities
from shared.products.matching import DefaultMatcher, Offer
from shared.products.upload_rows import UploadRow, parse_products
from shared.products.upload_variants import different, is_another, told_apart

PICTURES = "https://shop.test/pictures"
NOW = datetime(2026, 1, 5, tzinfo=UTC)
PLACEHOLDER = f"{PICTURES}/none.png"


def rows(*offers: tuple[str, int, str]) -> tuple[UploadRow, ...]:
    given = [
        {"name": name, "price": price, "image": image, "retailer": "keells"}
        for name, price, image in offers
    ]
    parsed = parse_products(given)
    assert not parsed.errors
    return told_apart(parsed.rows)


def offer(name: str, price_minor: int) -> Offer:
    return Offer(f"{name} {price_minor}", "keells", name, "", "", "", price_minor, "LKR")


def test_one_name_at_two_prices_with_two_pictures_is_two_offers_in_any_order() -> None:
    small, large = (
        ("Lurpak Butter", 730, f"{PICTURES}/1.jpg"),
        ("LURPAK  butter", 1450, f"{PICTURES}/2.jpg"),
    )
    first, second = rows(small, large)
    assert different(first, second)
    again, other = (identities.of_row(row) for row in rows(large, small))
    assert [identities.of_row(first), identities.of_row(second)] == [other, again]
    assert first.product("p", "active", NOW).image == f"{PICTURES}/1.jpg"


@pytest.mark.parametrize(
    ("price", "images"),
    [
        (730, ("1.jpg", "2.jpg")),
        (1450, ("1.jpg", "1.jpg")),
        (1450, ("none.png", "none.png")),
        (1450, ("none.png", None)),
    ],
    ids=["same price", "same picture", "placeholder", "no picture"],
)
def test_without_a_price_and_a_picture_of_its_own_a_row_repeats_the_name(
    price: int, images: tuple[str, str | None]
) -> None:
    one, other = (f"{PICTURES}/{image}" if image else "" for image in images)
    offers = [("Lurpak Butter", 730, one), ("Lurpak Butter", price, other)]
    first, second, _ = rows(*offers, ("Pepsi", 200, PLACEHOLDER))
    assert not different(first, second)
    assert identities.of_row(first) == identities.of_row(second)


def test_a_row_of_its_own_beside_one_with_a_placeholder_is_another() -> None:
    first, second, _ = rows(
        ("Chilli Pieces", 485, f"{PICTURES}/1.jpg"),
        ("Chilli Pieces", 195, PLACEHOLDER),
        ("Pepsi", 200, PLACEHOLDER),
    )
    assert different(first, second)
    assert second.own_address is None


def test_in_the_catalogue_such_a_row_is_what_has_its_price() -> None:
    small, _ = rows(
        ("Lurpak Butter", 730, f"{PICTURES}/1.jpg"), ("Lurpak Butter", 1450, f"{PICTURES}/2.jpg")
    )
    assert is_another(small, offer("Lurpak butter", 145_000))
    assert not is_another(small, offer("Lurpak butter", 73_000))


def test_without_a_size_one_shops_offers_at_two_prices_are_no_twins() -> None:
    small, matcher = offer("Lurpak Butter Salted", 73_000), DefaultMatcher()
    assert not matcher.compare(small, offer("Lurpak Butter Salted", 145_000)).same(50)
    assert matcher.compare(small, offer("Lurpak Butter Salted", 73_000)).same(50)
