"""The pod's browser on the test shop; it skips where crawl4ai or Chromium is not set up."""

from pathlib import Path

import msgspec
import pytest

from crawler_pod import browser_packages, browser_program
from local.shop.server import Faults
from local.shop.truth import truth
from shared.crawling.recipes import Job
from tests.integration.crawling.support import crawled, rows, serving, shop_recipe

AWAY = ["/away/metadata", "/away/loopback", "/away/named", "/private/offers", "/to-private"]


@pytest.mark.skipif(not browser_packages.is_ready(), reason="no crawl4ai: make crawl-packages")
@pytest.mark.skipif(browser_program.found() is None, reason="no Chromium: make browser")
def test_pages_that_scripts_draw_are_read_and_no_script_leads_astray(tmp_path: Path) -> None:
    with serving(Faults()) as (origin, shop):
        recipe = msgspec.structs.replace(
            shop_recipe(origin, attempts=1),
            # The last page of the list holds two products and none of the faults.
            start_urls={"all": [f"{origin}{path}" for path in ("/c/ice-cream?page=3", *AWAY)]},
            javascript=["/app/", "/away/", "/private/", "/to-private"],
        )
        manifest, _ = crawled(recipe, Job("a-job", "all", 1), tmp_path)

        known = {row["url"]: row for row in truth(origin, "ice-cream")}
        found = rows(tmp_path, manifest)
        assert len(found) == 2
        assert found == [known[row["url"]] for row in found]
        kinds = {error.url.removeprefix(origin): error.kind for error in manifest.errors}
        assert kinds == dict.fromkeys(AWAY[:3], "refused") | dict.fromkeys(AWAY[3:], "disallowed")
        assert [path for path in shop.log if path.startswith(("/private/", "/images/"))] == []
