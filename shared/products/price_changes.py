"""Changes of a product's own price, which are owed to its history.

Prices know products and not the other way round: the debt lies in the outbox, and who pays it is
asked by name. The products of one commit share a debt, whose id stands in each of them, so that
all their events lead to one task.
"""

import secrets
from collections.abc import Mapping, Sequence
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

Source = Literal["manual", "api"]

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


_decoder = msgspec.json.Decoder(list[Changed])


def differs(before: Product, after: Product) -> bool:
    """Whether the product costs something else."""
    return (before.price_minor, before.currency) != (after.price_minor, after.currency)


def debt(products: Sequence[Product], source: Source) -> Debt:
    """What is owed for products that cost something else since their last change."""
    change_id = secrets.token_hex(10)
    changes = [
        Changed(p.id, p.retailer, epoch_micros(p.updated_at), p.price_minor, p.currency)
        for p in products
    ]
    fields = outbox.fields("product_price", change_id, 1)
    fields |= {"source": source, "changes": msgspec.json.encode(changes).decode()}
    return Debt(outbox.document("product_price", change_id), fields, {_MARK: change_id})


def changes_in(fields: Mapping[str, Any]) -> list[Changed]:
    """The changes that a debt names."""
    return _decoder.decode(fields["changes"])


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
