"""The limit of a day, whoever asks at once, and the day to which a call belongs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from shared.ai_models import Model
from shared.classification import refusals, spending, spent
from shared.classification.spending import SHARDS, Reservation, Spent
from shared.clock import utc_now
from tests.forked import Program
from tests.integration.edge.instance import instance
from tests.integration.products.support import Shop

MODEL = Model("groq", "model", 1, 1)
PROCESSES = 4
# Of the last quarter that each shard has left, twice as many are wanted as there is room for.
WANTED = 2
# What another process is told that would make calls, as soon as its input ends.
RESERVE = f"""
import sys
from shared.ai_models import Model
from shared.classification import refusals, spending, spent
from shared.errors import DependencyError
model, micros = Model("groq", "model", 1, 1), int(sys.argv[1])
spent.today()
print("ready", flush=True)
sys.stdin.readline()
held = 0
for _ in range({WANTED}):
    refusals._last.clear()
    try:
        spending.reserve(model, micros)
        held += 1
    except (spending.Spent, DependencyError):
        pass
print(held, flush=True)
"""


@pytest.fixture
def books(shop: Shop) -> Iterator[Shop]:
    """This process as an instance, whose books are empty again afterwards: other tests have calls
    to make today.
    """
    with instance(shop.stack.environment()):
        yield shop
        refusals._last.clear()
        for collection in (spending.CALLS, spending.DAYS):
            for each in shop.database.collection(collection).list_documents():
                each.delete()


def test_a_day_costs_no_more_than_its_budget_and_what_died_is_paid_in_full(
    books: Shop,
) -> None:
    limit = spending.limit_of("groq")
    fifth = limit // SHARDS // 5

    def reserve(_: int = 0) -> Reservation | None:
        with spending.made_for("drill"), suppress(Spent):
            return spending.reserve(MODEL, fifth)
        return None

    with ThreadPoolExecutor(24) as pool:
        held_calls = [each for each in pool.map(reserve, range(24)) if each is not None]
    assert len(held_calls) == 5 * SHARDS
    assert reserve() is None
    refusals._last.clear()
    # Of what is given back nothing is left but the room for another.
    spending.release(held_calls.pop())
    again = reserve()
    assert again is not None
    held_calls.append(again)
    assert reserve() is None
    refusals._last.clear()
    assert spending.settle(held_calls[0], 1)
    assert not spending.settle(held_calls[0], fifth)
    spending.reserve(MODEL, fifth - 1)
    told = {each["name"]: each for each in books.get("/classify/providers")["providers"]}
    assert told["groq"]["reason"] == "budget"
    assert (told["groq"]["spend_today"], told["groq"]["daily_budget"]) == (0.000001, 10)

    assert spending.sweep() == []
    late = utc_now() + 2 * spending.OPEN
    assert len(spending.sweep(lambda: late)) == 5 * SHARDS
    used = spent.today()["groq"]
    assert used.settled == sum(used.held) == 1 + fifth - 1 + fifth * (5 * SHARDS - 1)
    assert used.settled <= limit
    assert spent.of_origin("drill") == (20, used.settled - (fifth - 1))
    # Of tomorrow nothing is spent.
    tomorrow = utc_now() + timedelta(days=1)
    spending.reserve(MODEL, fifth, lambda: tomorrow)


def test_processes_that_race_for_the_last_of_a_day_do_not_pass_its_limit(books: Shop) -> None:
    limit = spending.limit_of("groq")
    share = limit // SHARDS
    last = share // 4
    # One call of each shard is left to make.
    for _ in range(SHARDS):
        spending.reserve(MODEL, share - last)
    environment = books.stack.environment()
    started = [Program(RESERVE, (str(last),), env=environment) for _ in range(PROCESSES)]
    # Each has loaded what it needs, so all of them reserve in one moment.
    assert {each.stdout.readline() for each in started} == {"ready\n"}
    for each in started:
        each.stdin.write("now\n")
        each.stdin.flush()
    held = sum(int(each.stdout.readline()) for each in started)
    for each in started:
        each.communicate(timeout=20)

    assert 0 < held <= SHARDS
    used = spent.today()["groq"]
    assert sum(used.held) == SHARDS * (share - last) + held * last
    assert max(used.held) <= share


@pytest.mark.usefixtures("books")
def test_a_call_that_ends_after_midnight_belongs_to_the_day_on_which_it_was_made() -> None:
    micros = spending.limit_of("groq") // SHARDS // 5
    # One that is still to come, so that no sweep of the stack's own settles anything.
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = today + timedelta(days=2)

    def before() -> datetime:
        return midnight - timedelta(seconds=1)

    settled, left = (spending.reserve(MODEL, micros, before) for _ in range(2))
    assert settled.day == left.day == before().date().isoformat()

    assert spending.settle(settled, 7)
    spending.sweep(lambda: midnight + spending.OPEN)

    assert "groq" not in spent.today(lambda: midnight)
    used = spent.today(before)["groq"]
    assert used.settled == sum(used.held) == 7 + micros
