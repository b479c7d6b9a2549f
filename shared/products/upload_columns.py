"""Which column of an upload fills which field, whatever the spelling of its name."""

import re
from functools import lru_cache
from typing import Final

from shared.products.upload_text import cell_text

_COLUMNS: Final = {
    "name": "name productname product title producttitle itemname",
    "price": "price finalprice currentprice sellingprice unitprice",
    "currency": "currency currencycode",
    "brand": "brand brandname",
    "size": "size packsize netweight",
    "category": "category categoryname",
    "retailer": "retailer retailername store shop",
    "retailer_sku": "retailersku sku productcode itemcode",
    "url": "url link producturl productlink",
    "image": "image imageurl imagelink picture",
    "description": "description productdescription",
}
_FIELDS: Final = {name: field for field, names in _COLUMNS.items() for name in names.split()}
_SIGNS: Final = re.compile(r"[\W_]+")


@lru_cache(maxsize=1024)
def field_of(column: str) -> str | None:
    """The field that a column of this name fills, or None; case, blanks and signs do not count."""
    return _FIELDS.get(_SIGNS.sub("", cell_text(column)).casefold())
