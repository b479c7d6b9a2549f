"""Rate limits as they bite, CORS, the way to HTTPS, and compression on the wire."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.accounts import Account, create
from local.stack import Stack
from shared.edge import limits
from tests.integration.edge.instance import begin_anew, instance, served
from tests.sessions import log_in, new_client

LOGIN = "/api/admin/login"


@pytest.fixture(params=["redis", "instance"])
def limited(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The authentication limit as in production, counted in Redis or in the instance alone."""
    changes: dict[str, Any] = {"RATE_LIMIT_SCALE": "1", "REDIS_TIMEOUT_SECONDS": "5"}
    if request.param == "instance":
        changes["UPSTASH_REDIS_REST_URL"] = "http://127.0.0.1:9"
    with served(stack, "signing_in", **changes) as http:
        yield http


def sign_in(http: Any, address: str, forged: str = "") -> Any:
    hops = f"{forged}, {address}" if forged else address
    return http.post("/signing-in", headers={"X-Forwarded-For": hops})


def an_address() -> str:
    return ".".join(["203", "0", "113", str(1 + secrets.randbelow(250))])


def test_the_sixth_sign_in_of_a_minute_is_refused(limited: Any) -> None:
    # A window may end between two calls; two windows cannot.
    address = an_address()
    answers = [sign_in(limited, address, forged=f"198.51.100.{n}") for n in range(11)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 1 <= len(refused) <= 6
    assert {answer.status_code for answer in answers} == {200, 429}
    last = refused[-1]
    assert last.mimetype == "application/problem+json"
    assert 1 <= int(last.headers["Retry-After"]) <= 60
    assert last.headers["X-RateLimit-Limit"] == "5"
    assert last.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < int(last.headers["X-RateLimit-Reset"]) - time.time() <= 61
    assert answers[0].get_json() == {"address": address}
    other = sign_in(limited, "192.0.2.77")
    assert other.status_code == 200


def test_the_limit_is_one_for_all_instances(stack: Stack) -> None:
    caller = secrets.token_hex(6)
    with instance(stack.environment(), RATE_LIMIT_SCALE="1", REDIS_TIMEOUT_SECONDS="5"):
        taken = []
        for _ in range(25):
            begin_anew()
            taken.append(limits.take("heavy", "toy", caller))
    assert not all(each.allowed for each in taken)
    assert taken[0].limit == 10


def test_a_session_is_limited_by_its_user_wherever_it_is(stack: Stack) -> None:
    # An account of its own: in Redis the others' calls of this minute count as well.
    account = Account(f"{secrets.token_hex(6)}@shopple.test", {"admin": True}, "Limited")
    create(stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"], account)
    session = log_in(stack, account)
    cookie = {"Cookie": f"__session={session.cookie}"}
    changes: dict[str, Any] = {"RATE_LIMIT_SCALE": "0.03", "REDIS_TIMEOUT_SECONDS": "5"}
    with served(stack, "listing", **changes) as http:
        seen = [
            http.get("/listing", headers=cookie | {"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(8)
        ]
    assert set(seen) == {200, 429}


def test_the_frontend_may_ask_and_read(stack: Stack) -> None:
    ask = {"Origin": stack.plan.origin, "Access-Control-Request-Method": "POST"}
    with new_client(stack) as http:
        answer = http.options(LOGIN, headers=ask)
        read = http.get("/api/admin/session", headers={"Origin": stack.plan.origin})
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["Access-Control-Allow-Origin"] == stack.plan.origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert "X-CSRF-Token" in answer.headers["Access-Control-Allow-Headers"]
    assert read.headers["Access-Control-Allow-Origin"] == stack.plan.origin
    assert "X-Request-Id" in read.headers["Access-Control-Expose-Headers"]
    assert "Origin" in read.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
def test_another_origin_may_not(stack: Stack, origin: str) -> None:
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    with new_client(stack) as http:
        for answer in (
            http.options(LOGIN, headers=ask),
            http.get("/api/admin/session", headers={"Origin": origin}),
            http.post(LOGIN, json={"idToken": "x"}, headers={"Origin": origin}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.status_code == 403


def test_options_without_an_origin_is_answered(stack: Stack) -> None:
    with new_client(stack) as http:
        answer = http.options(LOGIN)
    assert answer.status_code == 204
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_plain_http_is_led_to_https_where_cookies_are_secure(stack: Stack) -> None:
    with served(stack, "words", COOKIE_SECURE="1") as http:
        plain = {"X-Forwarded-Proto": "http", "Host": "site.example"}
        answer = http.get("/words?a=1&b=http://x", headers=plain)
        assert answer.status_code == 308
        assert answer.headers["Location"] == "https://site.example/words?a=1&b=http://x"
        assert "Strict-Transport-Security" in answer.headers
        assert http.post("/words", json={"word": "x"}, headers=plain).status_code == 308
        assert http.get("/words", headers={"X-Forwarded-Proto": "https"}).status_code == 200
        assert http.get("/words").status_code == 200
    with served(stack, "words", COOKIE_SECURE="0") as http:
        assert http.get("/words", headers={"X-Forwarded-Proto": "http"}).status_code == 200


def test_answers_are_compressed_as_the_client_asks(stack: Stack) -> None:
    plain = httpx.get(
        f"{stack.plan.origin}/openapi.json",
        headers={"Accept-Encoding": "identity"},
        trust_env=False,
    )
    assert "Content-Encoding" not in plain.headers
    for asked, encoding in (("br, gzip", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")):
        answer = httpx.get(
            f"{stack.plan.origin}/openapi.json",
            headers={"Accept-Encoding": asked},
            trust_env=False,
        )
        assert answer.headers["Content-Encoding"] == encoding
        assert answer.json() == plain.json()
        assert int(answer.headers["Content-Length"]) < len(plain.content) / 2


def test_a_path_that_fits_no_template_is_absent(stack: Stack) -> None:
    """Below a function's own URL any path can be asked for."""
    with httpx.Client(base_url=stack.plan.functions_url, trust_env=False) as http:
        for path in (
            "/product/api/products/__id__",
            "/product/api/products/..%2fx",
            "/product/api/products/" + "a" * 129,
            "/product/api/products/%00",
            "/product/other",
            "/product",
        ):
            answer = http.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "X-RateLimit-Limit" in answer.headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [("good-id_1.2345", True), ("short", False), ("x" * 65, False), ("a b c d e f", False)],
)
def test_a_request_id_is_taken_over_if_it_is_harmless(
    stack: Stack, given: str, *, kept: bool
) -> None:
    with new_client(stack) as http:
        answer = http.get("/health", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) == kept
