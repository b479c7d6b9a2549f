"""What a page of duplicates makes of pairs that change while it reads them."""

from unittest.mock import Mock

from shared.products.duplicates import _Looking


def test_a_group_whose_pairs_went_meanwhile_is_no_group() -> None:
    seed = Mock(id="a_b")
    assert _Looking(60, "open")._view(seed, {"a_b": [(90, "a", "b")]}, {}) is None
