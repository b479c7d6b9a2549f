"""An artefact counts as a model only if this version of the product can go by it."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.clients import storage
from shared.products import match_models
from shared.products.match_models import Model, built
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


def test_whoever_is_owed_a_newer_model_does_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = [Model(f"2026110{day}T000000-00ff", datetime.now(UTC), 1, 0, 0.0) for day in (1, 2)]
    at_hand: list[Model | None] = [None]
    asked: list[str] = []

    def stored(name: str) -> bytes:
        asked.append(name)
        return encode(DEFAULT)

    monkeypatch.setattr(match_models, "_kept", None)
    monkeypatch.setattr(match_models, "read", lambda: at_hand[0])
    monkeypatch.setattr(storage, "read", stored)
    first = match_models.current()
    at_hand[0] = models[0]
    assert match_models.current() is first
    trained = match_models.current(at_least=models[0].version)
    at_hand[0] = models[1]
    assert match_models.current(at_least=models[0].version) is trained is not first
    assert match_models.current(at_least=models[1].version) is not trained
    assert asked == [match_models.object_name(each.version) for each in models]
