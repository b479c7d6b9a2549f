"""What finds products that may answer a query: posting lists, and OpenSearch where there is one."""

from typing import Protocol

from shared.clients import opensearch
from shared.config import settings
from shared.products import search_finding, search_index
from shared.products.search_entries import Entry, unpacked
from shared.products.search_finding import Lists, Wanted, fits
from shared.products.search_lists import StoredLists
from shared.products.search_schemas import Engine

Filters = dict[str, str]


class SearchEngine(Protocol):
    """One way to find products; how good each answer is, the ranking decides for all of them."""

    @property
    def name(self) -> Engine:
        """What an answer says that found it."""
        ...

    def candidates(self, wanted: Wanted, filters: Filters) -> dict[str, Entry]:
        """What may answer the query, by product; raises a DependencyError or NotFound."""
        ...


class PostingLists:
    """Lists in Firestore: always there, and fed with every product."""

    name: Engine = "lists"

    def __init__(self, lists: Lists | None = None) -> None:
        self._lists = lists or StoredLists()

    def candidates(self, wanted: Wanted, filters: Filters) -> dict[str, Entry]:
        """Reads at most 39 lists."""
        found = search_finding.candidates(wanted, self._lists)
        entries = {product_id: unpacked(text) for product_id, text in found.items()}
        return {p: entry for p, entry in entries.items() if fits(entry, filters)}


class OpenSearchIndex:
    """An index of OpenSearch, which may be away or not filled yet."""

    name: Engine = "opensearch"

    def candidates(self, wanted: Wanted, filters: Filters) -> dict[str, Entry]:
        """Asks once, and reads nothing of Firestore."""
        hits = opensearch.search(search_index.ALIAS, search_index.question(wanted, filters))
        return {
            hit.id: Entry(**{name: hit.fields[name] for name in Entry.__struct_fields__})
            for hit in hits
        }


def chosen() -> tuple[SearchEngine, ...]:
    """The engines of this deployment, the preferred one first; the last is always there."""
    if settings().opensearch_url is None:
        return (PostingLists(),)
    return OpenSearchIndex(), PostingLists()
