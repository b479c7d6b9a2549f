"""The search's lists in Firestore: `search_lists`, `search_vocabularies`, `search_states`.

A state says which lists hold a product, and as what, so that a write that changes neither (a
price) costs two reads and no write, and a removal finds every list without a query.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.products import catalogue
from shared.products.allowances import Allowance
from shared.products.models import from_document
from shared.products.search_entries import entry_of, packed, vocabularies
from shared.products.search_finding import WordList
from shared.products.search_placing import Head, Places, place

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "search_lists"
VOCABULARIES: Final = "search_vocabularies"
STATES: Final = "search_states"
# About 16 bytes a word, up to four times that in other scripts.
MAX_VOCABULARY: Final = 1500
# Beside the text of an entry Firestore counts the name of its field.
_ENTRY_OVERHEAD_BYTES: Final = 22


class StoredLists:
    """Lists as Firestore holds them; each read of one is billed."""

    def lists(self, keys: Iterable[str]) -> Mapping[str, WordList]:
        """The lists that exist; raises a DependencyError."""
        return {
            key: WordList(bool(fields.get("full")), fields.get("entries", {}))
            for key, fields in _get(COLLECTION, keys).items()
            if fields is not None
        }

    def vocabulary(self, keys: Iterable[str]) -> set[str]:
        """All words of these vocabularies; raises a DependencyError."""
        found = _get(VOCABULARIES, keys).values()
        return {word for fields in found if fields for word in fields["words"]}


def publish(product_id: str, allowance: Allowance) -> None:
    """Makes the lists hold the product as it is now; raises a DependencyError or Conflict."""
    looked = _Looked(allowance)

    def write(transaction: "Transaction") -> None:
        allowance.take(2)
        text, words = _present(transaction, product_id)
        state = _state(transaction, product_id)
        old_text, old_lists = state.get("entry", ""), tuple(state.get("lists", ()))
        if text == old_text:
            return
        places = place(words, frozenset(old_lists), looked.heads) if text else Places()
        for key in places.lists:
            grown = cost_bytes(text) - (cost_bytes(old_text) if key in old_lists else 0)
            transaction.set(
                _reference(COLLECTION, key), _joined(product_id, text, grown), merge=True
            )
        for key in sorted(set(old_lists) - set(places.lists)):
            transaction.set(_reference(COLLECTION, key), _left(product_id, old_text), merge=True)
        for key in places.filled:
            transaction.set(_reference(COLLECTION, key), {"full": True}, merge=True)
        _learn(transaction, looked, places.new_words)
        if text:
            fields = {"entry": text, "lists": list(places.lists)}
            transaction.set(_reference(STATES, product_id), fields)
        else:
            transaction.delete(_reference(STATES, product_id))

    firestore.in_transaction(write)


def _present(transaction: "Transaction", product_id: str) -> tuple[str, tuple[str, ...]]:
    """The product's packed entry and its words; nothing of one unlisted or without words."""
    snapshot = next(_in(transaction, catalogue.reference(product_id)))
    fields = snapshot.to_dict()
    if not fields or not fields["listed"]:
        return "", ()
    entry = entry_of(from_document(product_id, fields))
    words = tuple(entry.words.split())
    return (packed(entry), words) if words else ("", ())


def _state(transaction: "Transaction", product_id: str) -> dict[str, Any]:
    return next(_in(transaction, _reference(STATES, product_id))).to_dict() or {}


def _in(transaction: "Transaction", reference: "DocumentReference") -> Any:
    return firestore.client().get_all([reference], transaction=transaction, **firestore.limits())


class _Looked:
    """What is read outside the transaction, and so once however often that is run again.

    To lock common words would make writers wait in line.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._known: dict[tuple[str, str], dict[str, Any] | None] = {}

    def heads(self, keys: Iterable[str]) -> dict[str, Head | None]:
        """What is known of the lists without their entries."""
        found = self._read(COLLECTION, keys, ["full", "used_bytes"])
        return {
            key: None if fields is None else Head(bool(fields.get("full")), fields["used_bytes"])
            for key, fields in found.items()
        }

    def vocabularies(self, keys: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """The vocabularies, by id."""
        return self._read(VOCABULARIES, keys)

    def _read(
        self, collection: str, keys: Iterable[str], only: list[str] | None = None
    ) -> dict[str, dict[str, Any] | None]:
        wanted = list(dict.fromkeys(keys))
        missing = [key for key in wanted if (collection, key) not in self._known]
        self._allowance.take(len(missing))
        found = _get(collection, missing, only)
        self._known |= {(collection, key): fields for key, fields in found.items()}
        return {key: self._known[collection, key] for key in wanted}


def _learn(transaction: "Transaction", looked: _Looked, words: tuple[str, ...]) -> None:
    from google.cloud.firestore import ArrayUnion

    keys = {key: word for word in words for key in vocabularies(word)}
    known = looked.vocabularies(keys)
    for word in words:
        for key in vocabularies(word):
            if len((known[key] or {}).get("words", ())) < MAX_VOCABULARY:
                transaction.set(
                    _reference(VOCABULARIES, key), {"words": ArrayUnion([word])}, merge=True
                )


def _joined(product_id: str, text: str, grown_bytes: int) -> dict[str, Any]:
    from google.cloud.firestore import Increment

    return {"entries": {product_id: text}, "used_bytes": Increment(grown_bytes)}


def _left(product_id: str, text: str) -> dict[str, Any]:
    from google.cloud.firestore import DELETE_FIELD, Increment

    return {"entries": {product_id: DELETE_FIELD}, "used_bytes": Increment(-cost_bytes(text))}


def cost_bytes(text: str) -> int:
    """What a packed entry takes of its list."""
    return len(text.encode()) + _ENTRY_OVERHEAD_BYTES


def _reference(collection: str, key: str) -> "DocumentReference":
    return firestore.client().collection(collection).document(key)


def _get(
    collection: str, keys: Iterable[str], only: list[str] | None = None
) -> dict[str, dict[str, Any] | None]:
    references = [_reference(collection, key) for key in dict.fromkeys(keys)]
    if not references:
        return {}
    with firestore.errors_mapped():
        found = firestore.client().get_all(references, field_paths=only, **firestore.limits())
        return {snapshot.id: snapshot.to_dict() for snapshot in found}
