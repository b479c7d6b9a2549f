"""How many documents may be read for one product."""

import pytest

from shared.errors import Conflict
from shared.products.allowances import Allowance


def test_what_is_left_may_be_taken_and_no_more() -> None:
    allowance = Allowance(5)
    allowance.take(3)
    allowance.take(2)
    with pytest.raises(Conflict):
        allowance.take(1)
    assert allowance.left == 0
