from functools import cache

import numpy as np
import pytest
from msgspec.structs import replace

from shared.products.matching import POSTING_CAP, Offer, candidates
from shared.products.matching.bulk import twins
from shared.products.matching.candidates import Index, Pairs, best, likeliness
from shared.products.matching.columns import Prepared, prepare
from shared.products.matching.keys import MAX_KEYS, blocking_keys
from shared.products.matching.reading import name_terms
from shared.products.matching.vocabulary import Vocabulary, counted
from tests.benchmarks.generated import Catalogue, catalogue

SIZE = 6000
PEANUTS = Offer("a", "keells", "Tong Garden Coated Peanuts 45g", "", "", "Snacks", 36500, "LKR")


@cache
def _made() -> tuple[Catalogue, Vocabulary, Index]:
    made = catalogue(SIZE)
    vocabulary = counted(map(name_terms, made.offers))
    return made, vocabulary, Index(prepare(made.offers, vocabulary))


def _prepared(*offers: Offer) -> Prepared:
    return prepare(offers, counted(map(name_terms, offers)))


def _pairs(*rows: tuple[int, int, float]) -> Pairs:
    left, right, likely = zip(*rows, strict=True)
    return Pairs(np.array(left), np.array(right), np.array(likely, np.float32))


def _set(pairs: Pairs) -> set[tuple[int, int]]:
    both = zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    return {(min(pair), max(pair)) for pair in both}


def _matches(made: Catalogue) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in made.matches()}


def test_a_generated_catalogue_is_the_same_for_a_seed() -> None:
    assert catalogue(300).offers == catalogue(300).offers
    assert catalogue(300).offers != catalogue(300, seed=5).offers


def test_every_retailer_lists_products_with_siblings() -> None:
    made = catalogue(900, retailers=3)
    assert set(made.retailers.tolist()) == {0, 1, 2}
    families = np.bincount(made.products[made.products >= 0] // 9)
    assert np.median(families) >= 5


def test_blocks_hold_nearly_every_match_among_the_few_likeliest() -> None:
    made, _, index = _made()
    found = _set(index.all_pairs())
    matches = _matches(made)
    assert len(found & matches) / len(matches) >= 0.95
    assert len(found) <= 4 * SIZE


def test_small_blocks_leave_over_what_large_ones_do(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, index = _made()
    whole = _set(index.all_pairs())
    monkeypatch.setattr(candidates, "_BLOCK_PAIRS", 5_000)
    monkeypatch.setattr(candidates, "_WAITING_PAIRS", 3_000)
    assert sum(1 for _ in index.blocks()) > 3
    assert _set(index.all_pairs()) == whole


def test_blocks_share_no_offer_on_their_left() -> None:
    _, _, index = _made()
    parts = [index.pairs(block) for block in index.blocks()]
    owners = [set(part.left.tolist()) for part in parts]
    assert sum(map(len, owners)) == len(set().union(*owners))


def test_candidates_are_of_other_retailers() -> None:
    made, _, index = _made()
    for block in index.blocks():
        pairs = index.pairs(block)
        assert not np.any(made.retailers[pairs.left] == made.retailers[pairs.right])


def test_capped_lists_lead_from_one_match_to_the_other() -> None:
    made, vocabulary, _ = _made()
    for counts in (vocabulary.counts, None):
        lists: dict[str, list[int]] = {}
        keys = [blocking_keys(offer, counts) for offer in made.offers]
        for place, each in enumerate(keys):
            assert len(each) <= MAX_KEYS
            for key in each:
                assert len(key) <= 60
                assert key.isascii()
                assert not set(key) & set("/ ")
                if len(lists.setdefault(key, [])) < POSTING_CAP:
                    lists[key].append(place)
        led = [
            any(b in lists[key] for key in keys[a]) or any(a in lists[key] for key in keys[b])
            for a, b in made.matches()
        ]
        assert sum(led) / len(led) >= 0.98


def test_each_offer_keeps_its_best_per_other_retailer() -> None:
    shops = _prepared(*(replace(PEANUTS, id=s, retailer=s) for s in ("x", "y", "y", "z")))
    pairs = _pairs((0, 1, 60), (0, 2, 80), (0, 3, 55), (1, 3, 90))
    assert _set(best(pairs, shops, 1, both=True)) == {(0, 2), (0, 3), (1, 3)}
    assert _set(best(pairs, shops, 1)) == {(0, 1), (0, 2), (0, 3), (1, 3)}


def test_unknown_retailers_compete_with_nobody() -> None:
    offers = [replace(PEANUTS, id=each, retailer="") for each in "abc"]
    index = Index(_prepared(*offers))
    pairs = index.pairs(next(index.blocks()))
    assert _set(pairs) == {(0, 1), (0, 2), (1, 2)}
    assert _set(best(pairs, index.prepared, 1, both=True)) == _set(pairs)
    assert not len(twins(index.prepared))


def test_one_name_and_size_twice_at_one_retailer_are_twins() -> None:
    again = replace(PEANUTS, id="b", name="Peanuts coated TONG garden 45 G")
    other = replace(PEANUTS, id="c", name="Tong Garden Coated Peanuts 180g")
    assert _set(twins(_prepared(PEANUTS, again, other))) == {(0, 1)}


def test_sizes_and_prices_tell_the_likelier_of_equal_names() -> None:
    unknown = np.nan
    rows = [
        *((0, 0), (0, 0.1), (unknown, 0), (unknown, 0.1), (0, unknown)),
        *((0.2, 0), (0.7, 0), (0.7, 2), (5, 2)),
    ]
    sizes, prices = np.array(rows, np.float32).T
    likely = likeliness(np.full(len(rows), 0.5, np.float32), sizes, -prices)
    assert likely.dtype == np.float32
    equal, near, unsized, unsized_near, unpriced, other, far, dear, dearest = likely
    assert equal > near > unpriced > unsized_near
    assert equal > unsized > other > far > dear > dearest


def test_an_empty_catalogue_has_no_blocks() -> None:
    assert not list(Index(_prepared()).blocks())
    assert not len(twins(_prepared()))
