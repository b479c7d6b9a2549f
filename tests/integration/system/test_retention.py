"""What is as old as the settings say goes, all of it and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from local.stack import Stack
from shared.clients import storage
from shared.edge.request import Actor
from shared.errors import DependencyUnavailable
from shared.system import retention
from shared.system.configuration_records import DEFAULTS
from shared.system.retention_rules import KEPT, Kept, days_of
from tests.integration.edge.instance import instance
from tests.integration.products.support import Shop
from tests.integration.system.conftest import Objects

CRAWLS = tuple(kept for kept in KEPT if kept.collection.startswith("crawl_"))
BY = Actor("drill", "", "retention.applied", "", "")

CLIENT = "google.cloud.firestore_v1.services.firestore.client:FirestoreClient"
# Removes five at a time.
BY_FIVES = """
from shared.edge.request import Actor
from shared.errors import DependencyUnavailable
from shared.system import retention
retention.PAGE = 5
retention.apply(Actor("drill", "", "retention.applied", "", ""))
"""


@pytest.fixture(autouse=True)
def empty(shop: Shop) -> None:
    shop.clear()


@pytest.fixture
def acting(stack: Stack) -> Iterator[None]:
    """This process in the place of the function."""
    with instance(stack.environment()):
        yield


def aged(kept: Kept, age: timedelta) -> object:
    moment = datetime.now(UTC) - age
    return moment.date().isoformat() if kept.as_day else moment


def make(shop: Shop, kept: Kept, name: str, value: object) -> None:
    shop.database.collection(kept.collection).document(name).set({kept.field: value})


def lifetime(kept: Kept) -> timedelta:
    return timedelta(days=days_of(kept.setting, DEFAULTS.retention_days))


def test_of_each_kind_exactly_what_is_old_goes(shop: Shop) -> None:
    margin = timedelta(days=1)
    for kept in KEPT:
        make(shop, kept, "old", aged(kept, lifetime(kept) + margin))
        make(shop, kept, "young", aged(kept, lifetime(kept) - margin))
        make(shop, kept, "undecided", None)
    assert shop.call_private("apply_retention").is_success
    for kept in KEPT:
        left = shop.documents(kept.collection)
        assert {"young", "undecided"} <= left.keys(), kept
        assert "old" not in left, kept
    entries = shop.documents("audit_logs").values()
    (told,) = [each["after"] for each in entries if each.get("action") == "retention.applied"]
    assert told == {kept.collection: 1 for kept in KEPT}
    # The undecided session is no session; others share the collection.
    shop.database.document("sessions/undecided").delete()
    shop.database.document("sessions/young").delete()


@pytest.mark.usefixtures("acting")
def test_the_settings_of_now_count(shop: Shop) -> None:
    (kept,) = (each for each in KEPT if each.collection == "exports")
    make(shop, kept, "a", aged(kept, timedelta(days=3)))
    assert retention.apply(BY) == {}
    fields = msgspec.to_builtins(DEFAULTS)
    fields["retention_days"]["results"] = 2
    shop.database.document("configuration/settings").set(
        {**fields, "version": 1, "updated_at": datetime.now(UTC)}
    )
    assert retention.apply(BY) == {"exports": 1}
    assert retention.apply(BY) == {}


def test_a_run_that_was_cut_off_is_finished_by_the_next(shop: Shop) -> None:
    (kept,) = (each for each in KEPT if each.collection == "uploads")
    for number in range(23):
        make(shop, kept, f"old-{number}", aged(kept, lifetime(kept) + timedelta(days=2)))
    make(shop, kept, "young", aged(kept, timedelta(0)))
    shop.cut_off(CLIENT, "commit", 2, BY_FIVES)
    assert len(shop.documents("uploads")) == 14
    assert shop.call_private("apply_retention").is_success
    assert shop.documents("uploads").keys() == {"young"}


@pytest.mark.usefixtures("acting")
def test_a_run_ends_when_its_time_is_over(shop: Shop) -> None:
    (kept,) = (each for each in KEPT if each.collection == "uploads")
    make(shop, kept, "old", aged(kept, lifetime(kept) + timedelta(days=2)))
    assert retention.apply(BY, run_seconds=0) == {}
    assert shop.documents("uploads").keys() == {"old"}


@pytest.mark.usefixtures("acting")
def test_files_go_with_what_they_belong_to(shop: Shop, objects: Objects) -> None:
    today = datetime.now(UTC).date()
    nights = {
        age: f"exports/nightly/{today - timedelta(days=age)}/manifest.json" for age in (6, 7, 8)
    }
    for name in (*nights.values(), "exports/a.csv", "pictures/a.webp"):
        objects.put(name)
    assert retention.apply(BY) == {"files": 1}
    assert nights[8] not in objects.names("exports/")
    assert {nights[6], nights[7], "exports/a.csv"} <= objects.names("exports/")

    def in_eight_days() -> datetime:
        return datetime.now(UTC) + timedelta(days=8)

    retention.apply(BY, in_eight_days)
    assert objects.names("exports/") == set()
    assert "pictures/a.webp" in objects.names("pictures/")
    assert shop.documents("configuration") == {}


def left_by(objects: Objects, job_id: str, token: int = 1) -> set[str]:
    folder = f"crawls/{job_id}/{token:012d}"
    names = {f"{folder}/rows-1.ndjson.gz", f"{folder}/manifest.json"}
    for name in names:
        objects.put(name)
    return names


def end_of(shop: Shop, job_id: str, finished_at: datetime | None, token: int | None) -> None:
    manifest = f"crawls/{job_id}/{token:012d}/manifest.json" if token else None
    fields = {"finished_at": finished_at, "manifest": manifest}
    shop.database.document(f"crawl_jobs/{job_id}").set(fields)


@pytest.mark.usefixtures("acting")
def test_what_crawls_left_goes_with_them_and_what_does_not_count_goes_sooner(
    shop: Shop, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    night, first = timedelta(days=40), datetime.now(UTC)
    ends = {"old": night, "kept": timedelta(days=2), "lost": timedelta(days=2)}
    for job_id, ago in {**ends, "taken-in": timedelta(hours=1)}.items():
        end_of(shop, job_id, first + night - ago, None if job_id == "lost" else 2)
    end_of(shop, "going-on", None, None)
    counted = {job_id: left_by(objects, job_id, 2) for job_id in ("old", "kept", "taken-in")}
    superseded = {job_id: left_by(objects, job_id) for job_id in ends}
    stay = counted["kept"] | counted["taken-in"]
    stay |= left_by(objects, "taken-in", 1) | left_by(objects, "going-on")
    over = counted["old"] | set().union(*superseded.values())

    def tonight() -> datetime:
        return datetime.now(UTC) + night

    # Only the crawls', or the sessions of others would be old too.
    monkeypatch.setattr(retention, "KEPT", CRAWLS)
    monkeypatch.setattr(retention, "PAGE_FILES", 3)
    assert retention.apply(BY, tonight, run_seconds=0) == {}
    assert objects.names("crawls/") >= stay | over

    remove, removed = storage.remove, list[str]()

    def cut_off(name: str) -> None:
        if len(removed) == 3:
            raise DependencyUnavailable("away")
        removed.append(name)
        remove(name)

    with monkeypatch.context() as failing:
        failing.setattr(storage, "remove", cut_off)
        with pytest.raises(DependencyUnavailable):
            retention.apply(BY, tonight)
    assert objects.names("crawls/") & over == over - set(removed)
    retention.apply(BY, tonight)
    found = objects.names("crawls/")
    assert (found & over, stay - found) == (set(), set())
    assert "old" not in shop.documents("crawl_jobs")
    assert retention.apply(BY, tonight) == {}
    for name in stay:
        storage.remove(name)
