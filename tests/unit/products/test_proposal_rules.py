"""What the rules let through, what differs, and what is worth asking a second time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.products.matching import DefaultMatcher, Offer
from shared.products.models import Product
from shared.products.proposal_models import Proposal, from_document, to_document
from shared.products.proposal_rules import (
    SURE,
    Facts,
    best_confidences,
    difference,
    reopens,
    still_the_same,
    verdict,
)
from shared.products.proposal_schemas import view
from shared.system.configuration_records import DEFAULTS, AutoApproval, Configuration, Thresholds

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
RULES = AutoApproval(
    enabled=True, retailers=["keells"], max_price_change_percent=10, min_match_confidence=85
)
NEW = Facts("new", "keells", True, 90, 10_000, "LKR")
CHANGE = replace(NEW, kind="change", confidence=100, known_price_minor=10_000, known_currency="LKR")
PRODUCT = Product(
    id="p1",
    name="Milk Tea",
    brand="Hanthana",
    size="200 g",
    category="tea",
    retailer="keells",
    retailer_sku="17",
    url=None,
    image=None,
    description=None,
    price_minor=10_000,
    currency="LKR",
    status="active",
    version=3,
    created_at=NOW,
    updated_at=NOW,
)
OFFER = Offer("p1", "keells", "Milk Tea", "Hanthana", "200 g", "tea", 10_000, "LKR")


def approved(facts: Facts, rules: AutoApproval = RULES) -> bool:
    return verdict(settings(rules), facts).status == "approved"


def settings(rules: AutoApproval = RULES) -> Configuration:
    return replace(DEFAULTS, auto_approval=rules)


def test_what_the_rules_allow_needs_no_person() -> None:
    assert approved(NEW)
    assert approved(CHANGE)
    assert verdict(settings(), NEW).reasons == ()


def test_while_they_are_off_nothing_is_approved_and_nothing_said() -> None:
    told = verdict(settings(replace(RULES, enabled=False)), CHANGE)
    assert (told.status, told.reasons) == ("pending", ())


@pytest.mark.parametrize("retailers", [[], ["cargills"]])
def test_a_retailer_that_is_not_named_waits(retailers: list[str]) -> None:
    told = verdict(settings(replace(RULES, retailers=retailers)), replace(NEW, confidence=0))
    assert told.status == "pending"
    assert told.reasons == ("keells is not approved without a person",)


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (10_000, 11_000, True),
        (10_000, 9_000, True),
        (10_000, 11_001, False),
        (10_000, 8_999, False),
        (10_000, 0, False),
        (0, 0, True),
        (0, 1, False),
        (3, 3, True),
        (3, 4, False),
    ],
)
def test_a_price_may_move_so_far(known: int, found: int, expected: bool) -> None:  # noqa: FBT001
    assert approved(replace(CHANGE, known_price_minor=known, price_minor=found)) is expected


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(0, 100))
def test_the_limit_is_exact_at_any_price(known: int, found: int, percent: int) -> None:
    facts = replace(CHANGE, known_price_minor=known, price_minor=found)
    within = abs(found - known) * 100 <= percent * known
    assert approved(facts, replace(RULES, max_price_change_percent=percent)) is within


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(CHANGE, currency="USD"), "the currency is another"),
        (replace(CHANGE, price_minor=15_000), "the price moved by 50 %, the limit is 10 %"),
        (replace(CHANGE, confidence=60), "that it is the same product is 60 % sure, under 85 %"),
        (replace(NEW, confidence=84), "the best match is 84 % sure, under 85 %"),
        (replace(NEW, category_known=False), "the category is not known"),
        (replace(NEW, twin_confidence=50), "the retailer seems to sell it already"),
    ],
)
def test_each_objection_says_what_it_is(facts: Facts, reason: str) -> None:
    told = verdict(settings(), facts)
    assert (told.status, told.reasons) == ("pending", (reason,))


@pytest.mark.parametrize(("lowest", "status"), [(60, "pending"), (61, "approved")])
def test_the_settings_say_what_is_sold_already(lowest: int, status: str) -> None:
    strict = replace(settings(), thresholds=Thresholds(lowest, 70, 5))
    assert verdict(strict, replace(NEW, twin_confidence=60)).status == status


def test_all_objections_are_told() -> None:
    told = verdict(settings(), replace(CHANGE, confidence=1, price_minor=1, category_known=False))
    assert len(told.reasons) == 3


def test_what_differs_is_found_field_by_field() -> None:
    given_fields = {"name": "Milk Tea", "price_minor": 12_000, "url": "https://x.test/1"}
    expected = {"price_minor": 12_000, "url": "https://x.test/1"}
    assert difference(PRODUCT, given_fields) == expected
    assert difference(PRODUCT, {"name": "Milk Tea"}) == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"price_minor": 1}, False),
        ({"price_minor": 1, "currency": "USD", "url": "https://x.test", "image": "y"}, False),
        ({"name": "MILK  tea"}, False),
        ({"name": "Milk Coffee"}, True),
        ({"brand": "Leafhill"}, True),
        ({"size": "400 g"}, True),
        ({"category": "coffee"}, True),
        ({}, False),
    ],
)
def test_a_rejected_offer_is_another_one_by_what_it_is_and_not_by_its_price(
    fields: dict[str, Any],
    expected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert reopens(PRODUCT, fields) is expected


def test_a_price_leaves_a_product_what_it_is_and_another_name_does_not() -> None:
    matcher = DefaultMatcher()
    assert still_the_same(OFFER, replace(OFFER, price_minor=1), matcher) == SURE
    reworded = still_the_same(OFFER, replace(OFFER, name="Hanthana Milk Tea 200g"), matcher)
    another = still_the_same(OFFER, replace(OFFER, name="Chocolate Biscuits"), matcher)
    assert another < 50 < reworded


def test_a_match_at_the_same_retailer_is_told_apart() -> None:
    others = [replace(OFFER, id="p2"), replace(OFFER, id="p3", retailer="cargills")]
    abroad, twin = best_confidences(OFFER, others, DefaultMatcher())
    assert (abroad > 80, twin > 80) == (True, True)
    assert best_confidences(OFFER, others[:1], DefaultMatcher())[0] == 0
    assert best_confidences(OFFER, [], DefaultMatcher()) == (0, 0)


def proposal(**fields: Any) -> Proposal:
    wanted: dict[str, Any] = {
        "id": "p1",
        "kind": "change",
        "status": "pending",
        "retailer": "keells",
        "category": "tea",
        "source": "crawl",
        "fields": {"price_minor": 12_000, "name": "Milk Tea Gold"},
        "reason": None,
        "proposed_at": NOW,
        **fields,
    }
    return Proposal(**wanted)


def test_a_proposal_comes_back_from_its_document() -> None:
    stored = proposal().decided("rejected", "admin", LATER, {"price_minor": 1}, "no")
    document = to_document(stored)
    assert "id" not in document
    assert from_document("p1", document) == stored


def test_what_was_refused_is_remembered_until_the_field_is_taken() -> None:
    refused = proposal().decided("rejected", "admin", LATER, None, "no")
    assert (refused.version, refused.refused) == (2, refused.fields)
    later = replace(refused, status="pending", fields={"price_minor": 13_000})
    taken = later.decided("approved", "admin", LATER, None, None)
    assert taken.refused == {"name": "Milk Tea Gold"}


def test_a_waiting_change_is_shown_against_the_product_as_it_is() -> None:
    shown = view(PRODUCT, proposal())
    told = {each.field: (each.known, each.proposed) for each in shown.differences}
    assert {name: (str(a), str(b)) for name, (a, b) in told.items()} == {
        "price": ("100.00", "120.00"),
        "name": ("Milk Tea", "Milk Tea Gold"),
    }
    assert shown.known is not None
    assert (shown.known.name, shown.product.name) == ("Milk Tea", "Milk Tea Gold")
    edited = PRODUCT.changed(LATER, name="Milk Tea Gold", brand="Leafhill")
    again = view(edited, proposal())
    assert [each.field for each in again.differences] == ["price"]
    assert (again.product.brand, again.version) == ("Leafhill", shown.version + 1)


def test_a_decided_change_is_shown_as_it_was_decided() -> None:
    replaced = {"price_minor": 10_000, "name": "Milk Tea"}
    decided = proposal().decided("approved", "admin", LATER, replaced, None)
    after = PRODUCT.changed(LATER, **decided.fields)
    assert {each.field for each in view(after, decided).differences} == {"price", "name"}


def test_of_a_new_offer_nothing_is_known() -> None:
    waiting = PRODUCT.changed(LATER, status="pending")
    shown = view(waiting, proposal(kind="new", fields={"name": "Milk Tea"}))
    assert (shown.known, shown.differences, shown.product.name) == (None, [], "Milk Tea")
