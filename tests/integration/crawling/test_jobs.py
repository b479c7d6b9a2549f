"""Crawls as people order and end them, and groups that never take more than their places."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import accumulate
from typing import Any

import httpx
import msgspec
import pytest

from local.plan import INVOKER, POD
from local.stack import Stack
from shared.clients import firestore, kubernetes
from shared.clients.kubernetes_errors import QuotaExceeded
from shared.clock import utc_now
from shared.crawling import job_store, jobs, launching, pods, reaping, retailers, sharing
from shared.crawling.background_schemas import PodReport
from shared.crawling.hosts import HostShare, HostWord
from shared.crawling.ingestion import progress, reading, running
from shared.crawling.lifecycle import Result
from shared.crawling.models import CrawlJob, from_document
from shared.crawling.pod_manifest import JOB_LABEL, Launch, manifest
from shared.crawling.recipes import Limits, Listing, Site
from shared.crawling.results import Progress
from shared.crawling.schemas import Wanted
from shared.errors import Conflict, DependencyRefused, NotFound
from tests.integration.crawling import cloud
from tests.integration.crawling.cloud import ACTOR, after, as_admin, is_over, no_pods, reached
from tests.integration.edge.instance import instance
from tests.polling import eventually
from tests.sessions import ADMIN

SHOP = "Harbour Shop"
NOWHERE = "Nowhere Shop"


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with as_admin(stack) as client:
        yield client


def test_a_crawl_goes_from_its_order_to_its_result(stack: Stack, http: httpx.Client) -> None:
    told = cloud.put_recipe(http, SHOP, stack.plan.shop_url, delay_seconds=0.03)
    assert cloud.put_recipe(http, SHOP, stack.plan.shop_url, delay_seconds=0.03) == told
    listed = http.get("/api/crawler/retailers").json()["retailers"]
    assert SHOP in [each["retailer"] for each in listed]
    with as_admin(stack, ADMIN) as admin:
        assert admin.put(f"/api/crawler/retailers/{SHOP}", json={}).status_code == 403
        assert admin.get(f"/api/crawler/retailers/{SHOP}").json() == told
        answer = admin.post("/api/crawler/start", json={"retailer": SHOP, "category": "biscuits"})
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["job_id"]
        again = admin.post("/api/crawler/start", json={"retailer": SHOP, "category": "biscuits"})
        assert (again.status_code, "force" in again.json()["detail"]) == (409, True)
        ended = reached(admin, job_id, "completed")
    assert (ended["progress"], ended["products_found"]) == (100, 42)
    assert ended["pages_done"] == ended["pages_total"]
    listed = http.get("/api/crawler/jobs", params={"status": "completed", "retailer": SHOP})
    assert job_id in [each["job_id"] for each in listed.json()["jobs"]]
    trail = http.get("/api/audit/logs", params={"resource": f"crawl_jobs/{job_id}"}).json()
    assert [each["action"] for each in trail["entries"]] == ["crawl.started"]
    assert http.post(f"/api/crawler/stop/{job_id}").json()["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"retailer": "Nobody", "category": "tea"}, "retailer"),
        ({"retailer": SHOP, "category": "cars"}, "category"),
        ({"retailer": "a/b", "category": "tea"}, "retailer"),
        ({"retailer": SHOP, "category": "tea", "max_pages": 0}, "max_pages"),
    ],
)
def test_what_no_recipe_names_is_refused(
    stack: Stack, http: httpx.Client, body: dict[str, object], field: str
) -> None:
    cloud.put_recipe(http, SHOP, stack.plan.shop_url)
    answer = http.post("/api/crawler/start", json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_a_recipe_that_no_pod_could_follow_is_refused_field_by_field(http: httpx.Client) -> None:
    site = {
        "start_urls": {"tea": ["shop.example/tea"]},
        "listing": {"products": "li[["},
        "fields": {"name": "h1", "price": "//b"},
    }
    answer = http.put("/api/crawler/retailers/Wrong Shop", json=site)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = [each["field"] for each in answer.json()["errors"]]
    assert told == ["start_urls.tea[0]", "listing.products", "fields.price"]
    assert http.get("/api/crawler/retailers/Wrong Shop").status_code == 404


def test_a_group_asks_for_each_category_once(stack: Stack, http: httpx.Client) -> None:
    cloud.put_recipe(http, SHOP, stack.plan.shop_url)
    twice = [{"retailer": SHOP, "category": "tea", "max_pages": pages} for pages in (1, 2)]
    answer = http.post("/api/crawler/start-multiple", json={"jobs": twice})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "jobs[1]")


def test_a_stopped_crawl_keeps_what_it_found_by_the_recipe_that_it_read(
    stack: Stack, http: httpx.Client
) -> None:
    read = cloud.put_recipe(http, SHOP, stack.plan.shop_url, delay_seconds=0.3)
    job_id = cloud.start(http, SHOP, "chocolate")
    reached(http, job_id, "running", pages=3)
    changed = cloud.put_recipe(http, SHOP, stack.plan.shop_url, delay_seconds=0.2)
    assert changed["version"] == read["version"] + 1
    answers = [http.post(f"/api/crawler/stop/{job_id}").json()["status"] for _ in range(2)]
    assert answers == ["stopping", "stopping"]
    stopped = reached(http, job_id, "stopped")
    with instance(stack.environment()):
        job = job_store.read(job_id)
        manifest = reading.manifest(job)
    assert job.whole is False
    assert manifest is not None
    assert manifest.recipe_version == read["version"]
    assert job.rows == manifest.rows.rows == stopped["products_found"] > 0
    assert http.post("/api/crawler/stop/absent").status_code == 404


def test_only_a_pod_is_heard_and_only_the_one_that_holds_the_job(stack: Stack) -> None:
    with no_pods(stack):
        job = _ordered("heard")
        url = f"{stack.plan.functions_url}/crawl_report/internal/crawler/jobs/{job.id}/report"

        def post(email: str, token: int) -> httpx.Response:
            signed = stack.control.invoker_token(email=email)
            headers = {"Authorization": f"Bearer {signed}"}
            body = {"token": token, "order": True}
            return httpx.post(url, json=body, headers=headers, trust_env=False, timeout=60)

        assert post(INVOKER, 1).status_code == 403
        assert post(POD, 2).status_code == 409
        answer = post(POD, 1).json()
        assert (answer["status"], answer["stop"]) == ("running", False)
        assert answer["order"]["job"]["fencing_token"] == 1
        assert answer["order"]["recipe"]["retailer"] == NOWHERE
        jobs.stop(job.id, ACTOR)
        assert post(POD, 1).json()["stop"] is True
        with pytest.raises(Conflict):
            pods.hear(job.id, PodReport(token=1), after(61))
        # A pod may call what is the pods' and no task.
        task = f"{stack.plan.functions_url}/launch_crawl"
        signed = {"Authorization": f"Bearer {stack.control.invoker_token(email=POD)}"}
        assert httpx.post(task, json={}, headers=signed, trust_env=False).status_code == 403
        pods.hear(job.id, PodReport(token=1, failed="enough"))


def test_a_report_is_written_once_a_second_at_most_and_a_last_word_counts_once(
    stack: Stack,
) -> None:
    with no_pods(stack):
        job = _ordered("reports")
        pods.hear(job.id, PodReport(token=1, order=True))
        first = job_store.read(job.id)
        pods.hear(job.id, PodReport(token=1, progress=Progress(9, 9, 9, 1.0, None)))
        assert job_store.read(job.id) == first
        last = PodReport(token=1, result=Result("completed", whole=True, rows=9))
        pods.hear(job.id, last)
        ended = job_store.read(job.id)
        assert pods.hear(job.id, last).status == "completed"
        assert job_store.read(job.id) == ended
        with pytest.raises(Conflict):
            pods.hear(job.id, PodReport(token=1, progress=Progress(1, 9, 9, 1.0, None)))
        with pytest.raises(NotFound):
            pods.hear("absent", PodReport(token=1))


def test_pods_of_one_host_are_told_of_each_other_and_of_its_rests(stack: Stack) -> None:
    host = "shared.example"
    with no_pods(stack):
        # Two retailers of one site, which also answers at its second name.
        starts = {"tea": [f"https://{host}/tea", "https://cdn.example/tea"]}
        for retailer, delay in (("One", 1.0), ("Other", 3.0)):
            site = Site(start_urls=starts, listing=Listing(), limits=Limits(delay_seconds=delay))
            retailers.write(retailer, site, None, ACTOR)
        one, other = (jobs.start(name, "tea", force=True, by=ACTOR) for name in ("One", "Other"))
        begun = pods.hear(one.id, PodReport(token=1, order=True))
        assert begun.hosts.keys() == {host, "cdn.example"}
        assert {(each.pods, each.delay_seconds) for each in begun.hosts.values()} == {(1, 1.0)}
        met = pods.hear(other.id, PodReport(token=1, order=True)).hosts[host]
        assert (met.pods, met.delay_seconds) == (2, 3.0)

        def told(job: CrawlJob, delay: float, rest: float = 0.0, **last: Any) -> HostShare:
            words = [HostWord(host, delay, rest), HostWord("elsewhere.example", 9.0, 99.0)]
            return pods.hear(job.id, PodReport(token=1, hosts=words, **last)).hosts[host]

        # robots.txt of the host asks for more than either recipe.
        assert told(one, 1.0).delay_seconds == 3.0
        assert told(other, 5.0, 600.0).delay_seconds == 5.0
        share = told(one, 1.0)
        assert (share.pods, share.delay_seconds) == (2, 5.0)
        assert 590 < share.rest_seconds <= 600
        stored = sharing.reference(host).get(**firestore.limits())
        told(one, 1.0)
        # What says nothing new is read and not written; what is not the crawl's counts for nobody.
        assert sharing.reference(host).get(**firestore.limits()).update_time == stored.update_time
        assert not sharing.reference("elsewhere.example").get(**firestore.limits()).exists
        told(other, 5.0, failed="enough")
        assert told(one, 1.0).pods == 1
        told(one, 1.0, failed="enough")
        # Nobody is left, but the host rests.
        rested = sharing.reference(host).get(**firestore.limits()).to_dict() or {}
        assert rested["pods"] == {}
        sharing.reference(host).delete(**firestore.limits())


def test_a_slot_of_a_schedule_has_one_crawl_however_often_it_is_asked_for(stack: Stack) -> None:
    with no_pods(stack):
        _recipe(["slot"])

        def dispatch(slot: str) -> str:
            return jobs.start(NOWHERE, "slot", by=ACTOR, schedule_id="a-schedule", slot=slot).id

        (job_id,) = {dispatch("2026-03-01") for _ in range(3)}
        with pytest.raises(Conflict, match="force"):
            dispatch("2026-03-02")
        jobs.stop(job_id, ACTOR)


def test_a_launch_that_cannot_be_fails_the_crawl_and_one_that_was_lost_is_asked_for_again(
    stack: Stack,
) -> None:
    with no_pods(stack):
        job = _ordered("launch")
        assert reaping.sweep().relaunched == 0
        assert reaping.sweep(after(31)).relaunched >= 1
        launching.give_up(job.id, 2)
        assert job_store.read(job.id).status == "queued"
        launching.give_up(job.id, 1)
        assert (job_store.read(job.id).status, launching.launch(job.id, 1)) == ("failed", False)
        job = _ordered("launch")
        with (
            instance(stack.environment(), CRAWLER_NAMESPACE="another"),
            pytest.raises(DependencyRefused),
        ):
            launching.launch(job.id, 1)
        failed = job_store.read(job.id)
        assert (failed.status, "forbidden" in (failed.error or "")) == ("failed", True)
        _waits_for_a_cluster_that_is_away(stack, _ordered("launch").id)


def test_a_job_of_the_cluster_that_no_crawl_knows_is_removed(stack: Stack) -> None:
    launch = Launch("a-crawl-that-nobody-knows", 1, 3600, browser=False)
    name = f"crawl-{launch.job_id}-1"

    def pid() -> int | None:
        pids: dict[str, int] = {each["name"]: each["pid"] for each in stack.control.pods()}
        return pids.get(name)

    functions = stack.part("functions")
    with no_pods(stack):
        # The cluster is looked at while there are crawls.
        job = _ordered("known")
        # A pod asks for its order until it is answered, and would end if it were told of none.
        functions.pause()
        try:
            kubernetes.create_job(manifest(launch, launching._place()))
            orphan = eventually(pid)
            assert reaping.sweep().orphans >= 1
            eventually(lambda: is_over(orphan))
        finally:
            functions.resume()
        assert kubernetes.list_jobs(f"{JOB_LABEL}={launch.job_id}") == []
        jobs.stop(job.id, ACTOR)


def _waits_for_a_cluster_that_is_away(stack: Stack, job_id: str) -> None:
    pauses = []
    with instance(stack.environment(), GKE_ENDPOINT="http://127.0.0.1:9"):
        for _ in range(3):
            assert not launching.launch(job_id, 1)
            waiting = job_store.read(job_id)
            assert waiting.lease_until is not None
            pauses.append((waiting.lease_until - utc_now()).total_seconds())
    assert (waiting.status, waiting.waits) == ("queued", 3)
    assert "cannot be reached" in (waiting.error or "")
    # Shorter by what the machine took.
    assert all(
        most - 12 < found <= most for found, most in zip(pauses, (315, 330, 360), strict=True)
    )
    # A pod that came all the same, since the cluster's answer was lost, is heard.
    pods.hear(job_id, PodReport(token=1, order=True))
    assert (job_store.read(job_id).status, job_store.read(job_id).error) == ("running", None)
    pods.hear(job_id, PodReport(token=1, failed="enough"))


def test_a_cluster_that_is_full_makes_a_crawl_wait_and_says_so(
    stack: Stack, http: httpx.Client
) -> None:
    cloud.put_recipe(http, SHOP, stack.plan.shop_url, delay_seconds=0)
    stack.control.limit_pods(0)
    try:
        job_id = cloud.start(http, SHOP, "biscuits")
        eventually(lambda: "error" in cloud.status(http, job_id))
        waiting = cloud.status(http, job_id)
    finally:
        stack.control.limit_pods(None)
    assert waiting["status"] == "queued"
    assert "exceeded quota: crawls" in waiting["error"]
    with instance(stack.environment()):
        assert job_id not in _asked_again(0)
        assert job_id in _asked_again(50)
    assert "error" not in reached(http, job_id, "completed")


def _asked_again(seconds: float) -> list[str]:
    """Which crawls the sweep asks again for, so much later."""
    with pytest.MonkeyPatch.context() as patched:
        asked: list[str] = []
        launch = jobs.launch

        def noted(wanted: list[CrawlJob], turn: str = "0") -> None:
            asked.extend(job.id for job in wanted)
            launch(wanted, turn)

        patched.setattr(jobs, "launch", noted)
        reaping.sweep(after(seconds))
    return asked


def test_no_crawl_keeps_the_sweep_from_another(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_pods(stack, GKE_ENDPOINT=None):
        categories = [f"queued{number}" for number in range(12)]
        _recipe(categories)
        wanted = [Wanted(NOWHERE, category) for category in categories]
        _, grouped = jobs.start_multiple(wanted, 1, force=True, by=ACTOR)
        _recipe(["fine"], "Unreadable Shop")
        broken = jobs.start("Unreadable Shop", "fine", force=True, by=ACTOR)
        recipe = firestore.client().collection(retailers.COLLECTION).document("Unreadable Shop")
        recipe.update({"site.currency": "none"})
        asked: list[str] = []

        def launch(wanted: list[CrawlJob], turn: str = "0") -> None:  # noqa: ARG001
            asked.extend(job.id for job in wanted)

        monkeypatch.setattr(jobs, "launch", launch)
        with monkeypatch.context() as small:
            # Those that wait for a place would fill it.
            small.setattr(reaping, "MOST", 2)
            reaping.sweep(after(31))
        assert set(asked) == {grouped[0].id, broken.id}
        # One has a recipe that nobody can read.
        reaping.sweep(after(301))
        assert job_store.read(broken.id).status == "failed"
        assert job_store.read(grouped[0].id).token == 2
        monkeypatch.undo()
        recipe.delete()
        for job in reversed(grouped):
            jobs.stop(job.id, ACTOR)


def test_a_lost_crawl_is_told_once_and_its_end_once_however_often_they_are_met(
    stack: Stack,
) -> None:
    shop = "Twice Lost Shop"
    with no_pods(stack, GKE_ENDPOINT=None):
        site = Site(start_urls={"tea": ["https://shop.example/"]}, listing=Listing(), restarts=2)
        retailers.write(shop, site, None, ACTOR)
        stack.control.empty_sink()
        job = jobs.start(shop, "tea", force=True, by=ACTOR)
        for token in (1, 2, 3):
            pods.hear(job.id, PodReport(token=token, order=True))
            job_store.change(job.id, _expired)
            # Two meet once; the emulator lets those that meet wait for seconds.
            with ThreadPoolExecutor(2 if token == 1 else 1) as pool:
                list(pool.map(lambda _: reaping.sweep(), range(2)))
            with pytest.raises(Conflict):
                pods.hear(job.id, PodReport(token=token))
        assert (job_store.read(job.id).status, job_store.read(job.id).attempt) == ("failed", 3)
        eventually(lambda: (known := progress.read(job.id)) and known.told == "sent")
        for _ in range(2):
            running.ingest(job.id, ACTOR)
            reaping.sweep()
        told = [str(each["text"]) for each in stack.control.taken() if shop in str(each["text"])]
    end, loss = told
    assert "begun anew" in loss
    assert f"{shop}, tea (attempt 2)" in loss
    assert "failed at attempt 3" in end
    assert "not heard of" in end


CONCURRENCY, JOBS = 4, 50
# In how many rounds all who run end at once. GROUP_MEETINGS=150 is all of them, and takes minutes.
MEETINGS = int(os.environ.get("GROUP_MEETINGS", "2"))
# What becomes of a job of the group, at random: its pod's own end, or an accident on the way there.
FATES = ("done", "fails", "stop", "never placed", "lost", "refused", "full")
CLUSTER = {"refused": DependencyRefused("no right"), "full": QuotaExceeded("exceeded quota")}


def test_a_group_of_fifty_with_random_failures_never_takes_more_than_its_places(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(6)  # noqa: S311 - the same accidents each time
    categories = [f"group{number}" for number in range(JOBS)]
    # Without a cluster to look after, which is another drill.
    with no_pods(stack, GKE_ENDPOINT=None):
        _recipe(categories)
        wanted = [Wanted(NOWHERE, category) for category in categories]
        group_id, ordered = jobs.start_multiple(wanted, CONCURRENCY, force=False, by=ACTOR)
        assert [job.lease_until is not None for job in ordered].count(True) == CONCURRENCY
        ends = {job.id: chance.choice(FATES) for job in ordered}
        assert set(ends.values()) == set(FATES)
        monkeypatch.setattr(kubernetes, "create_job", lambda made: _refuses(made, ends))
        for job in ordered[CONCURRENCY:]:
            if ends[job.id] == "never placed":
                jobs.stop(job.id, ACTOR)
        with _observed(group_id) as places:
            # Nobody can need more rounds than that: each ends a job, or loses one once.
            for number in range(3 * JOBS):
                placed = _placed(group_id)
                if not placed:
                    break
                # Who ends at once meets at the group; the emulator lets them wait for seconds.
                with ThreadPoolExecutor(CONCURRENCY if number < MEETINGS else 1) as pool:
                    list(pool.map(lambda job: _played(job, ends[job.id]), placed))
                reaping.sweep()
            eventually(lambda: places[-1] == 0)
        assert max(places) == CONCURRENCY
        found = _of_group(group_id)
        assert all(job.ended for job in found)
        lost = [job for job in found if ends[job.id] == "lost"]
        # Lost, begun anew in its own place, and then done: nothing is lost for good.
        assert {(job.status, job.token) for job in lost} == {("completed", 2)}
        assert [job.token for job in found if ends[job.id] != "lost"].count(1) == JOBS - len(lost)
        refused = [job for job in found if ends[job.id] == "refused"]
        assert all(job.status == "failed" and "no right" in str(job.error) for job in refused)
        full = [job for job in found if ends[job.id] == "full"]
        assert {(job.status, job.waits, job.error) for job in full} == {("completed", 1, None)}
        assert _most_at_once(found) == CONCURRENCY


@contextmanager
def _observed(group_id: str) -> Iterator[list[int]]:
    """How many jobs of the group have a place, with each state that the database tells of."""
    places: list[int] = []

    def seen(documents: Any, _changes: Any, _at: Any) -> None:
        found = [from_document(each.id, each.to_dict() or {}) for each in documents]
        places.append(sum(job.lease_until is not None and not job.ended for job in found))

    watch = _in_group(group_id).on_snapshot(seen)
    try:
        eventually(lambda: places)
        yield places
    finally:
        watch.unsubscribe()


def _most_at_once(found: list[CrawlJob]) -> int:
    """The most places that were taken at one moment, counted at each change of the jobs' own times.

    A job has its place from `placed_at` to `finished_at`, restarts and waits included. Who ends
    gives its place to the next in one commit, and so at one moment: ends come first.
    """
    changes = []
    for job in found:
        if job.placed_at is not None:
            assert job.finished_at is not None
            changes += [(job.placed_at, 1), (job.finished_at, -1)]
    taken = list(accumulate(change for _, change in sorted(changes)))
    assert taken[-1] == 0
    return max(taken)


def _refuses(made: dict[str, Any], ends: dict[str, str]) -> bool:
    """The cluster's word on a launch: none for some jobs."""
    raise CLUSTER[ends[made["metadata"]["labels"][JOB_LABEL]]]


def _placed(group_id: str) -> list[CrawlJob]:
    """Who may run, which is what the group counts."""
    placed = [job for job in _of_group(group_id) if not job.ended and job.lease_until is not None]
    group = job_store.group_reference(group_id).get(**firestore.limits()).to_dict() or {}
    assert len(placed) <= CONCURRENCY
    assert sorted(group["running"]) == sorted(job.id for job in placed)
    return placed


def _played(job: CrawlJob, end: str) -> None:
    """A pod's turn; where it meets others it comes again, as a report does."""
    while True:
        try:
            return _turn(job_store.read(job.id), end)
        except Conflict:
            if job_store.read(job.id).ended:
                return None


def _turn(job: CrawlJob, end: str) -> None:
    if end in CLUSTER and not job.waits:
        with suppress(DependencyRefused):
            launching.launch(job.id, job.token)
        return
    if job.status == "queued":
        pods.hear(job.id, PodReport(token=job.token, order=True))
    if end == "lost" and job.token == 1:
        # Its lease only: a sweep with another clock would take the others' too.
        job_store.change(job.id, _expired)
        return
    told = PodReport(token=job.token, result=Result("completed", whole=True, rows=1))
    if end == "fails":
        told = PodReport(token=job.token, failed="at random")
    elif end in ("stop", "never placed"):
        jobs.stop(job.id, ACTOR)
        told = PodReport(token=job.token, result=Result("stopped", whole=False, rows=0))
    pods.hear(job.id, told)


def _expired(job: CrawlJob, _: object) -> CrawlJob:
    return msgspec.structs.replace(job, lease_until=utc_now() - timedelta(seconds=1))


def _of_group(group_id: str) -> list[CrawlJob]:
    found = _in_group(group_id).stream(**firestore.limits())
    return [from_document(s.id, s.to_dict() or {}) for s in found]


def _in_group(group_id: str) -> Any:
    from google.cloud.firestore import FieldFilter

    only = FieldFilter("group_id", "==", group_id)
    return firestore.client().collection(job_store.COLLECTION).where(filter=only)


def _ordered(category: str) -> CrawlJob:
    _recipe([category])
    return jobs.start(NOWHERE, category, force=True, by=ACTOR)


def _recipe(categories: list[str], retailer: str = NOWHERE) -> None:
    starts = {category: ["https://shop.example/"] for category in categories}
    retailers.write(retailer, Site(start_urls=starts, listing=Listing()), None, ACTOR)
