"""The nightly export: what the manifest names is the catalogue, and nothing else counts."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.stack import Stack
from shared.clock import rfc3339
from shared.system import nightly
from shared.system.nightly import EXPORTED
from tests.integration.edge.instance import instance
from tests.integration.products.support import WORK_SECONDS, Json, Shop, row
from tests.integration.system.conftest import Objects
from tests.polling import eventually

PRODUCTS = 7
PART_ROWS = 3

# Writes a part of three.
WRITE = """
import sys
from shared.system import nightly
nightly.write(sys.argv[1], sys.argv[2], int(sys.argv[3]), part_rows=3)
"""


@pytest.fixture(scope="module", autouse=True)
def filled(shop: Shop) -> None:
    """A small catalogue with a match in it."""
    shop.upload([row(number) for number in range(PRODUCTS - 1)] + [row(0, retailer="cargills")])
    shop.settle()
    assert shop.documents("match_pairs")


@pytest.fixture(autouse=True)
def day(shop: Shop) -> Iterator[str]:
    today = datetime.now(UTC).date().isoformat()
    shop.database.document(f"nightly_exports/{today}").delete()
    yield today
    shop.settle()


@pytest.fixture
def by_hand(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process in the place of the functions, and no task but those that it takes itself."""
    monkeypatch.setattr(nightly, "_enqueue", lambda *_: None)
    with instance(stack.environment()):
        yield


def state(shop: Shop, day: str) -> Json:
    return shop.database.document(f"nightly_exports/{day}").get().to_dict() or {}


def manifest(objects: Objects, day: str) -> Json:
    read: Json = json.loads(objects.read(f"exports/nightly/{day}/manifest.json"))
    return read


def content(objects: Objects, told: Json, collection: str) -> dict[str, Json]:
    """The documents of a collection as the manifest's objects hold them, each checked."""
    found: dict[str, Json] = {}
    for each in told["objects"]:
        if each["collection"] == collection:
            stored = objects.read(each["name"])
            assert len(stored) == each["bytes"]
            assert hashlib.sha256(stored).hexdigest() == each["sha256"]
            lines = [json.loads(line) for line in gzip.decompress(stored).splitlines()]
            assert len(lines) == each["rows"]
            found |= {line.pop("id"): line for line in lines}
    return found


def plain(fields: Any) -> Any:
    """A document's fields as JSON has them."""

    def told(value: Any) -> Any:
        return rfc3339(value)

    return json.loads(json.dumps(fields, default=told))


def check(shop: Shop, objects: Objects, day: str) -> Json:
    told = manifest(objects, day)
    for collection in EXPORTED:
        stored = shop.documents(collection)
        assert content(objects, told, collection) == plain(stored)
        assert told["rows"][collection] == len(stored)
    return told


def finish(shop: Shop, day: str, run: str) -> None:
    while (night := state(shop, day))["status"] == "running":
        nightly.write(day, run, night["part"], PART_ROWS)


def test_the_schedule_has_the_whole_catalogue_written(
    shop: Shop, objects: Objects, day: str
) -> None:
    assert shop.call_private("begin_nightly_export").is_success
    eventually(lambda: state(shop, day).get("status") == "completed", timeout_seconds=WORK_SECONDS)
    first = check(shop, objects, day)
    assert first["rows"]["products"] == PRODUCTS
    # With what people decided, which nothing else could rebuild.
    assert first["rows"]["match_states"] == PRODUCTS
    # The same day again replaces it, and leaves nothing of the first behind.
    assert shop.call_private("begin_nightly_export").is_success
    eventually(
        lambda: manifest(objects, day)["began_at"] > first["began_at"],
        timeout_seconds=WORK_SECONDS,
    )
    shop.settle()
    second = check(shop, objects, day)
    names = {each["name"] for each in second["objects"]}
    assert objects.names(f"exports/nightly/{day}/") == {
        *names,
        f"exports/nightly/{day}/manifest.json",
    }


@pytest.mark.usefixtures("by_hand")
def test_it_is_written_in_parts_each_of_which_may_come_twice(
    shop: Shop, objects: Objects, day: str
) -> None:
    nightly.begin()
    run = state(shop, day)["run"]
    for part in (0, 0, 1, 0, 7):
        nightly.write(day, run, part, PART_ROWS)
    assert state(shop, day)["part"] == 2
    nightly.write(day, "another-run", 2, PART_ROWS)
    assert state(shop, day)["part"] == 2
    finish(shop, day, run)
    told = check(shop, objects, day)
    rows = [each["rows"] for each in told["objects"] if each["collection"] == "products"]
    assert rows == [3, 3, 1]


@pytest.mark.usefixtures("by_hand")
def test_a_run_that_was_killed_goes_on_and_no_half_of_it_counts(
    shop: Shop, objects: Objects, day: str
) -> None:
    nightly.begin()
    run = state(shop, day)["run"]
    nightly.write(day, run, 0, PART_ROWS)
    before = objects.names(f"exports/nightly/{day}/")
    # Two lines of the part go to Storage.
    shop.cut_off("shared.system.nightly_objects", "line", 2, WRITE, day, run, "1")
    assert state(shop, day)["part"] == 1
    # Whoever begins again goes on with the same run.
    nightly.begin()
    assert state(shop, day)["run"] == run
    assert f"exports/nightly/{day}/manifest.json" not in objects.names("exports/") - before
    finish(shop, day, run)
    check(shop, objects, day)


@pytest.mark.usefixtures("by_hand")
def test_a_run_that_was_given_up_is_begun_anew(shop: Shop, objects: Objects, day: str) -> None:
    nightly.begin()
    run = state(shop, day)["run"]
    nightly.give_up(day, "another-run")
    assert state(shop, day)["status"] == "running"
    nightly.give_up(day, run)
    nightly.write(day, run, 0, PART_ROWS)
    assert state(shop, day)["part"] == 0
    nightly.begin()
    assert state(shop, day)["run"] != run
    finish(shop, day, state(shop, day)["run"])
    check(shop, objects, day)
