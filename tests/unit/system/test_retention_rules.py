"""What is kept how long, by the settings and by the names of files."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.system.configuration_records import DEFAULTS
from shared.system.retention_rules import (
    KEPT,
    crawl_file_is_over,
    crawl_is_asked_about,
    file_is_over,
    in_order_of_removal,
    oldest_kept,
)
from tools.indexes import EXPIRING

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
COUNTED = f"crawls/a/{2:012d}/manifest.json"
DAYS = msgspec.structs.replace(
    DEFAULTS.retention_days,
    sessions=3,
    audit_logs=30,
    results=7,
    crawl_results=20,
    deleted_products=90,
)


def test_nothing_is_removed_by_two() -> None:
    assert not {kept.collection for kept in KEPT} & set(EXPIRING)


@pytest.mark.parametrize(
    ("collection", "oldest"),
    [
        ("sessions", NOW - timedelta(days=3)),
        ("audit_logs", NOW - timedelta(days=30)),
        ("exports", NOW - timedelta(days=7)),
        # What an audit entry names is there as long as the entry.
        ("uploads", NOW - timedelta(days=30)),
        ("upload_chunks", NOW - timedelta(days=30)),
        ("price_uploads", NOW - timedelta(days=30)),
        ("crawl_ingestions", NOW - timedelta(days=20)),
        ("user_activity", "2025-02-03"),
    ],
)
def test_the_settings_say_how_long(collection: str, oldest: object) -> None:
    (kept,) = (each for each in KEPT if each.collection == collection)
    assert oldest_kept(kept, DAYS, NOW) == oldest


@pytest.mark.parametrize(
    ("name", "age_days", "over"),
    [
        ("exports/0a.csv", 6.9, False),
        ("exports/0a.csv", 7.1, True),
        ("exports/nightly/2026-03-03/manifest.json", 7.1, False),
        ("exports/nightly/2026-03-03/products-0.ndjson.gz", 7.1, False),
        ("exports/nightly/2026-03-02/manifest.json", 6.9, True),
        ("pictures/0a/160.webp", 999, False),
    ],
)
def test_a_file_goes_by_its_age_and_a_night_as_a_whole(
    *, name: str, age_days: float, over: bool
) -> None:
    assert file_is_over(name, NOW - timedelta(days=age_days), 7, NOW) is over


@pytest.mark.parametrize(
    ("token", "age_days", "job", "over"),
    [
        # Its job is gone, or was never known: it goes once it is as old as a job may be.
        (2, 6.9, None, False),
        (2, 7.1, None, True),
        # Beside the manifest that counts, whatever its age.
        (2, 2, {"finished_at": NOW - timedelta(days=2), "manifest": COUNTED}, False),
        (2, 99, {"finished_at": NOW - timedelta(days=6), "manifest": COUNTED}, False),
        # Of a pod that was superseded, and of one that left no result.
        (1, 2, {"finished_at": NOW - timedelta(days=2), "manifest": COUNTED}, True),
        (1, 2, {"finished_at": NOW - timedelta(days=2), "manifest": None}, True),
        # A crawl that goes on, and one whose rows are being taken in.
        (1, 99, {"finished_at": None, "manifest": None}, False),
        (1, 2, {"finished_at": NOW - timedelta(hours=23), "manifest": COUNTED}, False),
    ],
)
def test_what_a_crawl_left_goes_with_its_job_and_sooner_where_it_does_not_count(
    token: int, age_days: float, job: dict[str, object] | None, *, over: bool
) -> None:
    written_at = NOW - timedelta(days=age_days)
    name = f"crawls/a/{token:012d}/rows-1.ndjson.gz"
    assert crawl_file_is_over(name, written_at, job, 7, NOW) is over
    assert crawl_is_asked_about(written_at, 7, NOW) or not over


def test_no_job_is_read_for_what_neither_a_late_pod_nor_an_old_crawl_left() -> None:
    ages = (0.5, 0.9, 1.1, 3.9, 4.1, 6.9, 7.1, 99)
    asked = [crawl_is_asked_about(NOW - timedelta(days=age), 7, NOW) for age in ages]
    assert asked == [False, False, True, True, False, False, True, True]


def test_no_manifest_outlives_what_it_names() -> None:
    names = ["exports/nightly/2026-03-02/a.gz", "exports/nightly/2026-03-02/manifest.json"]
    assert in_order_of_removal(names) == names[::-1]
