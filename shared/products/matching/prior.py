"""What is believed of offers before any catalogue is seen, in log-odds of one product.

Chosen by hand and rounded. A catalogue's own pairs move these weights; what its pairs never show,
such as two offers of one retailer, stays as it is here.
"""

from typing import Final

from shared.products.matching.model import BIAS, MatchModel, Weights
from shared.products.matching.vocabulary import Vocabulary

ALONE: Final[Weights] = {
    BIAS: -3.6,
    "cover_least": 1.8,
    "cover_most": 0.6,
    "overlap": 1.8,
    "common": 0.6,
    "rest_both": -1.8,
    "rest_most": -0.3,
    "words_both": -0.9,
    "words_one": -0.3,
    "first_same": 0.3,
    "sorted_ratio": 1.2,
    "set_ratio": 0.6,
    "kept": 0.35,
    "missed_least": 0.3,
    "missed_most": 0.3,
    "missed_worst_least": 0.2,
    "missed_worst": 0.1,
    "number_same": 0.3,
    "number_differs": -1.8,
    "number_one": -0.2,
    "code_same": 1.5,
    "code_stem": 0.9,
    "code_told": 0.9,
    "code_told_stem": 0.4,
    "code_begins": 0.6,
    "code_differs": -1.5,
    "code_rest": -0.6,
    "text_overlap": 1.2,
    "text_named": 0.6,
    "size_same": 0.6,
    "size_near": 0.3,
    "size_differs": -1.5,
    "price_same": 0.9,
    "price_near": 0.4,
    "price_far": -0.6,
    "price_same_unsized": 0.8,
    "price_off_unsized": -1.2,
    "brand_of_house": -2.0,
    "brand_same": 0.4,
    "brand_differs": -0.9,
    "category_same": 0.2,
    "category_differs": -0.2,
    "retailer_same": -5.0,
    "retailer_twin": 9.0,
}
SURROUNDED: Final[Weights] = {
    BIAS: 2.2,
    "rivals_most": -0.5,
    "rivals_least": -0.8,
    "company_best": 2.0,
    "apart_most": -1.0,
    "apart_least": -1.2,
    "apart_all_least": -0.3,
    "apart_all_most": -0.3,
}


def surrounded(alone: Weights) -> Weights:
    """The weights for offers among others, from those for offers by themselves."""
    found = {name: alone.get(name, 0.0) + SURROUNDED.get(name, 0.0) for name in alone}
    return {**SURROUNDED, **found}


def prior_model(vocabulary: Vocabulary) -> MatchModel:
    """A model that believes the prior."""
    return MatchModel(vocabulary, ALONE, surrounded(ALONE))
