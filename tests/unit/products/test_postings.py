"""What posting lists hold of an offer, and how large they get."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.products import postings
from shared.products.matching import POSTING_CAP, Offer
from shared.products.matching.offer import DESCRIPTION_LETTERS
from shared.products.models import Product

OFFER = Offer("a" * 20, "keells", "Sony Turntable PSLX350H", "Sony", "", "audio", 9900, "LKR")
WORDS = "belt drive system die cast aluminium platter "
# As the documentation of Firestore counts them.
MOST_BYTES = 100_000
AROUND_BYTES = 200


def stored_bytes(offer: Offer) -> int:
    (text,) = postings.added(offer)["entries"].values()
    return len(offer.id) + 1 + len(text.encode()) + 1


def test_an_offer_is_listed_with_what_describes_it() -> None:
    offer = replace(OFFER, description=WORDS * 3)
    fields = {"entries": postings.added(offer)["entries"]}
    assert postings._offers(fields) == {offer.id: offer} == {offer.id: postings.copy_of(offer)}


def test_entries_of_former_times_are_read() -> None:
    former = ["keells", "Sony Turntable PSLX350H", "Sony", "", "audio", 9900, "LKR"]
    fields = {"entries": {OFFER.id: msgspec.json.encode(former).decode()}}
    assert postings._offers(fields) == {OFFER.id: OFFER}


def test_a_long_description_gives_way_at_a_word_and_nothing_else_does() -> None:
    copy = postings.copy_of(replace(OFFER, description=WORDS * 100))
    assert replace(copy, description="") == OFFER
    assert set(copy.description.split()) == set(WORDS.split())
    assert stored_bytes(copy) > postings.ENTRY_BYTES - 20


# The widest of what a request may hold: letters of up to four bytes, and such as are escaped.
_LETTERS = st.sampled_from(['a"', "a ", "ශ්‍රී", "😀", "\x00"])


@given(_LETTERS, _LETTERS, st.integers(0, DESCRIPTION_LETTERS))
def test_a_full_list_stays_below_100_kb_whatever_is_written(
    letters: str, others: str, described: int
) -> None:
    def of(length: int, letters: str) -> str:
        return (letters * length)[:length]

    offer = Offer(
        OFFER.id,
        of(60, "keells"),
        of(300, letters),
        of(100, others),
        of(60, letters),
        of(100, others),
        10**15,
        "LKR",
        description=of(described, others),
    )
    assert POSTING_CAP * stored_bytes(offer) + AROUND_BYTES < MOST_BYTES
    assert postings.copy_of(postings.copy_of(offer)) == postings.copy_of(offer)


@pytest.mark.parametrize(("told", "known"), [(None, ""), ("x" * 2000, "x" * DESCRIPTION_LETTERS)])
def test_a_product_is_matched_by_its_description_too(told: str | None, known: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    names = {name: getattr(OFFER, name) for name in ("id", "retailer", "name", "brand", "size")}
    product = Product(
        **names,
        category=OFFER.category,
        retailer_sku=None,
        url=None,
        image=None,
        description=told,
        price_minor=OFFER.price_minor,
        currency=OFFER.currency,
        status="active",
        version=1,
        created_at=now,
        updated_at=now,
    )
    assert postings.offer_of(product) == replace(OFFER, description=known)
