"""Rows of one file whose name does not tell them apart, though their prices and addresses do.

A shop may list one name in several sizes that no name states: butter at 730 and at 1,450, each on
a page or with a picture of its own. They are several offers, and the address is what names each of
them, in the next file as well.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

import msgspec

from shared.products.matching import Offer
from shared.products.matching.text import normalise
from shared.products.upload_rows import UploadRow

_ADDRESSES: Final = ("url", "image")


def told_apart(rows: Sequence[UploadRow]) -> tuple[UploadRow, ...]:
    """The rows, in order; those of one name that differ have `own_address` set."""
    named: dict[Hashable, list[UploadRow]] = defaultdict(list)
    for row in rows:
        named[_wording(row)].append(row)
    names_at = _names_at(named)
    told = dict[int, UploadRow]()
    for group in named.values():
        if len({row.price_minor for row in group}) > 1:
            told |= {row.row: row for row in _with_addresses(group, names_at)}
    return tuple(told.get(row.row, row) for row in rows)


def different(a: UploadRow, b: UploadRow) -> bool:
    """Whether their file tells the two apart, whatever their names say."""
    return a.own_address != b.own_address and _wording(a) == _wording(b)


def is_another(row: UploadRow, other: Offer) -> bool:
    """Whether a row that its name does not tell apart is another offer than one of that name.

    Without the address only the price can say so.
    """
    if row.own_address is None or row.retailer != other.retailer:
        return False
    return row.price_minor != other.price_minor and normalise(row.name) == normalise(other.name)


def _wording(row: UploadRow) -> Hashable:
    number = row.retailer_sku or ""
    return row.retailer, number, normalise(row.name), normalise(row.size), row.currency


def _names_at(named: dict[Hashable, list[UploadRow]]) -> dict[str, int]:
    """How many names each address has: a picture that many share is of none of them."""
    names: dict[str, set[Hashable]] = defaultdict(set)
    for wording, group in named.items():
        for row in group:
            for field in _ADDRESSES:
                names[getattr(row, field) or ""].add(wording)
    return {address: len(known) for address, known in names.items()}


def _with_addresses(group: list[UploadRow], names_at: dict[str, int]) -> list[UploadRow]:
    """Those that an address of their own tells from another of the group, by it."""
    for field in _ADDRESSES:
        own = [
            msgspec.structs.replace(row, own_address=address)
            for row in group
            if (address := getattr(row, field)) and names_at[address] == 1 and not row.retailer_sku
        ]
        addresses = {row.own_address for row in own}
        if len(addresses) + (len(own) < len(group)) > 1:
            return own
    return []
