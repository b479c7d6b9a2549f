"""What is kept how long: which collection, by which of its fields, and which setting says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from shared.system.configuration_records import RetentionDays

# Of who was active on which day; a year and the season before it can be compared.
ACTIVITY_DAYS: Final = 400
# Where all that is written for somebody to fetch lies, and below it a folder for each night.
EXPORTS: Final = "exports/"
# Where crawls lie, in a folder for each job.
CRAWLS: Final = "crawls/"
NIGHTLY: Final = "exports/nightly/"
MANIFEST: Final = "manifest.json"
JOBS: Final = "crawl_jobs"
# By then a crawl's rows are taken in, and no pod of it runs any more.
SETTLED: Final = timedelta(days=1)
# What a superseded pod left is found in the nights after that, without reading each job each night.
LOOKED_FOR: Final = timedelta(days=4)

Setting = Literal["sessions", "audit_logs", "results", "crawl_results", "activity"]


class Kept(msgspec.Struct, frozen=True):
    """Documents that go once `field` is older than the `setting` says.

    `field` holds a moment or, `as_day`, a date such as 2026-03-01; documents where it is absent
    or null stay.
    """

    collection: str
    field: str
    setting: Setting
    as_day: bool = False


# What lives a fixed time instead is in the EXPIRING of tools/indexes.py: Firestore removes that.
# Proposals are in neither: what a person refused, and which version came last, must be known as
# long as the product stands. There is one for a product, and it goes with it.
KEPT: Final = (
    Kept("sessions", "expires_at", "sessions"),
    Kept("audit_logs", "at", "audit_logs"),
    # As long as the audit entries that name them.
    Kept("uploads", "created_at", "audit_logs"),
    Kept("upload_chunks", "created_at", "audit_logs"),
    Kept("price_uploads", "created_at", "audit_logs"),
    Kept("price_upload_chunks", "created_at", "audit_logs"),
    # The decided ones; what waits stays.
    Kept("classification_reviews", "decided_at", "audit_logs"),
    Kept("weekly_reports", "claimed_at", "audit_logs"),
    Kept("exports", "created_at", "results"),
    Kept("nightly_exports", "began_at", "results"),
    Kept("rematches", "started_at", "results"),
    # Jobs first: what is known of a job's rows keeps a late event from bringing them back.
    Kept(JOBS, "finished_at", "crawl_results"),
    Kept("crawl_ingestions", "finished_at", "crawl_results"),
    Kept("user_activity", "day", "activity", as_day=True),
)


def days_of(setting: Setting, configured: RetentionDays) -> int:
    """How many days the setting says."""
    if setting == "activity":
        return ACTIVITY_DAYS
    days: int = getattr(configured, setting)
    return days


def oldest_kept(kept: Kept, configured: RetentionDays, now: datetime) -> datetime | str:
    """The value of the field below which a document goes."""
    moment = now - timedelta(days=days_of(kept.setting, configured))
    return moment.date().isoformat() if kept.as_day else moment


def file_is_over(name: str, written_at: datetime, days: int, now: datetime) -> bool:
    """Whether an export's object goes; a night's go together, whenever written."""
    if name.startswith(NIGHTLY):
        day = name.removeprefix(NIGHTLY).partition("/")[0]
        return day < (now - timedelta(days=days)).date().isoformat()
    return name.startswith(EXPORTS) and written_at < now - timedelta(days=days)


def crawl_is_asked_about(written_at: datetime, days: int, now: datetime) -> bool:
    """Whether an object of a crawl may go, as its job says."""
    age = now - written_at
    return SETTLED < age < LOOKED_FOR or age > timedelta(days=days)


def crawl_file_is_over(
    name: str, written_at: datetime, job: Mapping[str, Any] | None, days: int, now: datetime
) -> bool:
    """Whether an object of a crawl goes: with its job, or sooner where it does not count.

    What lies beside the manifest that the job names stays as long as the job.
    """
    if job is None:
        return written_at < now - timedelta(days=days)
    finished_at, manifest = job.get("finished_at"), job.get("manifest")
    if finished_at is None or finished_at > now - SETTLED:
        return False
    return manifest is None or not name.startswith(f"{manifest.rpartition('/')[0]}/")


def in_order_of_removal(names: list[str]) -> list[str]:
    """The names with manifests first, so that no manifest names what is gone."""
    return sorted(names, key=lambda name: (not name.endswith(f"/{MANIFEST}"), name))
