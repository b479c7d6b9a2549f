"""The shop that comes with the local cloud."""

import json
import os
import subprocess
import sys

import httpx

from local.plan import ROOT
from local.shop.truth import truth
from local.stack import Stack


def test_the_local_cloud_has_a_shop_to_crawl_with_its_truth(stack: Stack) -> None:
    origin = stack.plan.shop_url
    with httpx.Client(base_url=origin, trust_env=False) as shop:
        assert "Disallow: /private/" in shop.get("/robots.txt").text
        assert shop.get("/__/truth/tea").json() == truth(origin, "tea")
        assert "/robots.txt" in shop.get("/__/log").json()


def test_a_manifest_is_created_once(stack: Stack) -> None:
    program = (
        "import json\nfrom shared.clients import storage\n"
        "given = ('text/plain', 'no-store')\n"
        "made = [storage.create('crawls/once', c, *given) for c in (b'1', b'2', b'1')]\n"
        "print(json.dumps([made, storage.read('crawls/once').decode()]))"
    )
    environment = {**os.environ, **stack.environment()}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True
    )

    assert json.loads(done.stdout) == [[True, False, True], "1"]
