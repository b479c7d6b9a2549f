"""An artefact counts as a model only if this version of the product can go by it."""

import msgspec
import pytest

from shared.products.match_models import built
from shared.products.matching import Offer, default_model, encode

TEA = Offer("a", "keells", "Ceylon Tea 100g", "", "", "", 50_000, "LKR")
DEFAULT = default_model()
RENAMED = msgspec.structs.replace(DEFAULT, together={**DEFAULT.together, "no such feature": 1.0})
NEGATIVE = msgspec.structs.replace(
    DEFAULT, vocabulary=msgspec.structs.replace(DEFAULT.vocabulary, offers=-5)
)


def test_what_was_encoded_judges_as_before() -> None:
    other = msgspec.structs.replace(TEA, id="b", retailer="cargills")
    assert built(encode(DEFAULT)).compare(TEA, other) == built(None).compare(TEA, other)


@pytest.mark.parametrize("model", [RENAMED, NEGATIVE, msgspec.structs.replace(DEFAULT, version=0)])
def test_a_model_of_another_make_is_refused(model: msgspec.Struct) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it is, the default model serves
        built(msgspec.json.encode(model))
