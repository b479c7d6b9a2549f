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
    """A product as somebody describes it; the price is in currency units.

    `size` is what the catalogue knows of it beside the name: milk by the gram is a powder.
    """

    name: str
    description: str | None = None
    brand: str | None = None
    price: Decimal | None = None
    id: str | None = None
    size: str | None = None


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


Source = Literal["provider", "neighbour", "cache", "twin"]


class Decided(msgspec.Struct, frozen=True):
    """What came of one item: a category of the collection, or why there is none.

    `index` is its place in what was asked for. `confidence` is calibrated, `raw_confidence` what
    the provider said of itself. Tokens and cost (millionths of a US dollar) are the item's share of
    all calls made for it, answers of no use among them, and 0 where another's answer was taken;
    a call for several items is counted in `calls` of the first. `latency_ms` is of the last call.
    `is_sample` is sure enough, and asked of a person all the same, to know how right such are.
    """

    index: int
    category: str | None
    confidence: int | None
    raw_confidence: int | None
    rationale: str
    provider: Provider | None
    model: str | None
    prompt_version: str
    source: Source
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    latency_ms: int = 0
    needs_review: bool = True
    failure: str | None = None
    calls: int = 0
    is_sample: bool = False
