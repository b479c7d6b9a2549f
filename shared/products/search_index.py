"""The search's index in OpenSearch: one place for its mapping, its alias and what is asked of it.

A document holds the words that the posting lists would hold, so that both find the same. Its
version is the time of the product's commit: an older state, however late it comes, is refused.
What is deleted stays as an empty document, since a removed one would forget its version.
"""

import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, opensearch
from shared.clients.opensearch import Versioned
from shared.clock import epoch_micros
from shared.config import settings
from shared.errors import NotFound
from shared.products import catalogue
from shared.products.allowances import Allowance
from shared.products.models import Product, from_document
from shared.products.search_entries import SHORTEST_CORRECTED, entry_of
from shared.products.search_finding import Wanted

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot

log = logging.getLogger(__name__)

ALIAS: Final = "shopple-products"
_KEYWORDS: Final = ("retailer", "category", "status", "size")
# Whoever writes a field that is not here is refused, and says so.
DEFINITION: Final[dict[str, Any]] = {
    "settings": {"number_of_shards": 1},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "listed": {"type": "boolean"},
            # They are split, folded and without units already.
            "words": {"type": "text", "analyzer": "whitespace"},
            **{name: {"type": "keyword"} for name in _KEYWORDS},
        },
    },
}
# The best by OpenSearch's own count, of which our ranking takes the best.
MOST_CANDIDATES: Final = 60
_EXACT_BOOST: Final = 2.0
_BEGUN_BOOST: Final = 1.5


def publish(product_id: str, allowance: Allowance) -> None:
    """Makes the index, where there is one, hold the product as it is now.

    Raises a DependencyError, or Conflict where no more may be read.
    """
    if settings().opensearch_url is None:
        return
    allowance.take(1)
    with firestore.errors_mapped():
        snapshot = catalogue.reference(product_id).get(**firestore.limits())
    try:
        opensearch.put(ALIAS, document_of(snapshot))
    except NotFound:
        # Whatever makes the index will read the product as it is then.
        log.warning("There is no search index yet", extra={"context": {"alias": ALIAS}})


def document_of(snapshot: "DocumentSnapshot[Any]") -> Versioned:
    """A product as it is searched for; nothing but its version where it is deleted or gone."""
    fields = snapshot.to_dict()
    version = epoch_micros(snapshot.update_time if snapshot.exists else snapshot.read_time)
    product = from_document(snapshot.id, fields) if fields else None
    return Versioned(snapshot.id, version, searched(product))


def searched(product: Product | None) -> dict[str, Any]:
    """The fields of a product's document; of one that is not there, just that."""
    if product is None or not product.listed:
        return {"listed": False}
    return {"listed": True, **msgspec.structs.asdict(entry_of(product))}


def question(wanted: Wanted, filters: dict[str, str]) -> dict[str, Any]:
    """What OpenSearch is asked: words a slip or two away, written right, or only begun."""
    text = " ".join(wanted.words)
    begun = [word for word in wanted.words if len(word) >= SHORTEST_CORRECTED]
    ways: list[dict[str, Any]] = [
        {"match": {"words": {"query": text, "fuzziness": "AUTO"}}},
        {"match": {"words": {"query": text, "boost": _EXACT_BOOST}}},
        *({"prefix": {"words": {"value": word, "boost": _BEGUN_BOOST}}} for word in begun),
    ]
    sized = [{"term": {"size": wanted.size}}] if wanted.size else []
    return {
        "size": MOST_CANDIDATES,
        "query": {
            "bool": {
                "filter": [
                    {"term": {"listed": True}},
                    *({"term": {name: value}} for name, value in filters.items()),
                ],
                "must": [{"bool": {"should": ways, "minimum_should_match": 1}}],
                "should": sized,
            }
        },
    }
