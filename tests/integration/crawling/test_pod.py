"""The pod on the test shop: what it finds, what it never asks for, what is left when it dies."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crawler_pod.running import Refusal
from local.plan import ROOT
from local.shop.assortment import DEPARTMENTS
from local.shop.server import FAULTS, Faults, Shop
from local.shop.truth import recipe, truth
from shared.crawling.recipes import Job, Listing, Recipe
from shared.crawling.results import Manifest
from tests.integration.crawling.support import LIMITS, crawled, rows, serving, shop_recipe
from tests.polling import eventually

NO_BROWSER = {"browses": False}
FAST = [each for each, markup in DEPARTMENTS.items() if markup != "script"]
EXPECTED_FAULTS = {
    "/broken": "status_500",
    "/gone": "status_404",
    "/large": "too_large",
    "/not-html": "no_page",
    "/loop": "redirects",
    "/private/offers": "disallowed",
    "/to-private": "disallowed",
}


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, Shop]]:
    with serving(Faults()) as served:
        yield served


@pytest.mark.parametrize("category", FAST)
def test_a_department_is_found_exactly_and_nothing_forbidden_is_asked(
    category: str, site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, shop = site
    shop.log.clear()
    manifest, heard = crawled(shop_recipe(origin), Job("a-job", category, 7), tmp_path)

    assert rows(tmp_path, manifest) == truth(origin, category)
    # Among the shop's faults are pages that cannot be had.
    assert (manifest.ending, manifest.whole, heard.ended_told) == ("completed", False, [manifest])
    failed = {error.url.removeprefix(origin): error.kind for error in manifest.errors}
    assert failed == {path: EXPECTED_FAULTS.get(path, "refused") for path in FAULTS}
    assert not [path for path in shop.log if path.startswith("/private/")]
    assert shop.log[0] == "/robots.txt"
    assert_once(shop)
    counts = manifest.counts
    done = counts.pages_done + counts.pages_failed + counts.pages_disallowed
    assert done == counts.pages_known
    assert counts.products == manifest.rows.rows == 42


def test_a_crawl_that_read_every_page_it_knew_of_is_whole(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, _ = site
    # The last page of the list holds none of the faults.
    start = {"all": [f"{origin}/c/tea?page=3"]}
    last = msgspec.structs.replace(shop_recipe(origin), start_urls=start)
    manifest, _ = crawled(last, Job("a-job", "all", 1), tmp_path)

    assert (manifest.ending, manifest.whole, manifest.counts.products) == ("completed", True, 2)


def assert_once(shop: Shop) -> None:
    """Each page was asked for once, save those that fail at first, and the endless redirect."""
    again = {path: times for path, times in Counter(shop.log).items() if times > 1}
    assert again.pop("/loop") == 6
    assert again.pop("/broken") == LIMITS.get("attempts", 3)
    assert all(
        times == 2 and int(path.split("/")[2].split("-")[0]) for path, times in again.items()
    )


def test_a_page_that_scripts_draw_is_not_taken_for_an_empty_one(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, _ = site
    job = Job("a-job", "ice-cream", 1)
    manifest, _ = crawled(shop_recipe(origin), job, tmp_path, NO_BROWSER)

    kinds = Counter(error.kind for error in manifest.errors)
    assert (kinds["needs_browser"], manifest.counts.products) == (42, 0)


def test_what_a_limit_cuts_off_is_kept_and_marked(site: tuple[str, Shop], tmp_path: Path) -> None:
    origin, _ = site
    manifest, _ = crawled(shop_recipe(origin), Job("a-job", "biscuits", 1, max_pages=20), tmp_path)

    found = rows(tmp_path, manifest)
    assert (manifest.ending, manifest.whole) == ("page_limit", False)
    assert manifest.counts.pages_known == 20
    assert 0 < len(found) < 20
    assert all(row in truth(origin, "biscuits") for row in found)


def test_what_time_cuts_off_is_kept_and_marked_and_progress_is_told_once_a_second(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, _ = site
    paced = shop_recipe(origin, delay_seconds=0.2)
    manifest, heard = crawled(paced, Job("a-job", "biscuits", 1, seconds=2.3), tmp_path)

    assert (manifest.ending, manifest.whole) == ("time_over", False)
    assert 0 < manifest.counts.products < 13
    assert len(rows(tmp_path, manifest)) == manifest.counts.products
    moments = [at for at, _ in heard.progress_told]
    assert len(moments) in (1, 2)
    assert all(b - a >= 0.95 for a, b in pairwise(moments))
    last = heard.progress_told[-1][1]
    assert last.pages_done <= last.pages_known <= 61
    assert last.products_found <= manifest.counts.products


def test_a_crawl_delay_of_the_site_is_kept(tmp_path: Path) -> None:
    with serving(Faults(crawl_delay_seconds=0.25)) as (origin, _):
        manifest, _ = crawled(
            shop_recipe(origin), Job("a-job", "tea", 1, max_pages=6, seconds=20), tmp_path
        )

    # Six pages are five delays, however many are asked for at once.
    assert (manifest.finished_at - manifest.started_at).total_seconds() >= 1.25


def test_pages_that_never_end_are_given_up_and_the_crawl_goes_on(tmp_path: Path) -> None:
    with serving(Faults(slow_seconds=60)) as (origin, _):
        # The last page of the list leads to a slow product and to one that is there at once.
        starts = {"all": [f"{origin}/trickle", f"{origin}/c/biscuits?page=3"]}
        recipe = msgspec.structs.replace(
            shop_recipe(origin, page_seconds=2, attempts=1), start_urls=starts
        )
        manifest, _ = crawled(recipe, Job("a-job", "all", 1), tmp_path)
        slow, quick = (row for row in truth(origin, "biscuits") if row["sku"] > "CS-00040")

    failed = {error.url: (error.kind, error.attempts) for error in manifest.errors}
    assert failed == dict.fromkeys((f"{origin}/trickle", slow["url"]), ("timeout", 1))
    assert rows(tmp_path, manifest) == [quick]
    assert (manifest.ending, manifest.whole) == ("completed", False)


def test_the_shop_sees_each_wait_that_it_asked_for_and_each_that_nobody_asked_for(
    tmp_path: Path,
) -> None:
    with serving(Faults(retry_after_seconds=1)) as (origin, shop):
        # Among these pages one is busy at first and one falls over at first.
        starts = {"all": [f"{origin}/c/chocolate?page=2", f"{origin}/broken"]}
        recipe = msgspec.structs.replace(
            shop_recipe(origin, attempts=3, backoff_seconds=0.4, at_once=1), start_urls=starts
        )
        manifest, _ = crawled(recipe, Job("a-job", "all", 1), tmp_path)

    assert [(error.kind, error.attempts) for error in manifest.errors] == [("status_500", 3)]
    assert manifest.counts.products == 22
    times = [moment for moment, _ in shop.timed]
    begun = {path: moment for moment, path in reversed(shop.timed)}
    (busy,) = (path for path in begun if path.startswith("/p/106-"))
    (fallen,) = (path for path in begun if path.startswith("/p/118-"))
    # Nothing at all is asked while the shop rests.
    assert [at for at in times if begun[busy] < at < begun[busy] + 1.0] == []
    waits = {
        each: [later - at for at, later in pairwise(at for at, path in shop.timed if path == each)]
        for each in (busy, fallen, "/broken")
    }
    assert [len(each) for each in waits.values()] == [1, 1, 2]
    assert waits[fallen][0] >= 0.2
    # The second wait is twice the first, save that each is shortened by up to a half.
    assert waits["/broken"][0] >= 0.2
    assert waits["/broken"][1] >= 0.4


def test_a_crawl_that_fails_says_why_and_keeps_what_it_found(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, _ = site
    wrong = msgspec.structs.replace(shop_recipe(origin), listing=Listing(products="li[["))
    manifest, heard = crawled(wrong, Job("a-job", "tea", 1), tmp_path)

    assert (manifest.ending, manifest.whole) == ("failed", False)
    assert manifest.detail
    assert heard.ended_told == [manifest]
    assert rows(tmp_path, manifest) == []


def started(
    origin: str, folder: Path, *, token: int = 3, before: str = "", **limits: Any
) -> subprocess.Popen[bytes]:
    """The pod as a command, with some code `before` it."""
    files = {"recipe": recipe(origin, **{**LIMITS, **limits}), "job": Job("a-job", "tea", token)}
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(content))
    pod = ["-c", before + POD] if before else ["-m", "crawler_pod"]
    command = [sys.executable, *pod, "--local", "--out", str(folder / "out")]
    given = ["--recipe", str(folder / "recipe.json"), "--job", str(folder / "job.json")]
    return subprocess.Popen([*command, *given], cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603 - our own code


POD = """
import runpy
runpy.run_module("crawler_pod", run_name="__main__", alter_sys=True)
"""
DIES_BEFORE_ITS_MANIFEST = """
import os
import signal
from crawler_pod.storing import Folder
Folder.create = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def objects(folder: Path) -> list[str]:
    """What lies in the store: a file whose name begins with a dot is none yet."""
    found = (folder / "out").rglob("[!.]*")
    return sorted(str(path.relative_to(folder / "out")) for path in found if path.is_file())


def test_a_pod_that_is_killed_leaves_no_half_result_and_the_next_one_a_whole(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, shop = site
    shop.log.clear()
    pod = started(origin, tmp_path, delay_seconds=0.1)
    eventually(lambda: len([path for path in shop.log if path.startswith("/p/")]) > 2)
    pod.kill()
    pod.communicate()

    assert objects(tmp_path) == []
    again = started(origin, tmp_path)
    told, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    folder = "crawls/a-job/000000000003"
    manifest = msgspec.json.decode(
        (tmp_path / "out" / folder / "manifest.json").read_bytes(), type=Manifest
    )
    assert objects(tmp_path) == [f"{folder}/manifest.json", manifest.rows.name]
    assert manifest.rows.name.startswith(f"{folder}/rows-")
    assert rows(tmp_path / "out", manifest) == truth(origin, "tea")
    content = (tmp_path / "out" / manifest.rows.name).read_bytes()
    assert manifest.rows.sha256 == hashlib.sha256(content).hexdigest()
    assert msgspec.json.decode(told.splitlines()[-1])["ended"] == msgspec.to_builtins(manifest)


def test_rows_that_no_manifest_names_are_neither_lost_nor_doubled_by_the_next_pod(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, _ = site
    killed = started(origin, tmp_path, before=DIES_BEFORE_ITS_MANIFEST)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    # It died between the two: the rows are whole, and nothing says that they count.
    (orphan,) = objects(tmp_path)
    assert orphan.startswith("crawls/a-job/000000000003/rows-")
    lines = gzip.decompress((tmp_path / "out" / orphan).read_bytes()).splitlines()
    assert len(lines) == 42

    # Begun anew, it has the next token.
    again = started(origin, tmp_path, token=4)
    again.communicate(timeout=60)
    assert again.returncode == 0
    named = tmp_path / "out" / "crawls/a-job/000000000004/manifest.json"
    manifest = msgspec.json.decode(named.read_bytes(), type=Manifest)
    assert manifest.rows.name.startswith("crawls/a-job/000000000004/rows-")
    assert rows(tmp_path / "out", manifest) == truth(origin, "tea")
    assert manifest.counts.products == manifest.rows.rows == 42
    # The first one's rows lie where they lay: nothing was written over, and no manifest is there.
    assert objects(tmp_path) == sorted(
        [orphan, str(named.relative_to(tmp_path / "out")), manifest.rows.name]
    )


def test_a_pod_that_is_told_to_end_hands_over_what_it_has(
    site: tuple[str, Shop], tmp_path: Path
) -> None:
    origin, shop = site
    shop.log.clear()
    pod = started(origin, tmp_path, delay_seconds=0.1)
    eventually(lambda: len([path for path in shop.log if path.startswith("/p/")]) > 2)
    os.kill(pod.pid, signal.SIGTERM)
    told, _ = pod.communicate(timeout=60)

    ended = msgspec.json.decode(told.splitlines()[-1])["ended"]
    assert (pod.returncode, ended["ending"], ended["whole"]) == (0, "stopped", False)
    assert 0 < ended["counts"]["products"] < 42


def test_a_recipe_alone_opens_no_loopback(site: tuple[str, Shop], tmp_path: Path) -> None:
    origin, shop = site
    shop.log.clear()
    open_recipe = msgspec.structs.replace(shop_recipe(origin), local_origin=None)
    manifest, _ = crawled(open_recipe, Job("a-job", "tea", 1), tmp_path)

    assert list(shop.log) == []
    # Its robots.txt is out of reach, so that nothing at all is allowed.
    assert [error.kind for error in manifest.errors] == ["refused"]
    assert (manifest.ending, manifest.whole) == ("failed", False)
    assert "no page could be read" in str(manifest.detail)


def test_a_job_that_cannot_be_begun_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="local shop"):
        crawled(shop_recipe("http://127.0.0.1:1"), Job("j", "tea", 1), tmp_path, {"local": False})
    for origin in ("http://10.0.0.1:80", "http://127.0.0.1", "https://127.0.0.1:1", "file:///x"):
        with pytest.raises(Refusal, match="local_origin"):
            crawled(shop_recipe(origin), Job("j", "tea", 1), tmp_path)
    for start in ("http://[::1", "http://h:x/", "shop.example/tea", "ftp://h/"):
        wrong = Recipe(retailer="Shop", version=1, start_urls={"tea": [start]}, listing=Listing())
        with pytest.raises(Refusal, match="not an address"):
            crawled(wrong, Job("j", "tea", 1), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
