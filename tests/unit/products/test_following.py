"""What a step that fails must leave behind, so that its repetition finds it done."""

from collections.abc import Callable

import pytest

from shared.edge import cache
from shared.errors import Conflict, DependencyUnavailable
from shared.products import (
    following,
    match_models,
    pairing,
    posting_cache,
    reacting,
    rematch_page,
    search_index,
    search_lists,
    statistics,
)
from shared.products.allowances import Allowance
from shared.products.matching import Match
from shared.products.pairs import State

WRITTEN = pairing.Published(None, {}, State(), 7, Allowance(0), written=True)


@pytest.fixture
def bumped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The namespaces whose generation was replaced, where whatever follows publishing fails."""
    names: list[str] = []
    monkeypatch.setattr(cache, "bump", lambda namespace, _: names.append(namespace))
    monkeypatch.setattr(pairing, "publish", lambda *_: WRITTEN)
    monkeypatch.setattr(match_models, "current", lambda **_: None)
    for search in (search_index, search_lists):
        monkeypatch.setattr(search, "publish", lambda *_: None)
    return names


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_changed_lists_are_renewed_although_the_rest_fails(
    bumped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "request_refresh", failing(Conflict()))
    with pytest.raises(Conflict):
        following.follow("a")
    assert bumped == [posting_cache.NAMESPACE]


def test_a_search_that_is_hindered_does_not_hinder_the_pairs(
    bumped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    def pair(*_: object, paid: bool) -> pairing.Paired:
        told.append(paid)
        return pairing.Paired({}, written=True)

    monkeypatch.setattr(statistics, "request_refresh", lambda: None)
    monkeypatch.setattr(cache, "ensure_bumped", lambda *_: None)
    monkeypatch.setattr(search_lists, "publish", failing(Conflict()))
    monkeypatch.setattr(pairing, "pair", pair)
    with pytest.raises(Conflict):
        following.follow("a")
    # The debt stays, so that the search is tried again.
    assert told == [False]
    assert bumped == [posting_cache.NAMESPACE, "products"]


def test_a_page_that_is_cut_off_renews_what_it_changed(
    bumped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "pair", failing(DependencyUnavailable()))
    with pytest.raises(DependencyUnavailable):
        rematch_page.matched(["a"], None, match_models.DEFAULT)
    assert bumped == [posting_cache.NAMESPACE]


def test_partners_that_wait_have_a_task_of_their_own(
    bumped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    turns = [("b", "c"), ()]
    monkeypatch.setattr(statistics, "request_refresh", lambda: None)
    monkeypatch.setattr(cache, "ensure_bumped", lambda *_: None)
    monkeypatch.setattr(reacting, "request_follow", lambda *task: asked.append(task))
    monkeypatch.setattr(
        pairing, "pair", lambda *_, **__: pairing.Paired({}, written=True, waiting=turns.pop(0))
    )
    for _ in range(2):
        following.follow("a")
    # None where nobody waits any more.
    assert asked == [("a", "a-7-2")]
    assert bumped.count("products") == 2


def test_a_page_judges_all_partners_of_a_product_each_turn_with_its_own_allowance(
    bumped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [("c", "d"), ("d",), ()]
    asked: list[object] = []

    def pair(published: pairing.Published, *_: object, waited: object, **__: object) -> object:
        published.allowance.take(40)
        asked.append(waited)
        left = turns.pop(0)
        return pairing.Paired({"b": Match(90, ())}, written=bool(left), waiting=left)

    monkeypatch.setattr(pairing, "pair", pair)
    page = rematch_page.matched(["a"], None, match_models.DEFAULT)
    assert asked == [None, ("c", "d"), ("d",)]
    assert (page.matches, page.failed) == ([("a", "b")], 0)
    assert sorted(bumped) == [posting_cache.NAMESPACE, "products"]
