"""What calls took, added up and shared out."""

import msgspec


class Paid(msgspec.Struct, frozen=True):
    """What calls took; the cost is in millionths of a US dollar."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0

    def __add__(self, other: "Paid") -> "Paid":
        return Paid(*(a + b for a, b in zip(_values(self), _values(other), strict=True)))

    def shared(self, ways: int) -> "list[Paid]":
        """As many parts, as equal as whole numbers can be; the call itself goes to the first."""
        parts = [
            [value // ways + (n < value % ways) for value in _values(self)] for n in range(ways)
        ]
        return [Paid(*part) for part in parts]


def _values(paid: Paid) -> tuple[int, ...]:
    return msgspec.structs.astuple(paid)
