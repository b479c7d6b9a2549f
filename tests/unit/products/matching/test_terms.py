import pytest

from shared.products.matching.columns import prepare
from shared.products.matching.offer import Offer
from shared.products.matching.reading import name_terms
from shared.products.matching.terms import CODE, NUMBER, WORD, codes, kind, stem, terms
from shared.products.matching.vocabulary import Vocabulary, counted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Coated Peanuts, 0.045 KG", "coated peanut 45g"),
        ("iPhone 8 Plus 64 GB 5.50 inch", "iphone 8 plus 64gb 5.5in"),
        ("6x330ml Cola", "1980ml cola"),
        ("Quicken 5.0", "quicken 5"),
        ("Tissue 2 ply", "tissue 2 ply"),
        ("\u05e7\u05e6\u05e4\u05ea150", "\u05e7\u05e6\u05e4\u05ea 150"),
        ("", ""),
    ],
)
def test_terms_have_one_spelling(text: str, expected: str) -> None:
    assert " ".join(terms(text)) == expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("milk", WORD),
        ("2", NUMBER),
        ("64gb", NUMBER),
        ("450g", NUMBER),
        ("14.5", NUMBER),
        ("pn50a450", CODE),
        ("29180248", CODE),
        ("cs3", WORD),
    ],
)
def test_kinds_of_terms(term: str, expected: int) -> None:
    assert kind(term) == expected


def test_codes_lose_their_punctuation_and_stems_their_colour() -> None:
    assert codes("Apple MQ8N2B/A iPhone, DS-7208HUHI-K1") == ("mq8n2ba", "ds7208huhik1")
    assert stem("nnh965bk") == stem("nnh965bf") == "nnh965"
    assert stem("kdl46xbr6") != stem("kdl46xbr4")
    assert stem("sd9") == "sd9"
    assert stem("ue40nu7120kxxu") == stem("40nu7120") == "40nu7120"
    assert stem("ue40nu7120") != stem("ue49nu7120")
    assert stem("gs105na") != stem("fs105na")
    assert stem("rz1234567b") == "rz1234567"


def test_a_vocabulary_knows_what_is_rare() -> None:
    known = counted([["milk", "rice"], ["milk"], ["milk", "tea", "rice"]])
    assert known.offers == 3
    assert known.counts == {"milk": 3, "rice": 2}
    assert 0 < known.rarity("milk") < known.rarity("rice") < known.rarity("tea") <= 1


def test_an_offers_brand_and_model_join_its_name_once() -> None:
    offer = Offer("a", "x", "Galaxy A5 2017", "Samsung", "", "", 0, "", model="SM-A520F A5")
    assert name_terms(offer) == ["samsung", "galaxy", "a5", "2017", "sm", "a520f"]


def test_columns_say_what_is_missing() -> None:
    bare = Offer("a", "", "", "", "", "", 0, "")
    prepared = prepare([bare], Vocabulary())
    assert not prepared.terms.any()
    assert prepared.retailer[0] == prepared.brand[0] == prepared.category[0] == -1
    assert prepared.log_size[0] != prepared.log_size[0]
    assert prepared.log_price[0] != prepared.log_price[0]
