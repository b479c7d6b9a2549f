"""Preview: for each row of an upload, whether the catalogue or the file has it already.

At most five reads a row, all told: its identity, the product that the identity names, and as many
posting lists of its keys as are left. Rows that share keys, as rows of one brand do, share reads,
and what a list holds of their retailer is kept in Redis for a while. The settings are one more
where the instance's copy of them is old.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Final

from shared.clients import firestore
from shared.products import (
    catalogue,
    identities,
    match_models,
    pairs,
    posting_cache,
    upload_store,
)
from shared.products.matching import Match, Matcher, Offer, shortlist
from shared.products.models import KNOWN
from shared.products.posting_cache import Wanted
from shared.products.upload_models import Chunk, Said, StoredRow, Upload, offer_of
from shared.products.upload_rows import UploadRow
from shared.products.upload_variants import different, is_another

MAX_COMPARED = 10
READS_A_ROW: Final = 5


def preview(upload: Upload, chunks: list[Chunk], matcher: Matcher | None = None) -> Upload:
    """The upload with every chunk previewed; goes on where an earlier run stopped.

    Raises Conflict if another run is at it too.
    """
    # Saving reads the upload, and the matcher which model is current; what is followed is read to
    # begin with, as are its chunks.
    overhead = 4 if upload.large else 2
    rows = [stored for chunk in chunks for stored in chunk.rows]
    seen = _Seen(matcher or match_models.current(), pairs.lowest(), rows)
    for number, chunk in enumerate(chunks):
        if number < upload.previewed_chunks:
            for stored in chunk.rows:
                seen.remember(stored)
            continue
        _preview_chunk(chunk, seen, READS_A_ROW * len(chunk.rows) - overhead)
        upload.new += sum(stored.verdict == "new" for stored in chunk.rows)
        upload.duplicates += sum(stored.verdict == "duplicate" for stored in chunk.rows)
        upload.previewed_chunks = number + 1
        if upload.previewed_chunks == upload.chunks:
            upload.status = "previewed"
        saved = upload_store.save_previewed(upload, number, chunk)
        if saved is not upload:
            return saved
    return upload


def _preview_chunk(chunk: Chunk, seen: "_Seen", reads: int) -> None:
    known, spent = _known_offers(chunk.rows)
    unknown = [s for s in chunk.rows if identities.of_row(s.row) not in known]
    lists = _lists(unknown, seen.matcher, reads - spent)
    for stored in chunk.rows:
        product_id = known.get(identities.of_row(stored.row))
        if product_id is not None:
            _mark(stored, product_id, pairs.CERTAIN, [_identical("uploaded before as this")])
        elif not seen.judge(stored):
            _judge_by_catalogue(stored, lists, seen)
        seen.remember(stored)


_Lists = Mapping[Wanted, list[Offer]]


def _lists(rows: list[StoredRow], matcher: Matcher, most: int) -> _Lists:
    """Lists of at most so many keys: the first of each row, then the second of each, and so on."""
    each = [[_wanted(stored.row, key) for key in _keys(stored, matcher)] for stored in rows]
    by_rank = [wanted for wanted in chain.from_iterable(zip_longest(*each)) if wanted is not None]
    paid = set(list(dict.fromkeys(wanted.key for wanted in by_rank))[: max(0, most)])
    return posting_cache.read(wanted for wanted in by_rank if wanted.key in paid)


def _keys(stored: StoredRow, matcher: Matcher) -> tuple[str, ...]:
    return matcher.keys(offer_of(stored.row, ""))


def _wanted(row: UploadRow, key: str) -> Wanted:
    return Wanted(row.retailer, row.category, key)


def _judge_by_catalogue(stored: StoredRow, lists: _Lists, seen: "_Seen") -> None:
    offer = offer_of(stored.row, "")
    candidates = {
        other.id: other
        for key in seen.matcher.keys(offer)
        for other in lists.get(_wanted(stored.row, key), ())
        if not is_another(stored.row, other)
    }
    best = seen.best(offer, candidates.values())
    if best is None:
        stored.verdict, stored.product_id = "new", secrets.token_hex(10)
    else:
        other, match = best
        _mark(stored, other.id, match.confidence, _evidence(match))


def _evidence(match: Match) -> list[Said]:
    return [Said(e.field, e.verdict, e.detail, e.weight) for e in match.evidence]


def _identical(detail: str) -> Said:
    """What makes a duplicate certain by itself."""
    return Said("identity", "agrees", detail, pairs.CERTAIN - pairs.NEUTRAL)


def _mark(stored: StoredRow, product_id: str, confidence: int, evidence: list[Said]) -> None:
    stored.verdict, stored.product_id = "duplicate", product_id
    stored.confidence, stored.evidence = confidence, evidence


def _known_offers(rows: list[StoredRow]) -> tuple[dict[str, str], int]:
    """Identity to product id, where the product is active or pending; and the reads."""
    keys = dict.fromkeys(identities.of_row(stored.row) for stored in rows)
    found = identities.owners(keys)
    named = [catalogue.reference(product_id) for product_id in set(found.values())]
    products = firestore.existing(named, fields=["status"])
    there = {s.id for s in products if s.get("status") in KNOWN}
    known = {key: product_id for key, product_id in found.items() if product_id in there}
    return known, len(keys) + len(named)


class _Seen:
    """The rows of the file, so that one can be a duplicate of an earlier one."""

    def __init__(self, matcher: Matcher, lowest: int, rows: Sequence[StoredRow]) -> None:
        self.matcher = matcher
        self._lowest = lowest
        self._rows = rows
        self._place = {stored.row.row: at for at, stored in enumerate(rows)}
        self._offers = [offer_of(stored.row, str(stored.row.row)) for stored in rows]
        self._shelf = matcher.shelf(self._offers)
        self._by_identity: dict[str, StoredRow] = {}

    def best(self, offer: Offer, candidates: Iterable[Offer]) -> tuple[Offer, Match] | None:
        """The surest of those that count as the same product."""
        likely = shortlist(offer, candidates, MAX_COMPARED)
        judged = self.matcher.compare_each([(offer, other) for other in likely], self._lowest)
        both = zip(likely, judged, strict=True)
        same = [(other, match) for other, match in both if match.same(self._lowest)]
        return max(same, key=lambda pair: (pair[1].confidence, pair[0].id), default=None)

    def judge(self, stored: StoredRow) -> bool:
        """Marks the row if the file has it already; says whether it did."""
        first = self._by_identity.get(identities.of_row(stored.row))
        if first is not None:
            evidence = [_identical(f"same offer as row {first.row.row}")]
            self._mark(stored, first, pairs.CERTAIN, evidence)
            return True
        place = self._place[stored.row.row]
        earlier, sure = (each.tolist() for each in self._shelf.surest(place))
        surest = (
            (at, confidence)
            for at, confidence in zip(earlier, sure, strict=True)
            if not different(self._rows[at].row, stored.row)
        )
        other, confidence = next(surest, (None, 0))
        # What is rounded up counts; evidence is written for the surest alone.
        if other is None or round(confidence) < self._lowest:
            return False
        match = self.matcher.compare(self._offers[other], self._offers[place])
        if not match.same(self._lowest):
            return False
        self._mark(stored, self._rows[other], match.confidence, _evidence(match))
        return True

    def remember(self, stored: StoredRow) -> None:
        """Later rows may be this very offer."""
        self._by_identity.setdefault(identities.of_row(stored.row), stored)

    @staticmethod
    def _mark(stored: StoredRow, first: StoredRow, confidence: int, evidence: list[Said]) -> None:
        _mark(stored, first.product_id, confidence, evidence)
        stored.duplicate_of_row = first.row.row
