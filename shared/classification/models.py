"""What is classified and what comes of it."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

Provider = Literal["groq", "gemini", "cerebras", "openrouter", "local"]
# Those that are asked over the network, with a key.
Keyed = Literal["groq", "gemini", "cerebras", "openrouter"]
KEYED: Final[tuple[Keyed, ...]] = ("groq", "gemini", "cerebras", "openrouter")
LOCAL: Final = "local"


class Item(msgspec.Struct, frozen=True):
    """A product as somebody describes it; the price is in currency units."""

    name: str
    description: str | None = None
    brand: str | None = None
    price: Decimal | None = None
    id: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """A category of the collection, how sure the provider says it is (0 to 100), and why."""

    category: str
    confidence: int
    rationale: str


class Example(msgspec.Struct, frozen=True):
    """A product's text whose category is known."""

    text: str
    category: str


class Choice(msgspec.Struct, frozen=True):
    """A category that may be answered: its id, and the names that lead to it."""

    id: str
    path: tuple[str, ...]


class Categories(msgspec.Struct, frozen=True):
    """Every category that may be answered."""

    choices: tuple[Choice, ...]

    @property
    def ids(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(choice.id for choice in self.choices)
