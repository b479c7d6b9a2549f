"""The label store: products whose category a reviewer has given, newest first.

Labels are packed into pages, which are numbered; only the newest page grows, and the oldest go.
All of them are read by 50 documents at most, however many decisions there were.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "labels"
MOST_PAGES: Final = 50
PAGE_LABELS: Final = 400
PAGE_BYTES: Final = 80_000
MOST_TEXT: Final = 400
# How old what `known` says may be.
FRESH_SECONDS: Final = 60.0

_kept: "tuple[float, list[Label]] | None" = None


class Label(msgspec.Struct, frozen=True):
    """A product's brand and name, the category that a person gave it, and when."""

    text: str
    category: str
    product_id: str | None
    at: datetime


class Page(msgspec.Struct, frozen=True):
    """Some of the labels, in the order in which they came."""

    number: int
    labels: tuple[Label, ...]

    @property
    def size_bytes(self) -> int:
        """About what the page takes in Firestore."""
        return sum(map(_size_bytes, self.labels))


def label_text(brand: str | None, name: str, size: str | None = None) -> str:
    """The text that stands for a product: brand, name and size, in one line."""
    return " ".join(f"{brand or ''} {name} {size or ''}".split())[:MOST_TEXT]


def read() -> list[Label]:
    """Every label, newest first, of the same text only the newest; raises a DependencyError."""
    from google.cloud.firestore import Query

    query = _pages().order_by("number", direction=Query.DESCENDING).limit(MOST_PAGES)
    with firestore.errors_mapped():
        pages = [_page(s.to_dict() or {}) for s in query.stream(**firestore.limits())]
    return newest(pages)


def known() -> list[Label]:
    """The labels as they were at most a minute ago; raises a DependencyError."""
    global _kept  # noqa: PLW0603 - one copy for the process
    if _kept is None or time.monotonic() - _kept[0] > FRESH_SECONDS:
        began = time.monotonic()
        _kept = (began, read())
    return _kept[1]


def newest(pages: Iterable[Page]) -> list[Label]:
    """The labels of the pages, newest first, of the same text only the newest."""
    found: dict[str, Label] = {}
    for page in pages:
        for label in reversed(page.labels):
            found.setdefault(label.text.casefold(), label)
    return list(found.values())


def last_page(transaction: "Transaction") -> Page:
    """The page that the next labels go to, for the caller's transaction."""
    from google.cloud.firestore import Query

    query = _pages().order_by("number", direction=Query.DESCENDING).limit(1)
    found = list(query.stream(transaction=transaction, **firestore.limits()))
    return _page(found[0].to_dict() or {}) if found else Page(0, ())


def write(transaction: "Transaction", last: Page, labels: Sequence[Label]) -> None:
    """Adds the labels in the caller's transaction; what they push out goes."""
    for page in packed(last, labels):
        transaction.set(_reference(page.number), _fields(page))
        if page.number >= MOST_PAGES and page.number != last.number:
            transaction.delete(_reference(page.number - MOST_PAGES))


def move(category_id: str, target: str) -> None:
    """Has the labels of a category that goes follow its products; repeating it is harmless.

    One read a page, and a write for each that holds such a label. Raises Conflict where one
    changed meanwhile, or a DependencyError.
    """
    with firestore.errors_mapped():
        # Documents of one collection, and no more of them than there may be.
        found = list(_pages().limit(2 * MOST_PAGES).stream(**firestore.limits()))
    for snapshot in found:
        before = _page(snapshot.to_dict() or {})
        after = moved(before, category_id, target)
        if after != before:
            firestore.store(snapshot, _fields(after))


def moved(page: Page, category_id: str, target: str) -> Page:
    """The page with `target` for the category, without the oldest labels if it grew too large."""
    found = [
        msgspec.structs.replace(label, category=target) if label.category == category_id else label
        for label in page.labels
    ]
    size_bytes = sum(map(_size_bytes, found))
    while size_bytes > PAGE_BYTES:
        size_bytes -= _size_bytes(found.pop(0))
    return Page(page.number, tuple(found))


def taken_off(transaction: "Transaction", text: str, at: Collection[datetime]) -> list[Page]:
    """The pages that change when the labels of these moments go, for the caller's transaction.

    One read where all are on the newest page, else one for each page.
    """
    last = last_page(transaction)
    after = without(last, text, at)
    if len(last.labels) - len(after.labels) == len(at):
        return [after] if at else []
    every = _pages().limit(2 * MOST_PAGES).stream(transaction=transaction, **firestore.limits())
    pages = [_page(snapshot.to_dict() or {}) for snapshot in every]
    return [after for page in pages if (after := without(page, text, at)) != page]


def rewrite(transaction: "Transaction", pages: Iterable[Page]) -> None:
    """Puts the pages in the place of those with their numbers, in the caller's transaction."""
    for page in pages:
        transaction.set(_reference(page.number), _fields(page))


def without(page: Page, text: str, at: Collection[datetime]) -> Page:
    """The page without the labels of that text that were given at these moments."""
    kept = [label for label in page.labels if label.text != text or label.at not in at]
    return Page(page.number, tuple(kept))


def packed(last: Page, labels: Sequence[Label]) -> list[Page]:
    """The pages that change when the labels are added after `last`."""
    if not labels:
        return []
    filled = [list(last.labels)]
    size_bytes = last.size_bytes
    for label in labels:
        size_bytes += _size_bytes(label)
        if len(filled[-1]) >= PAGE_LABELS or size_bytes > PAGE_BYTES:
            filled.append([])
            size_bytes = _size_bytes(label)
        filled[-1].append(label)
    pages = [Page(last.number + at, tuple(each)) for at, each in enumerate(filled)]
    return [page for page in pages if page != last]


def _size_bytes(label: Label) -> int:
    # Each value and each field's name takes its bytes and one; a moment takes eight.
    texts = (label.text, label.category, label.product_id or "")
    return sum(len(text.encode()) + 1 for text in texts) + 60


def _pages() -> Any:
    return firestore.client().collection(COLLECTION)


def _reference(number: int) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(f"{number:08d}")


def _fields(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "labels": [msgspec.structs.asdict(label) for label in page.labels],
    }


def _page(fields: dict[str, Any]) -> Page:
    return Page(fields["number"], tuple(Label(**label) for label in fields["labels"]))
