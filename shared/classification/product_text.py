"""A product's text, reduced to what says what it is: equal texts are one question.

Case, accents, punctuation and the spelling of a size say nothing; the order of the words and the
size itself do: milk chocolate is no chocolate milk, and milk by the gram is a powder.
"""

from shared.classification.models import Item
from shared.products.matching.quantity import measured, without_quantity
from shared.products.matching.text import fold, normalise, tokens


def words(text: str) -> list[str]:
    """The words and numbers of a text, in one case."""
    return list(tokens(text))


def normalised(item: Item) -> str:
    """All that is told of the product but its price; empty where no word is in its name."""
    name = _spelt(item.name)
    if not name:
        return ""
    return "\n".join((name, _spelt(item.brand or ""), _spelt(item.description or "")))


def kind(text: str) -> str:
    """The words of a name without any size, for likenesses between names."""
    return normalise(without_quantity(text))


def _spelt(text: str) -> str:
    return normalise(measured(fold(text)))
