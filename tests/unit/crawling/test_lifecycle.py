"""The table of transitions: what a job may become, whatever comes in whatever order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crawling import job_store, lifecycle
from shared.crawling.lifecycle import Event, Impossible, Refused, Result, Terms
from shared.crawling.models import ENDED, CrawlJob, Status, from_document, to_document
from shared.crawling.results import Ending, Progress
from shared.crawling.schemas import JobStatus

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TERMS = Terms(lease_seconds=60, start_seconds=300, stop_seconds=30, restarts=1)
FIGURES = Progress(5, 20, 4, 2.0, 7.5, 1)
WHOLE = Result("completed", whole=True, rows=4)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def queued(**more: Any) -> CrawlJob:
    job = CrawlJob(
        id="j", retailer="Shop", category="tea", requested_by="u", created_at=NOON, **more
    )
    return lifecycle.admitted(job, NOON, TERMS)


def running(seconds: float = 0) -> CrawlJob:
    return lifecycle.told(queued(), FIGURES, later(seconds), TERMS)


def test_the_table_leads_out_of_no_end_and_every_status_has_a_way_to_one() -> None:
    assert not [status for status, _ in lifecycle.TRANSITIONS if status in ENDED]
    for status in get_args(Status):
        reached, fresh = {status}, {status}
        while fresh:
            fresh = {to for (of, _), to in lifecycle.TRANSITIONS.items() if of in fresh} - reached
            reached |= fresh
        assert reached & set(ENDED)


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("event", get_args(Event))
def test_what_the_table_does_not_know_is_impossible(status: Status, event: Event) -> None:
    if (status, event) in lifecycle.TRANSITIONS:
        assert lifecycle.step(status, event) == lifecycle.TRANSITIONS[status, event]
    else:
        with pytest.raises(Impossible):
            lifecycle.step(status, event)


def test_what_keeps_a_crawl_is_shown_while_it_does() -> None:
    note = "The pod sets up its browser."
    figures = msgspec.structs.replace(FIGURES, note=note)
    kept = lifecycle.told(running(), figures, later(1), TERMS)

    assert JobStatus.of(kept).note == note
    assert JobStatus.of(lifecycle.told(kept, FIGURES, later(2), TERMS)).note is None
    ended = lifecycle.finished(kept, WHOLE, "manifest", later(2), TERMS)
    assert JobStatus.of(ended).note is None


def test_the_first_report_claims_the_job_and_each_lengthens_the_lease() -> None:
    job = running(10)

    assert (job.status, job.started_at, job.lease_until) == ("running", later(10), later(70))
    job = lifecycle.told(job, FIGURES, later(50), TERMS)
    assert (job.status, job.started_at, job.lease_until) == ("running", later(10), later(110))
    assert (job.pages_done, job.pages_total, job.pages_failed, job.percent) == (5, 20, 1, 25)


def test_a_pod_is_refused_once_its_token_its_job_or_its_lease_is_over() -> None:
    job = running()

    lifecycle.check_pod(job, 1, later(59.9))
    for other, token, seconds in (
        (job, 2, 0),
        (job, 1, 60),
        (lifecycle.failed(job, "why", later(1)), 1, 2),
        (lifecycle.lost(job, later(61), TERMS), 1, 62),
        (msgspec.structs.replace(queued(), lease_until=None), 1, 0),
    ):
        with pytest.raises(Refused):
            lifecycle.check_pod(other, token, later(seconds))


def test_a_stop_gives_a_running_pod_a_while_and_no_heartbeat_makes_it_longer() -> None:
    job = lifecycle.stopped(running(), later(5), TERMS)

    assert (job.status, job.lease_until) == ("stopping", later(35))
    assert lifecycle.stopped(job, later(6), TERMS) is job
    assert lifecycle.told(job, FIGURES, later(30), TERMS).lease_until == later(35)
    ended = lifecycle.finished(job, Result("stopped", whole=False, rows=3), "m", later(31), TERMS)
    assert (ended.status, ended.manifest, ended.rows, ended.whole) == ("stopped", "m", 3, False)


def test_a_stop_ends_what_has_no_pod_and_what_is_stuck_at_once() -> None:
    assert lifecycle.stopped(queued(), NOON, TERMS).status == "stopped"
    stuck = lifecycle.stopped(running(), later(61), TERMS)
    assert (stuck.status, stuck.finished_at, stuck.lease_until) == ("stopped", later(61), None)
    stopping = lifecycle.stopped(running(), later(5), TERMS)
    assert lifecycle.stopped(stopping, later(36), TERMS).status == "stopped"
    assert lifecycle.stopped(stuck, later(99), TERMS) is stuck


def test_a_lost_pod_is_replaced_as_often_as_the_recipe_says_from_the_beginning() -> None:
    again = lifecycle.lost(running(), later(61), TERMS)

    assert (again.status, again.token, again.attempt) == ("queued", 2, 2)
    assert (again.pages_done, again.products_found, again.started_at) == (0, 0, None)
    assert again.lease_until == later(361)
    over = lifecycle.lost(again, later(400), TERMS)
    assert (over.status, over.error) == ("failed", lifecycle.ABSENT)
    never = msgspec.structs.replace(TERMS, restarts=0)
    assert lifecycle.lost(running(), later(61), never).error == lifecycle.LOST


def test_a_cluster_without_room_lengthens_the_lease_by_growing_pauses_for_a_day() -> None:
    job, now, pauses = queued(), NOON, []
    for _ in range(lifecycle.MOST_WAITS):
        job = lifecycle.waiting(job, "full", now, TERMS)
        assert (job.status, job.error, job.lease_until is not None) == ("queued", "full", True)
        # The sweep asks again once no more than the usual time to begin is left.
        pauses.append((job.lease_until or now) - now - timedelta(seconds=TERMS.start_seconds))
        now += pauses[-1]
    assert [each.total_seconds() for each in pauses[:8]] == [15, 30, 60, 120, 240, 480, 600, 600]
    assert timedelta(hours=23) < now - NOON < timedelta(hours=26)
    over = lifecycle.waiting(job, "full", now, TERMS)
    assert (over.status, over.error) == ("failed", "full")
    claimed = lifecycle.told(job, FIGURES, now, TERMS)
    assert (claimed.status, claimed.error) == ("running", None)


def test_of_a_jobs_lost_pods_one_is_told_and_its_place_stays_its_own() -> None:
    job, told = running(), 0
    terms = msgspec.structs.replace(TERMS, restarts=3)
    for number in range(1, 5):
        before, job = job, lifecycle.lost(job, later(1_000 * number), terms)
        told += job.loss_told and not before.loss_told
        assert job.placed_at == NOON
    assert (job.status, job.attempt, told) == ("failed", 4, 1)
    assert not lifecycle.lost(running(), later(61), Terms(60, 300, 30)).loss_told


def test_the_result_says_how_a_crawl_ended() -> None:
    def after(ending: str, **terms: Any) -> CrawlJob:
        given = msgspec.structs.replace(TERMS, **terms)
        result = Result(msgspec.convert(ending, Ending), whole=False, rows=2, detail="d")
        return lifecycle.finished(running(), result, "m", later(9), given)

    assert [after(each).status for each in ("completed", "page_limit", "row_limit")] == [
        "completed"
    ] * 3
    assert (after("time_over").status, after("time_over").error) == (
        "completed",
        lifecycle.TIME_OVER,
    )
    assert (after("failed").status, after("failed").error) == ("failed", "d")
    # Nobody asked for that stop: the cluster took the pod away.
    assert (after("stopped").status, after("stopped").token) == ("queued", 2)
    taken = after("stopped", restarts=0)
    assert (taken.status, taken.error, taken.rows) == ("failed", lifecycle.EVICTED, 2)


EVENTS = st.sampled_from(["tell", "finish", "stop", "lose", "fail", "wait"])


def test_a_pod_says_no_more_than_a_document_and_its_readers_bear() -> None:
    told = {"ending": "failed", "whole": False, "rows": 0}
    assert msgspec.convert({**told, "detail": "x" * 500}, Result).detail is not None
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**told, "detail": "x" * 501}, Result)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(1, 3), st.integers(0, 90)), max_size=25))
def test_whatever_comes_in_whatever_order_an_end_is_final_and_tokens_only_rise(
    events: list[tuple[str, int, int]],
) -> None:
    job, now = queued(), NOON
    for event, token, seconds in events:
        before, now = job, now + timedelta(seconds=seconds)
        try:
            job = _after(event, job, token, now)
        except Refused:
            assert token != job.token or job.ended or lifecycle.overdue(job, now)
        if before.ended:
            assert job is before
        assert job.token >= before.token
        assert job.loss_told or not before.loss_told
        assert job is before or job.version > before.version
        assert job.attempt <= TERMS.restarts + 1
        assert (job.lease_until is None) == job.ended
        assert job.manifest in (None, f"m{job.token}")
        assert from_document(job.id, to_document(job)) == job


def _after(event: str, job: CrawlJob, token: int, now: datetime) -> CrawlJob:
    """The job after the event, itself where that has no part in it; raises Refused."""
    if event in ("tell", "finish", "fail"):
        lifecycle.check_pod(job, token, now)
    if event == "finish":
        told = lifecycle.told(job, FIGURES, now, TERMS)
        return lifecycle.finished(told, WHOLE, f"m{token}", now, TERMS)
    if event == "wait" and job.status != "queued":
        return job
    if event == "lose" and not lifecycle.overdue(job, now):
        return job
    steps: dict[str, Callable[[], CrawlJob]] = {
        "tell": lambda: lifecycle.told(job, FIGURES, now, TERMS),
        "fail": lambda: lifecycle.failed(job, "why", now),
        "stop": lambda: lifecycle.stopped(job, now, TERMS),
        "wait": lambda: lifecycle.waiting(job, "full", now, TERMS),
        "lose": lambda: lifecycle.lost(job, now, TERMS),
    }
    return steps[event]()


@given(
    st.integers(1, 5),
    st.lists(st.integers(0, 30), max_size=60),
)
def test_a_group_never_has_more_places_than_it_may(concurrency: int, leaving: list[int]) -> None:
    names = [str(number) for number in range(30)]
    running_ones, waiting = names[:concurrency], names[concurrency:]
    begun = set(running_ones)
    for number in leaving:
        left = str(number)
        running_ones, waiting, new = job_store.places(running_ones, waiting, concurrency, left)
        assert len(running_ones) <= concurrency
        assert not begun & set(new)
        assert left not in running_ones
        begun |= set(new)
        assert len(running_ones) == concurrency or not waiting


def test_progress_is_said_only_when_it_is_known() -> None:
    growing = lifecycle.told(queued(), Progress(5, 20, 4, 2.0, None, 0, growing=True), NOON, TERMS)

    assert JobStatus.of(growing).progress is None
    assert JobStatus.of(queued()).progress is None
    assert JobStatus.of(running()).progress == 25
    done = lifecycle.finished(running(), WHOLE, "m", later(60), TERMS)
    told = JobStatus.of(done)
    assert (told.progress, told.duration_seconds, told.seconds_left) == (100, 60.0, None)
