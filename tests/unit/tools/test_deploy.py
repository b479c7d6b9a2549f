from pathlib import Path

import pytest

from shared.config import read_settings
from tools import deploy
from tools.bundle import bundle
from tools.declarations import ROOT, declared


def test_pauses_double_up_to_the_longest() -> None:
    assert [deploy.backoff_seconds(failures, 1) for failures in range(1, 6)] == [
        15,
        30,
        60,
        120,
        120,
    ]


def test_luck_spreads_a_pause_over_its_upper_half() -> None:
    assert deploy.backoff_seconds(2, 0) == 15
    assert deploy.backoff_seconds(2, 0.5) == 22.5
    assert deploy.backoff_seconds(2, 1) == 30


def outcomes(*results: bool) -> tuple[bool, list[float]]:
    left = list(results)
    pauses: list[float] = []
    done = deploy.persistently(lambda: left.pop(0), pause=pauses.append, luck=lambda: 1)
    assert left == []
    return done, pauses


def test_what_succeeds_is_not_run_again() -> None:
    assert outcomes(True) == (True, [])


def test_what_fails_is_run_again_after_a_pause() -> None:
    assert outcomes(False, False, True) == (True, [15, 30])


def test_what_keeps_failing_is_given_up_without_a_last_pause() -> None:
    assert outcomes(*[False] * deploy.ATTEMPTS) == (False, [15, 30, 60, 120])


def test_nothing_follows_a_target_that_failed_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(_project: str, target: str) -> bool:
        ran.append(target)
        return target != "storage"

    monkeypatch.setattr(deploy, "_run", run)
    monkeypatch.setattr(deploy, "persistently", lambda once: once())

    assert not deploy.deploy("shop", ["firestore", "storage", "hosting"])
    assert ran == ["firestore", "storage"]


def test_the_functions_get_what_is_set_and_what_google_does() -> None:
    told = {
        "FRONTEND_ORIGIN": "https://shop.test",
        "UPSTASH_REDIS_REST_URL": "https://redis.test",
        "LOG_LEVEL": "",
        "SESSION_SAMESITE": "Strict",
        "HOME": "/root",
    }

    assert deploy.settings(told) == {
        "FRONTEND_ORIGIN": "https://shop.test",
        "UPSTASH_REDIS_REST_URL": "https://redis.test",
        "SESSION_SAMESITE": "Strict",
        "IAM_VERIFIES_TOKENS": "1",
        "THREADS": "80",
        "TRUSTED_PROXIES": " ".join(deploy.HOSTING_NETWORKS),
    }
    own = deploy.settings(told | {"TRUSTED_PROXIES": "192.0.2.0/24"})
    assert own["TRUSTED_PROXIES"] == "192.0.2.0/24"


def test_each_function_starts_on_what_its_deployment_gives_it() -> None:
    told = {
        "FRONTEND_ORIGIN": "https://shop.test",
        "UPSTASH_REDIS_REST_URL": "https://redis.test",
    }
    google = {"GOOGLE_CLOUD_PROJECT": "shop", "K_SERVICE": "function"}
    for each in declared():
        secrets = dict.fromkeys(each.function.secrets, "x" * 40)
        if "SLACK_WEBHOOK_URL" in secrets:
            secrets["SLACK_WEBHOOK_URL"] = "https://hooks.slack.test/services/x"
        if "SMTP_URL" in secrets:
            secrets["SMTP_URL"] = "off"
        known = read_settings(deploy.settings(told) | google | secrets)
        has_redis = "UPSTASH_REDIS_REST_TOKEN" in each.function.secrets
        assert (known.redis_url is not None) == has_redis
    assert {each.function.name for each in declared()} >= {"health", "openapi", "products"}


def test_a_setting_without_which_nothing_works_must_be_given() -> None:
    with pytest.raises(deploy.InTheWay, match="FRONTEND_ORIGIN and UPSTASH_REDIS_REST_URL"):
        deploy.settings({})


def test_what_is_stale_stands_in_the_way_of_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(deploy, "DIST", tmp_path)
    monkeypatch.setattr(deploy, "derived", lambda: {ROOT / "firebase.json": "other"})
    monkeypatch.setattr(deploy, "_run", pytest.fail)

    assert deploy.main(["--project", "shop"]) == 2

    told = capsys.readouterr().err
    assert "firebase.json is stale" in told
    assert "dist/products is missing or stale" in told


def test_a_fresh_bundle_stands_in_nobodys_way_even_with_settings_of_a_deployment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(deploy, "DIST", tmp_path)
    monkeypatch.setattr(deploy, "derived", dict)
    for folder in bundle(tmp_path):
        (folder / ".env.shop").touch()

    assert [told for told in deploy.obstacles() if "dist/" in told] == []
