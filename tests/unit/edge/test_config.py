"""Settings: what is wrong is named, with what to do about it."""

import pytest

from shared.config import read_settings
from shared.errors import ConfigurationError

GOOD = {"FIREBASE_PROJECT_ID": "demo-unit", "SECRET_KEY": "x" * 32}


def test_two_settings_are_enough() -> None:
    known = read_settings(GOOD)
    assert known.project_id == "demo-unit"
    assert known.region == "asia-south1"
    assert known.cookie_secure
    assert not known.iam_verifies_tokens
    assert known.session_samesite == "Lax"
    assert known.redis_url is None
    assert known.frontend_origin == "http://localhost:3000"
    url = "https://asia-south1-demo-unit.cloudfunctions.net/match_product"
    assert known.function_url("match_product") == known.audience("match_product") == url
    assert known.storage_bucket == "demo-unit.appspot.com"


@pytest.mark.parametrize(
    ("changes", "named", "advice"),
    [
        ({"FIREBASE_PROJECT_ID": ""}, "FIREBASE_PROJECT_ID", "set it to"),
        ({"FIREBASE_PROJECT_ID": "  "}, "FIREBASE_PROJECT_ID", "set it to"),
        ({"SECRET_KEY": ""}, "SECRET_KEY", "token_urlsafe"),
        ({"SECRET_KEY": "x" * 31}, "SECRET_KEY", "at least 32"),
        ({"SESSION_SAMESITE": "Loose"}, "SESSION_SAMESITE", "give Lax, Strict or None"),
        ({"COOKIE_SECURE": "maybe"}, "COOKIE_SECURE", "give 1 or 0"),
        ({"IAM_VERIFIES_TOKENS": "2"}, "IAM_VERIFIES_TOKENS", "give 1 or 0"),
        ({"FIRESTORE_TIMEOUT_SECONDS": "long"}, "FIRESTORE_TIMEOUT_SECONDS", "give a number"),
        ({"REDIS_TIMEOUT_SECONDS": "fast"}, "REDIS_TIMEOUT_SECONDS", "give a number"),
        ({"REDIS_TIMEOUT_SECONDS": "0"}, "REDIS_TIMEOUT_SECONDS", "above zero"),
        ({"RATE_LIMIT_SCALE": "-1"}, "RATE_LIMIT_SCALE", "above zero"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL", "give one of DEBUG"),
        ({"FETCH_LOOPBACK": "1"}, "FETCH_LOOPBACK", "unset it"),
        ({"GKE_ENDPOINT": "http://34.93.0.1"}, "GKE_ENDPOINT", "https://…, or off for none"),
        ({"CRAWLER_LEASE_SECONDS": "0"}, "CRAWLER_LEASE_SECONDS", "above zero"),
        ({"IMAGE_BASE_URL": "images.example"}, "IMAGE_BASE_URL", "give an address"),
        ({"SLACK_WEBHOOK_URL": "http://hooks.slack.com/x"}, "SLACK_WEBHOOK_URL", "off for none"),
        ({"SLACK_WEBHOOK_URL": "http://127.0.0.1:1/x"}, "SLACK_WEBHOOK_URL", "off for none"),
        ({"MAIL_API_URL": "api.example"}, "MAIL_API_URL", "give an address"),
        ({"SMTP_URL": "mail.example:25"}, "SMTP_URL", "give smtps://"),
        ({"SMTP_URL": "smtp://mail.example:port"}, "SMTP_URL", "give smtps://"),
        ({"SMTP_URL": "smtp://me:pass@mail.example"}, "SMTP_URL", "in the clear"),
        ({"SMTP_URL": "smtp://token@mail.example"}, "SMTP_URL", "in the clear"),
        ({"SMTP_URL": "smtp://:pass@mail.example"}, "SMTP_URL", "in the clear"),
        ({"AI_PROVIDER": "skynet"}, "AI_PROVIDER", "give one of groq, gemini"),
        ({"AI_TIMEOUT_SECONDS": "0"}, "AI_TIMEOUT_SECONDS", "above zero"),
        ({"AI_TIMEOUT_SECONDS": "600"}, "AI_TIMEOUT_SECONDS", "up to 50"),
        ({"AI_MODELS": "groq:llama"}, "AI_MODELS", "provider:model@input/output"),
        ({"AI_MODELS": "skynet:t800@1/1"}, "AI_MODELS", "provider:model@input/output"),
        ({"AI_MODELS": "groq:a@1/1 groq:a@2/2"}, "AI_MODELS", "each once"),
        ({"GROQ_BASE_URL": "http://api.groq.example"}, "GROQ_BASE_URL", "in the clear"),
        ({"KEYS_MASTER_KEY": f"{'x' * 32},short"}, "KEYS_MASTER_KEY", "at least 32"),
        ({"OPENSEARCH_URL": "search:9200"}, "OPENSEARCH_URL", "https://search.example.com:9200"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_with_what_to_do(
    changes: dict[str, str], named: str, advice: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(GOOD | changes)
    assert named in caught.value.detail
    assert advice in caught.value.detail


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"RATE_LIMIT_SCALE": "nan"}, "RATE_LIMIT_SCALE"),
        ({"RATE_LIMIT_SCALE": "inf"}, "RATE_LIMIT_SCALE"),
        ({"TRUSTED_PROXIES": "172.16.0.0/99"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "my-proxy"}, "TRUSTED_PROXIES"),
        ({"FRONTEND_ORIGIN": "admin.example"}, "FRONTEND_ORIGIN"),
        ({"LIVE_URL": "https://live.example"}, "LIVE_URL"),
        ({"UPSTASH_REDIS_REST_URL": "https://x.upstash.io"}, "UPSTASH_REDIS_REST_TOKEN"),
        ({"SESSION_SAMESITE": "None", "COOKIE_SECURE": "0"}, "SESSION_SAMESITE"),
    ],
    ids=str,
)
def test_a_setting_that_can_only_fail_later_is_named_at_start(
    changes: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named):
        read_settings(GOOD | changes)


def test_another_region_and_audience_hold_for_all_functions() -> None:
    changes = {"REGION": "europe-west1", "INTERNAL_AUDIENCE": "https://internal.test"}
    known = read_settings(GOOD | changes)
    assert known.region == "europe-west1"
    assert known.function_url("x") == "https://europe-west1-demo-unit.cloudfunctions.net/x"
    assert known.audience("x") == known.audience("y") == "https://internal.test"


def test_a_secret_is_never_in_the_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(GOOD | {"SECRET_KEY": "hunter2"})
    assert "hunter2" not in caught.value.detail


def test_values_are_read_leniently_where_that_is_safe() -> None:
    known = read_settings(
        GOOD
        | {
            "COOKIE_SECURE": " Off ",
            "SESSION_SAMESITE": "strict",
            "LOG_LEVEL": "debug",
            "FRONTEND_ORIGIN": "https://admin.example/",
            "TRUSTED_PROXIES": "172.16.0.0/8,192.0.2.1  192.0.2.2",
            "FIREBASE_PRIVATE_KEY": "-----BEGIN\\nx",
        }
    )
    assert not known.cookie_secure
    assert known.session_samesite == "Strict"
    assert known.log_level == "DEBUG"
    assert known.frontend_origin == "https://admin.example"
    assert known.trusted_proxies == ("172.16.0.0/8", "192.0.2.1", "192.0.2.2")
    assert known.firebase_private_key == "-----BEGIN\nx"


def test_on_google_cloud_the_platforms_own_credentials_are_used() -> None:
    given = {"FIREBASE_PRIVATE_KEY": "key", "FIREBASE_CLIENT_EMAIL": "a@b.example"}
    known = read_settings(GOOD | given | {"K_SERVICE": "login"})
    assert known.on_google_cloud
    assert known.firebase_private_key is None
    assert known.firebase_client_email is None


def test_loopback_is_fetched_from_only_beside_an_emulator() -> None:
    beside = {"FETCH_LOOPBACK": "1", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"}
    assert read_settings(GOOD | beside).fetch_loopback
    with pytest.raises(ConfigurationError):
        read_settings(GOOD | beside | {"K_SERVICE": "product-image"})


def test_slack_is_a_secret_address_or_off() -> None:
    address = "https://hooks.slack.com/services/T/B/x"
    assert read_settings(GOOD | {"SLACK_WEBHOOK_URL": address}).slack_webhook_url == address
    for unset in ("", "off"):
        assert read_settings(GOOD | {"SLACK_WEBHOOK_URL": unset}).slack_webhook_url is None
    local = {"SLACK_WEBHOOK_URL": "http://127.0.0.1:1/x"}
    emulator = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"}
    assert read_settings(GOOD | local | emulator).slack_webhook_url == "http://127.0.0.1:1/x"
    with pytest.raises(ConfigurationError) as caught:
        read_settings(GOOD | {"SLACK_WEBHOOK_URL": "http://hooks.slack.com/T/secret"})
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    "url",
    ["smtp://mail.example", "smtp://me:p%40ss@127.0.0.1:2525", "smtps://me:pass@mail.example:465"],
)
def test_a_mail_server_is_an_address_with_the_way_to_speak_to_it(url: str) -> None:
    assert read_settings(GOOD | {"SMTP_URL": url}).smtp_url == url
    for off in ("", "off", "OFF"):
        assert read_settings(GOOD | {"SMTP_URL": off}).smtp_url is None


def test_a_wrong_mail_server_is_named_without_its_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(GOOD | {"SMTP_URL": "http://me:hunter2@mail.example"})
    assert "hunter2" not in caught.value.detail


def test_models_have_their_prices_and_local_is_always_among_them() -> None:
    known = read_settings(GOOD | {"AI_MODELS": "groq:a/b@0.59/0.79, gemini:c@1/2.5"}).ai_models
    told = [(m.provider, m.name, m.input_micros, m.output_micros) for m in known]
    assert told[:2] == [("groq", "a/b", 590_000, 790_000), ("gemini", "c", 1_000_000, 2_500_000)]
    assert [model.provider for model in known[2:]] == ["local"]
    assert known[0].cost_micros(1000, 100) == 590 + 79
    assert known[0].cost_micros(1, 0) == 1
    defaults = read_settings(GOOD).ai_models
    assert {m.provider for m in defaults} == {"groq", "gemini", "cerebras", "openrouter", "local"}


def test_keys_are_none_where_they_are_off_and_master_keys_come_newest_first() -> None:
    known = read_settings(GOOD | {"GROQ_API_KEY": "off", "GOOGLE_API_KEY": "AIza"})
    assert (known.groq_api_key, known.google_api_key) == (None, "AIza")
    assert known.keys_master_key == ()
    both = read_settings(GOOD | {"KEYS_MASTER_KEY": f"{'n' * 32}, {'o' * 32}"}).keys_master_key
    assert both == ("n" * 32, "o" * 32)


def test_settings_show_no_secret_of_theirs() -> None:
    secrets = {
        "SECRET_KEY": f"canary-{'x' * 32}",
        "GROQ_API_KEY": "canary-groq",
        "KEYS_MASTER_KEY": f"canary-{'m' * 32}",
        "SMTP_URL": "smtps://me:canary@mail.example",
        "FIREBASE_PRIVATE_KEY": "canary-private",
    }
    known = read_settings(GOOD | secrets)
    for shown in (repr(known), str(known), f"{[known]}"):
        assert "demo-unit" in shown
        assert "canary" not in shown
