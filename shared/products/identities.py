"""Under which id a retailer's own wording of an offer is stored.

One small document for each offer, named by a hash of the retailer and its stock number, or its
name and size; of several that one file has under a name, with each one's own address. It is written
with the product, so that the same row uploaded again is known before any background work has run,
and it outlives later edits of the product's name. Another one is named by the retailer and the
address of the product's page.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.clients import firestore
from shared.products.matching.text import normalise

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

    from shared.products.upload_rows import UploadRow

COLLECTION: Final = "product_identities"
# What tells where a visitor came from, and nothing of the page.
_TRACKING: Final = re.compile(r"(?:^|(?<=&))(?:utm_\w+|gclid|fbclid|msclkid)=[^&]*&?")


def identity(retailer: str, retailer_sku: str | None, name: str, size: str) -> str:
    """The hash that names an offer in its retailer's own terms."""
    own = f"sku:{retailer_sku}" if retailer_sku else f"name:{normalise(name)}|{normalise(size)}"
    return _hash(retailer, own)


def of_row(row: "UploadRow") -> str:
    """The hash that names a row's offer in its retailer's own terms."""
    name = f"{row.name}|{_page(row.own_address)}" if row.own_address else row.name
    return identity(row.retailer, row.retailer_sku, name, row.size)


def by_address(retailer: str, url: str) -> str:
    """The hash that names an offer by its page, however the page's address is spelt."""
    return _hash(retailer, f"url:{_page(url)}")


def reference(key: str) -> "DocumentReference":
    """Where the identity `key` is stored."""
    return firestore.client().collection(COLLECTION).document(key)


def owners(keys: Iterable[str], transaction: "Transaction | None" = None) -> dict[str, str]:
    """Whose product the identities are, of those that are known: one read each."""
    found = firestore.existing(map(reference, sorted(set(keys))), transaction)
    return {each.id: str(each.get("product_id")) for each in found}


def _hash(retailer: str, own: str) -> str:
    return hashlib.sha256(f"{retailer}\n{own}".encode()).hexdigest()[:40]


def _page(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url
    query = _TRACKING.sub("", parts.query).rstrip("&")
    ported = f":{port}" if port not in (None, 80, 443) else ""
    return f"{host}{ported}{parts.path.rstrip('/')}{'?' if query else ''}{query}"
