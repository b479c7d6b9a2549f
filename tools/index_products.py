"""Puts every product of a catalogue into the search: the posting lists, and OpenSearch's index.

python -m tools.index_products [--after PRODUCT] [--into INDEX]

Both are filled as products are written; this is for the products that were there before. It works
on the project that the settings name, as the functions do. Where `OPENSEARCH_URL` is set a new
index is made, filled, and given the alias in one step, while searches are served by the old one.
What is written meanwhile is read again after that. Each line says how far it is; a run that was
cut off goes on where its last line says.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore, opensearch
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.errors import Conflict, ShoppleError
from shared.products import catalogue, search_lists
from shared.products.allowances import Allowance
from shared.products.search_index import ALIAS, DEFINITION, document_of

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot, Query

    Page = list[DocumentSnapshot[Any]]

PAGE: Final = 300
# Lists of common words are shared: many at once would only wait for one another.
PARALLEL: Final = 4
ATTEMPTS: Final = 5
# Writers' clocks may differ by so much, and their tasks be so late.
MARGIN: Final = timedelta(minutes=15)
_MOMENT: Final = "%Y%m%d%H%M%S"


def fill(after: str | None, into: str | None, clock: Clock = utc_now) -> None:
    """Fills the lists and, where one is configured, an index; raises a ShoppleError."""
    index = _index(into, clock) if settings().opensearch_url else None
    command = f" --into {index}" if index else ""
    done = 0
    for page in _pages(_by_id(after)):
        _fill_lists(page)
        if index is not None:
            opensearch.put_all(index, map(document_of, page))
        done += len(page)
        last = page[-1].id
        print(f"{done} products; to go on from here: --after {last}{command}", flush=True)
    if index is not None:
        _hand_over(index)
    print(f"done: {done} products", flush=True)


def _index(into: str | None, clock: Clock) -> str:
    """The index to fill, made if it is not there; its name says when it was begun."""
    if into is None:
        made = f"{ALIAS}-{clock():{_MOMENT}}"
        opensearch.create(made, DEFINITION)
        return made
    _begun(into)
    if not opensearch.exists(into):
        raise Conflict(f"There is no index {into}: begin anew, without --into.")
    return into


def _by_id(after: str | None) -> "Query":
    query = firestore.client().collection(catalogue.COLLECTION).order_by("__name__")
    return query.start_after({"__name__": catalogue.reference(after)}) if after else query


def _pages(query: "Query") -> "Iterator[Page]":
    page: Page = []
    while True:
        onward = query.start_after(page[-1]) if page else query
        with firestore.errors_mapped():
            page = onward.limit(PAGE).get(**firestore.limits(firestore.LONG_TIMEOUT_SECONDS))
        if not page:
            return
        yield page


def _fill_lists(page: "Page") -> None:
    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in pool.map(_fill_list, [snapshot.id for snapshot in page]):
            pass


def _fill_list(product_id: str) -> None:
    for _ in range(ATTEMPTS - 1):
        try:
            return search_lists.publish(product_id, Allowance())
        except Conflict:
            # A task of the product's own is at the same lists.
            continue
    return search_lists.publish(product_id, Allowance())


def _hand_over(index: str) -> None:
    """Has searches and writes go to the index, and makes up for what was written until then."""
    opensearch.refresh(index)
    opensearch.point(ALIAS, index)
    print(f"{ALIAS} is {index} now", flush=True)
    changed = 0
    for page in _pages(_since(_begun(index) - MARGIN)):
        opensearch.put_all(index, map(document_of, page))
        changed += len(page)
    print(f"{changed} products were written meanwhile, and read again", flush=True)
    for each in opensearch.named(f"{ALIAS}-*"):
        # An older one was served before, or was never filled to its end.
        if each < index:
            opensearch.drop(each)
            print(f"removed {each}", flush=True)


def _begun(index: str) -> datetime:
    try:
        return datetime.strptime(index.removeprefix(f"{ALIAS}-"), _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        raise Conflict(f"{index} is no name of an index that this command made.") from None


def _since(moment: datetime) -> "Query":
    from google.cloud.firestore import FieldFilter

    products = firestore.client().collection(catalogue.COLLECTION)
    written = products.where(filter=FieldFilter("updated_at", ">=", moment))
    return written.order_by("updated_at")


def main() -> int:
    """Fills what the command line asks for; the exit code says whether all of it was."""
    parser = argparse.ArgumentParser(prog="python -m tools.index_products")
    parser.add_argument("--after", metavar="PRODUCT", help="go on behind this product")
    parser.add_argument("--into", metavar="INDEX", help="go on filling this index")
    arguments = parser.parse_args()
    try:
        fill(arguments.after, arguments.into)
    except ShoppleError as error:
        print(f"not done: {error.detail}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
