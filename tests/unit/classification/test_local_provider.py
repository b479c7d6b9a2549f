"""What `local` learns from: what reviewers have said, and the catalogue's newest products."""

from datetime import UTC, datetime

import pytest

from shared.classification import labels, local_provider, newest_products
from shared.classification.labels import Label
from shared.classification.models import Categories, Choice, Example

NOW = datetime(2026, 5, 4, tzinfo=UTC)
CATEGORIES = Categories((Choice("milk", ("Milk",)), Choice("powder", ("Powder",))))


@pytest.fixture
def newest(monkeypatch: pytest.MonkeyPatch) -> None:
    products = [
        {"name": "Milk", "brand": "Anchor", "size": "1 l", "category": "milk"},
        {"name": "Milk", "brand": "Anchor", "size": "400 g", "category": "milk"},
        {"name": "Milk", "brand": "Kotmale", "size": "", "category": ""},
    ]
    known = list(map(newest_products._example, products))
    monkeypatch.setattr(newest_products, "known", lambda: known)


def learnt(monkeypatch: pytest.MonkeyPatch, category: str) -> local_provider._Known:
    label = Label(labels.label_text("Anchor", "Milk", "400 g"), category, "p1", NOW)
    monkeypatch.setattr(labels, "read", lambda: [label])
    return local_provider._known(CATEGORIES)


@pytest.mark.usefixtures("newest")
def test_a_reviewer_is_heard_of_the_product_that_he_saw_and_of_no_other_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, unfiled, whole = learnt(monkeypatch, "powder")
    assert known == [Example("Anchor Milk 400 g", "powder"), Example("Anchor Milk 1 l", "milk")]
    assert unfiled == ["Kotmale Milk"]
    assert whole


@pytest.mark.usefixtures("newest")
def test_a_label_of_a_category_that_is_gone_hides_no_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, _, _ = learnt(monkeypatch, "milk-powder")
    assert known == [Example("Anchor Milk 1 l", "milk"), Example("Anchor Milk 400 g", "milk")]
