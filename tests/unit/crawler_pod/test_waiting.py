"""Pace, rests and what robots.txt says, by a clock that a test moves."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest

from crawler_pod.attempts import Attempts, FetchFailed, Page, rest_seconds
from crawler_pod.pace import OwnPace, Resting, SharedPace
from crawler_pod.progress import Rate, keep_telling, progress
from crawler_pod.robots import Robots, Rules, parsed
from shared.crawling import hosts
from shared.crawling.hosts import HostState, HostWord
from shared.crawling.recipes import Limits
from shared.crawling.results import Counts, Manifest, Progress

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LASTING = timedelta(seconds=120)


class Time:
    """Passes only when somebody sleeps, and for each sleeper in order."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def test_turns_towards_a_host_keep_their_distance_and_hosts_do_not_wait_for_each_other() -> None:
    async def taken() -> list[tuple[str, float]]:
        time = Time()
        pace = OwnPace(lambda: time.now, time.sleep)
        turns = []
        for host in ("a", "a", "b", "a"):
            await pace.turn(host, 2.0)
            turns.append((host, time.now))
        return turns

    assert asyncio.run(taken()) == [("a", 0.0), ("a", 2.0), ("b", 2.0), ("a", 4.0)]


class Product:
    """What the pods of one host tell each other, by way of the product."""

    def __init__(self) -> None:
        self.state = HostState()

    def pod(self, name: str, time: Time) -> SharedPace:
        now = Clocks(time)
        share = HostWord("a", 2.0)
        self.state = hosts.joined(self.state, name, share, now(), LASTING)

        async def listen() -> None:
            for word in pace.words():
                self.state = hosts.heard(self.state, name, word, now(), LASTING)
            await pace.hear({"a": self.state.share(now(), name)})

        pace = SharedPace(OwnPace(lambda: time.now, time.sleep), listen)
        return pace


class Clocks:
    """The product's clock, which goes with the pod's."""

    def __init__(self, time: Time) -> None:
        self._time = time

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=self._time.now)


def test_pods_of_one_host_ask_it_no_more_often_than_one() -> None:
    async def taken() -> list[float]:
        time, product = Time(), Product()
        pace = product.pod("one", time)
        turns = []
        for number in range(5):
            if number == 2:
                product.pod("two", time)
            # The recipe's delay is shorter than the host's own, which another pod may have told.
            await pace.turn("a", 1.0)
            turns.append(time.now)
        return turns

    first, second, third, *later = asyncio.run(taken())
    # What it hears with a turn counts for those that follow: two pods, and the other's delay of 2,
    # in whose round the first turn may come a delay sooner or later.
    assert (first, second, third) == (0.0, 1.0, 2.0)
    assert 5.0 <= later[0] <= 9.0
    assert later[1] == later[0] + 4.0


async def ten_turns(name: str, state: HostState, began: float) -> list[float]:
    """The turns of one pod by the product's clock, which its own does not follow."""
    time, turns = Time(), list[float]()
    time.now = began

    async def listen() -> None:
        # Answers come a little late, and each by a little more or less.
        heard = time.now - began - 0.05 * (len(turns) % 3)
        await pace.hear({"a": state.share(NOW + timedelta(seconds=heard), name)})

    pace = SharedPace(OwnPace(lambda: time.now, time.sleep), listen)
    await listen()
    for _ in range(10):
        await pace.turn("a", 2.0)
        turns.append(time.now - began)
    return turns


def test_the_turns_of_pods_lie_a_delay_apart_whatever_their_clocks_say() -> None:
    state = HostState()
    for name in ("one", "two", "three"):
        state = hosts.joined(state, name, HostWord("a", 2.0), NOW, LASTING)
    each = [asyncio.run(ten_turns(name, state, 1e3 * n)) for n, name in enumerate(state.pods)]
    turns = sorted(turn for pod in each for turn in pod)

    assert all(later - earlier > 1.8 for earlier, later in pairwise(turns))
    # Nor is a turn let pass: thirty of them, each two seconds behind the one before.
    assert turns[-1] - turns[0] < 60.0


def test_no_pod_asks_a_host_before_the_rest_that_another_was_told() -> None:
    async def taken() -> list[float]:
        time, product = Time(), Product()
        told, other = product.pod("one", time), product.pod("two", time)
        turns = []
        await other.turn("a", 2.0)
        turns.append(time.now)
        await told.turn("a", 2.0)
        await told.hold("a", 60.0)
        rested = time.now + 60
        await other.turn("a", 2.0)
        turns.append(time.now - rested)
        # One that comes meanwhile knows before it has asked anything.
        await told.hold("a", 200.0)
        late = product.pod("three", time)
        with pytest.raises(Resting, match="200 s"):
            await late.turn("a", 2.0)
        return turns

    first, beyond = asyncio.run(taken())
    assert first == 0.0
    assert 0.0 <= beyond <= 4.0


def test_a_host_that_asks_for_a_rest_has_it_from_all_who_wait() -> None:
    async def taken() -> list[float]:
        time = Time()
        pace = OwnPace(lambda: time.now, time.sleep)
        turns: list[float] = []

        async def turn() -> None:
            await pace.turn("a", 1.0)
            turns.append(time.now)

        await turn()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(turn())
            await pace.hold("a", 30.0)
        return turns

    turns = asyncio.run(taken())
    assert turns[0] == 0.0
    assert turns[1] >= 30.0
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(turns))


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize(("rest", "kind"), [("60", "status_429"), ("500", "resting")])
def test_a_rest_is_kept_also_when_the_page_is_given_up(attempts: int, rest: str, kind: str) -> None:
    async def failed() -> tuple[str, float]:
        time = Time()
        pace = OwnPace(lambda: time.now, time.sleep)
        tries = Attempts(Limits(attempts=attempts), pace, sleep=time.sleep)

        async def once() -> Page:
            await pace.turn("b.example", 0.0)
            # At the end of a redirect: the rest is that host's.
            return tries.accepted(Page("https://b.example/", 429, {"retry-after": rest}, b""))

        with pytest.raises(FetchFailed) as caught:
            await tries.page("https://a.example/", once)
        assert pace.rest_seconds("a.example") == 0.0
        return caught.value.kind, pace.rest_seconds("b.example")

    # With a further attempt the page finds the host resting, and does not wait for so long.
    expected = kind if attempts > 1 else "status_429"
    assert asyncio.run(failed()) == (expected, float(rest))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("2.5", 2.5), ("nan", 0.0), ("inf", 0.0), ("1e9", 21_600.0), ("-3", 0.0), ("soon", 0.0)],
)
def test_a_crawl_delay_is_a_number_of_seconds_that_a_crawl_can_wait(
    said: str, seconds: float
) -> None:
    rules = parsed(f"User-agent: *\nCrawl-delay: {said}\n".encode())
    assert Rules(rules, allows_all=True).delay_seconds() == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("Sun, 01 Mar 2026 12:00:30 +999999999999999999", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_a_host_asks_to_wait(said: str | None, seconds: float | None) -> None:
    assert rest_seconds(said, NOW) == seconds


ROBOTS = b"""
User-agent: *
Disallow: /private/
Allow: /private/open
Disallow: /*.pdf$
Crawl-delay: 2.5

User-agent: OtherBot
Disallow: /
"""


def test_the_rules_for_everybody_hold_for_us() -> None:
    rules = parsed(ROBOTS)

    assert rules.crawl_delay("ShoppleBot") == 2.5
    allowed = {
        path: rules.can_fetch(f"http://a.example{path}", "ShoppleBot")
        for path in ("/", "/private/", "/private/open", "/list.pdf", "/list.pdf?x")
    }
    assert allowed == {
        "/": True,
        "/private/": False,
        "/private/open": True,
        "/list.pdf": False,
        "/list.pdf?x": True,
    }


@pytest.mark.parametrize(
    ("status", "allowed"),
    [(404, True), (403, True), (410, True), (429, False), (503, False), (0, False)],
)
def test_rules_that_are_absent_allow_and_rules_out_of_reach_forbid(
    status: int,
    allowed: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    async def asked() -> bool:
        async def ask(_: str) -> tuple[int, bytes]:
            return status, b""

        return (await Robots(ask).rules("http://a.example/x")).allow("http://a.example/x")

    assert asyncio.run(asked()) is allowed


def test_the_rules_of_an_origin_are_read_once_however_many_ask() -> None:
    asked: list[str] = []

    async def many() -> None:
        async def ask(url: str) -> tuple[int, bytes]:
            asked.append(url)
            await asyncio.sleep(0)
            return 200, ROBOTS

        robots = Robots(ask)
        urls = ["http://a.example/1", "http://a.example/2", "http://a.example:8080/"] * 3
        await asyncio.gather(*map(robots.rules, urls))

    asyncio.run(many())
    assert sorted(asked) == ["http://a.example/robots.txt", "http://a.example:8080/robots.txt"]


def test_a_report_that_fails_ends_no_telling() -> None:
    class Deaf:
        def __init__(self) -> None:
            self.times = 0

        async def progress(self, _: Progress) -> None:
            self.times += 1
            raise RuntimeError

        async def ended(self, _: Manifest) -> None:
            """Not told here."""

    class Over(Exception):
        pass

    async def told() -> int:
        deaf, slept = Deaf(), count()

        async def sleep(_: float) -> None:
            if next(slept) > 2:
                raise Over

        done = count()
        with suppress(Over):
            await keep_telling(lambda: Progress(next(done), 9, 0, 1.0, None), deaf, sleep)
        return deaf.times

    assert asyncio.run(told()) == 3


def test_what_keeps_a_crawl_is_told_although_its_figures_stand_still() -> None:
    class Hearing:
        def __init__(self) -> None:
            self.notes: list[str | None] = []

        async def progress(self, told: Progress) -> None:
            self.notes.append(told.note)

        async def ended(self, _: Manifest) -> None:
            """Not told here."""

    async def told() -> list[str | None]:
        hearing, notes = Hearing(), iter([None, None, "waits", "waits", None])

        async def sleep(_: float) -> None:
            """Time passes."""

        with suppress(RuntimeError):
            await keep_telling(
                lambda: Progress(1, 9, 0, 1.0, None, note=next(notes)), hearing, sleep
            )
        return hearing.notes

    assert asyncio.run(told()) == [None, "waits", None]


def test_time_left_is_said_only_when_it_is_known() -> None:
    rate = Rate(0.0)

    assert progress(Counts(), 1, rate.at(0.0, 0), growing=True).seconds_left is None
    assert progress(Counts(pages_done=10), 90, rate.at(10.0, 10), growing=True).seconds_left is None
    behind = Counts(pages_done=37, pages_failed=2, pages_disallowed=1)
    told = progress(behind, 100, rate.at(20.0, 40), growing=False)
    assert (told.pages_done, told.pages_failed) == (40, 2)
    assert (told.pages_per_second, told.seconds_left) == (2.0, 30.0)
    # The rate is that of late: thirty seconds on, the first ten no longer count.
    assert rate.at(50.0, 41) == pytest.approx(1 / 30)
