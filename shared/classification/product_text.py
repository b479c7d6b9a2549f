"""A product's text, reduced to what says what it is, for likenesses and not for equality.

Case, accents and punctuation say nothing. The order of the words and the size do: milk chocolate is
no chocolate milk, and milk by the gram is a powder.
"""

from shared.products.matching.quantity import quantity, without_quantity
from shared.products.matching.text import normalise, tokens


def words(text: str) -> list[str]:
    """The words and numbers of a text, in one case."""
    return list(tokens(text))


def measure(text: str) -> str | None:
    """Whether a name states a weight (`g`) or a volume (`ml`); None where it states neither."""
    found = quantity(text)
    return None if found is None or found.dimension == "count" else found.dimension


def kind(text: str) -> str:
    """The words of a name without any size, for likenesses between names."""
    return normalise(without_quantity(text))
