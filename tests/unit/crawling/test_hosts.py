"""A host's pace among pods: who is counted, whose delay holds, whose rest is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler_pod import addresses
from shared.crawling import hosts
from shared.crawling.hosts import MOST_PODS, HostState, HostWord

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LASTING = timedelta(seconds=120)
SHOP = HostWord("shop.example", 1.0)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def both() -> HostState:
    first = hosts.joined(HostState(), "a", SHOP, NOW, LASTING)
    return hosts.joined(first, "b", HostWord("shop.example", 5.0), NOW, LASTING)


def test_the_longest_delay_holds_for_all_who_ask_a_host() -> None:
    assert told(both(), NOW) == (2, 5.0)
    # Whoever is silent, or has left, is counted no longer.
    assert told(hosts.heard(both(), "a", SHOP, at(100), LASTING), at(130)) == (1, 1.0)
    assert told(hosts.left(both(), "b"), NOW) == (1, 1.0)
    # A shop's robots.txt is known once it was read.
    slower = hosts.heard(both(), "a", HostWord("shop.example", 9.0), NOW, LASTING)
    assert told(slower, NOW) == (2, 9.0)


def told(state: HostState, now: datetime) -> tuple[int, float]:
    share = state.share(now, "a")
    return share.pods, share.delay_seconds


@pytest.mark.parametrize("seconds", [0.0, 0.25, 3.0, 7.5, 9.999])
def test_turns_go_round_each_a_delay_behind_the_one_before(seconds: float) -> None:
    shares = [both().share(at(seconds), name) for name in ("a", "b")]
    first, second = (share.turn_seconds for share in shares)
    # Ten seconds are a round of two pods at a delay of five.
    assert all(0.0 <= each.turn_seconds < 10.0 for each in shares)
    assert (second - first) % 10.0 == pytest.approx(5.0)
    # Whenever they hear of it, it is the same turn.
    later = both().share(at(seconds + 4), "a").turn_seconds
    assert (first - later) % 10.0 == pytest.approx(4.0)


def test_a_word_that_says_nothing_new_is_not_written() -> None:
    state = both()

    assert hosts.heard(state, "a", SHOP, at(59), LASTING) is state
    assert hosts.heard(state, "a", SHOP, at(61), LASTING) is not state
    assert hosts.left(state, "c") is state


def test_a_rest_holds_for_all_and_nobody_shortens_it() -> None:
    rested = hosts.heard(both(), "a", HostWord("shop.example", 1.0, 60.0), NOW, LASTING)
    assert rested.share(at(20), "a").rest_seconds == 40.0
    again = hosts.heard(rested, "b", HostWord("shop.example", 5.0, 10.0), at(20), LASTING)
    assert again.share(at(20), "a").rest_seconds == 40.0
    # Both may go, and who comes next is told all the same.
    gone = hosts.left(hosts.left(rested, "a"), "b")
    assert (gone.over(at(20)), gone.over(at(60))) == (False, True)
    late = hosts.joined(gone, "c", SHOP, at(20), LASTING).share(at(20), "c")
    assert (late.pods, late.rest_seconds) == (1, 40.0)


def test_who_did_not_join_is_not_heard_and_no_more_join_than_are_counted() -> None:
    state = both()
    stranger = HostWord("shop.example", 21_600.0, 3_600.0)
    assert hosts.heard(state, "stranger", stranger, NOW, LASTING) is state

    full = HostState()
    for number in range(MOST_PODS + 3):
        full = hosts.joined(full, f"job-{number}", SHOP, NOW, LASTING)
    assert full.share(NOW, "job-0").pods == len(full.pods) == MOST_PODS
    # Places of those that are gone are free again.
    assert hosts.joined(full, "late", SHOP, at(121), LASTING).share(at(121), "late").pods == 1


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Shop.Example/tea", "shop.example"),
        ("https://shop.example:443/", "shop.example"),
        ("http://shop.example:80", "shop.example"),
        ("HTTP://user:word@shop.example.:8080/x?y", "shop.example:8080"),
        ("https://shop.example:80/", "shop.example:80"),
        ("http://[2001:DB8::1]:81/", "[2001:db8::1]:81"),
    ],
)
def test_a_host_has_one_name_for_the_product_and_its_pods(url: str, host: str) -> None:
    assert hosts.host_of(url) == host
    assert addresses.host(addresses.normal(url)) == host


def test_the_hosts_of_a_recipe_are_each_named_once() -> None:
    starts = ["https://a.example/1", "http://A.example:80/2", "https://cdn.example/", "http://[::1"]
    assert hosts.words_of(starts, 2.0) == [HostWord("a.example", 2.0), HostWord("cdn.example", 2.0)]
