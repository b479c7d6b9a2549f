"""What the classification's endpoints take and answer."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.classification.circuit_rules import State
from shared.classification.models import Item, Keyed, Provider
from shared.errors import FieldError, Invalid
from shared.money import check_without_currency

Name = Annotated[str, Meta(min_length=1, max_length=500)]
MOST_NAMED: Final = 100
ModelName = Annotated[str, Meta(min_length=1, max_length=100)]
# Nothing that a header could not carry, and no line break that could begin another one.
ApiKey = Annotated[str, Meta(min_length=16, max_length=500, pattern="^[!-~]+$")]


class ProductToClassify(msgspec.Struct, forbid_unknown_fields=True):
    """A product as somebody describes it; of long texts only the beginning is read."""

    name: Name
    description: Annotated[str, Meta(max_length=5000)] | None = None
    brand: Annotated[str, Meta(max_length=200)] | None = None
    price: Decimal | None = None
    id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None

    def item(self) -> Item:
        """The product as the classification knows it."""
        return Item(self.name, self.description, self.brand, self.price, self.id)


def items_of(products: Sequence[ProductToClassify]) -> list[Item]:
    """The products as the classification knows them; raises Invalid for prices that are none."""
    errors = []
    for number, product in enumerate(products):
        try:
            if product.price is not None:
                check_without_currency(product.price)
        except ValueError as error:
            errors.append(FieldError(f"products[{number}].price", str(error)))
    if errors:
        raise Invalid(errors[:MOST_NAMED])
    return [product.item() for product in products]


class Classify(msgspec.Struct, forbid_unknown_fields=True):
    """Products, and the provider and model to begin with."""

    products: Annotated[list[ProductToClassify], Meta(min_length=1, max_length=100)]
    provider: Provider | None = None
    model: ModelName | None = None


class StreamedEvent(msgspec.Struct):
    """One event of the stream; `data` is a JSON object, which depends on `event`.

    progress `{index, total, percent}`, restart `{index, provider, reason}`, result `{index,
    product, category, confidence, rationale, provider, model, source, needs_review}`, error
    `{index, message}`, complete `{total, successful, failed}`. Where `source` is `neighbour`,
    nobody was asked, and provider and model are null.
    """

    event: Literal["progress", "restart", "result", "error", "complete"]
    data: str


class TestProvider(msgspec.Struct, forbid_unknown_fields=True):
    """The provider that is to show that it answers, and with which of its models."""

    __test__ = False

    provider: Provider
    model: ModelName | None = None


class Tested(msgspec.Struct, omit_defaults=True):
    """How a provider fared at one small question."""

    ok: bool
    latency_ms: int
    model: str
    error: str | None = None


class ModelView(msgspec.Struct):
    """A model of the allow-list, with its prices in US dollars for a million tokens."""

    name: str
    input_price: Decimal
    output_price: Decimal


class ProviderView(msgspec.Struct):
    """A provider: whether it can be asked, and how it has fared of late.

    `latency_ms` and `error_percent` are of its last calls, null where there were none;
    `spend_today` is in US dollars of this day (UTC), as is `daily_budget`, null where it has none;
    `reason` says why it is not asked: `budget` once that is spent.
    """

    name: Provider
    configured: bool
    healthy: bool
    circuit: State
    reason: str | None
    retry_at: str | None
    models: list[ModelView]
    latency_ms: int | None
    error_percent: int | None
    spend_today: Decimal
    daily_budget: Decimal | None


class ProviderList(msgspec.Struct):
    """Every provider, in the order in which they are asked; those that are left out come last."""

    providers: list[ProviderView]
    order: list[Provider]


class SetKey(msgspec.Struct, forbid_unknown_fields=True):
    """A provider's key."""

    provider: Keyed
    key: ApiKey

    def __repr__(self) -> str:
        return f"SetKey({self.provider}, ***)"


class KeyStatus(msgspec.Struct):
    """Where a provider's key is from, its last four characters, and when it was set."""

    provider: Keyed
    source: Literal["stored", "environment", "none"]
    last_four: str | None
    set_at: str | None


class KeysStatus(msgspec.Struct):
    """Every provider that takes a key."""

    keys: list[KeyStatus]
