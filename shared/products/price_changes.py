"""What products owe to prices: other prices, confirmed ones, and that they came or went.

Prices know products and not the other way round: the debt lies in the outbox, and who pays it is
asked by name. The products of one commit share a debt, whose id stands in each of them, so that
all their events lead to one task.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import tasks
from shared.clock import epoch_micros
from shared.products import outbox
from shared.products.models import Product

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

QUEUE: Final = "prices"
FUNCTION: Final = "record_prices"
_MARK: Final = "price_change"

Source = Literal["manual", "api", "crawler"]

_last_request = ""


class Changed(msgspec.Struct, frozen=True, array_like=True):
    """What a product costs from a moment on."""

    product_id: str
    retailer: str
    at_micros: int
    price_minor: int
    currency: str


class Debt(msgspec.Struct, frozen=True):
    """What a commit writes beside its products, and into those whose price it changes."""

    reference: "DocumentReference"
    fields: dict[str, Any]
    mark: dict[str, str]

    @property
    def id(self) -> str:
        """What the task that pays it is given."""
        return self.mark[_MARK]


_decoder = msgspec.json.Decoder(list[Changed])


def differs(before: Product, after: Product) -> bool:
    """Whether the product costs something else."""
    return (before.price_minor, before.currency) != (after.price_minor, after.currency)


def concerns(before: Product, after: Product) -> bool:
    """Whether prices have to know: it costs something else, or it is listed now or no more."""
    return differs(before, after) or before.listed != after.listed


def debt(
    changed: Sequence[tuple[Product, Product]],
    source: Source,
    confirmed: Sequence[Product] = (),
    now: datetime | None = None,
) -> Debt:
    """What is owed for products that changed, given as they were and are.

    The price before is owed too: nothing else knows it of a product that was not priced otherwise.
    `confirmed` are products that were said to cost at `now` what they cost anyway. Which products
    are compared changes with the lists and the groups that they are in.
    """
    changes = changes_of(changed)
    sightings = [_changed(product, now or product.updated_at) for product in confirmed]
    return owed(changed, source, changes, sightings)


def changes_of(changed: Iterable[tuple[Product, Product]]) -> list[Changed]:
    """The prices before and after of products that cost something else, at their own moments."""
    return [_changed(p, p.updated_at) for each in changed if differs(*each) for p in each]


def owed(
    changed: Sequence[tuple[Product, Product]],
    source: Source,
    changes: Sequence[Changed],
    sightings: Sequence[Changed],
) -> Debt:
    """What is owed for `changes` and `sightings`, and for products that came into lists or left."""
    change_id = secrets.token_hex(10)
    fields = outbox.fields("product_price", change_id, 1)
    fields |= {
        "source": source,
        "changes": pack(changes),
        "sightings": pack(sightings),
        "relisted": [after.id for before, after in changed if _compared(before, after)],
    }
    return Debt(outbox.document("product_price", change_id), fields, {_MARK: change_id})


def priced_at(product: Product, at: datetime) -> Changed:
    """What the product costs, from a moment on that is not its own change's."""
    return _changed(product, at)


def pack(changes: Sequence[Changed]) -> str:
    """The changes as one text."""
    return msgspec.json.encode(changes).decode()


def unpack(text: str) -> list[Changed]:
    """The changes of a debt's text."""
    return _decoder.decode(text)


def _compared(before: Product, after: Product) -> bool:
    return (before.listed, before.group_id) != (after.listed, after.group_id)


def _changed(product: Product, at: datetime) -> Changed:
    micros = epoch_micros(at)
    return Changed(product.id, product.retailer, micros, product.price_minor, product.currency)


def written(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
    """Has the debt paid that a product's write made, if it made one."""
    global _last_request  # noqa: PLW0603 - saves a call for each of a hundred products
    change_id = (after or {}).get(_MARK)
    if change_id in (None, (before or {}).get(_MARK), _last_request):
        return
    request(change_id, change_id)
    _last_request = change_id


def request(change_id: str, name: str) -> None:
    """Enqueues the task that pays the debt; the same name is taken once an hour."""
    tasks.enqueue(QUEUE, FUNCTION, msgspec.json.encode({"change_id": change_id}), name=name)
