"""Private functions: who may call them, with and without Google's front before them."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.plan import AUDIENCE, INVOKER
from local.stack import Stack
from shared.config import settings
from shared.edge.declaration import Function
from tests.integration.edge.instance import codebase, served
from tools.declarations import declared

PRIVATE = [each.function for each in declared() if each.function.private]
STRIPPED = "SIGNATURE_REMOVED_BY_GOOGLE"
# Deep enough to exhaust a recursive parser, small enough for a header.
DEEP = base64.urlsafe_b64encode(b"[" * 4000).decode().rstrip("=")
GARBAGE = ("", "x", "a.b.c", "..", f"{DEEP}.e30.x", f"e30.{DEEP}.x", "e30.e30.e30", "e30.W10.x")


@pytest.fixture(scope="module")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def claims(stack: Stack, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {
        "iss": stack.environment()["OIDC_ISSUER"],
        "aud": AUDIENCE,
        "sub": "1",
        "email": INVOKER,
        "email_verified": True,
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


def stripped(stack: Stack, **changes: Any) -> str:
    """A token as Google's front passes it on."""
    head = {"alg": "RS256", "typ": "JWT"}
    return ".".join([encoded(head), encoded(claims(stack, **changes)), STRIPPED])


def unsigned(stack: Stack) -> str:
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims(stack))}."


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


WRONG: tuple[dict[str, Any], ...] = (
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "https://other.example"},
    {"aud": None},
    {"exp": int(time.time()) - 3600},
    {"exp": None},
    {"exp": "tomorrow"},
    {"email": "somebody@else.example"},
    {"email": None},
    {"email_verified": False},
    {"email_verified": None},
)


@pytest.mark.parametrize("function", PRIVATE, ids=lambda each: each.name)
def test_behind_the_front_every_private_function_refuses_strangers(
    stack: Stack, other_key: rsa.RSAPrivateKey, function: Function
) -> None:
    key_id = jwt.get_unverified_header(stack.control.invoker_token())["kid"]
    forged = jwt.encode(claims(stack), other_key, algorithm="RS256", headers={"kid": key_id})
    good = stack.control.invoker_token()
    tokens = [
        *filter(None, GARBAGE),
        stack.control.invoker_token(audience="https://other.example"),
        stack.control.invoker_token(email="somebody@else.example"),
        forged,
        unsigned(stack),
        stripped(stack),
        good[:-6] + "AAAAAA",
    ]
    url = f"{stack.plan.functions_url}/{function.name}"
    with httpx.Client(trust_env=False) as http:
        assert http.post(url, content=b"{").status_code in (401, 403)
        for token in tokens:
            answer = http.post(url, content=b"{", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (401, 403), token
        basic = http.post(url, content=b"{", headers={"Authorization": f"Basic {good}"})
        assert basic.status_code in (401, 403)


@pytest.mark.parametrize("function", PRIVATE, ids=lambda each: each.name)
def test_without_a_front_every_private_function_checks_by_itself(
    stack: Stack, function: Function
) -> None:
    source = codebase(next(d.codebase for d in declared() if d.function.name == function.name))
    path = (function.path or "/").format(job_id="a-job")
    with served(stack, function.name, source, IAM_VERIFIES_TOKENS="0") as http:
        for headers in ({}, {"Authorization": f"Bearer {stripped(stack)}"}):
            answer = http.post(path, data=b"{", headers=headers)
            assert answer.status_code == 401
            assert answer.mimetype == "application/problem+json"


class TestWithoutAFront:
    @pytest.fixture
    def http(self, stack: Stack) -> Iterator[Any]:
        with served(stack, "background", IAM_VERIFIES_TOKENS="0") as client:
            yield client

    def test_a_signed_token_of_the_invoker_is_let_in(self, stack: Stack, http: Any) -> None:
        answer = post(http, stack.control.invoker_token(), {"word": "yes"})
        assert answer.status_code == 204

    def test_garbage_is_refused(self, http: Any) -> None:
        for token in GARBAGE:
            assert post(http, token).status_code == 401, token
        assert http.post("/", data=b"{").status_code == 401

    def test_a_token_that_nobody_signed_is_refused(self, stack: Stack, http: Any) -> None:
        assert post(http, stripped(stack)).status_code == 401
        assert post(http, unsigned(stack)).status_code == 401

    def test_a_token_signed_with_another_key_is_refused(
        self, stack: Stack, http: Any, other_key: rsa.RSAPrivateKey
    ) -> None:
        known = jwt.get_unverified_header(stack.control.invoker_token())["kid"]
        for key_id in (known, "unknown", None):
            headers = {"kid": key_id} if key_id else {}
            forged = jwt.encode(claims(stack), other_key, algorithm="RS256", headers=headers)
            assert post(http, forged).status_code == 401, key_id

    def test_a_public_key_is_no_shared_secret(self, stack: Stack, http: Any) -> None:
        key_id = jwt.get_unverified_header(stack.control.invoker_token())["kid"]
        published = httpx.get(stack.environment()["OIDC_CERTS_URL"], trust_env=False).json()
        secret = json.dumps(published["keys"][0]).encode()
        # By hand: the library refuses to sign what it is right to refuse to verify.
        head = {"alg": "HS256", "typ": "JWT", "kid": key_id}
        signed = ".".join(encoded(part) for part in (head, claims(stack)))
        digest = hmac.digest(secret, signed.encode(), "sha256")
        confused = f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        assert post(http, confused).status_code == 401

    def test_another_audience_or_account_is_refused(self, stack: Stack, http: Any) -> None:
        other = stack.control.invoker_token(audience="https://other.example")
        assert post(http, other).status_code == 401
        foreign = stack.control.invoker_token(email="somebody@else.example")
        assert post(http, foreign).status_code == 403

    def test_without_an_audience_for_all_it_is_the_functions_own_url(self, stack: Stack) -> None:
        with served(stack, "background", IAM_VERIFIES_TOKENS="0", INTERNAL_AUDIENCE=None) as http:
            assert post(http, stack.control.invoker_token()).status_code == 401
            url = settings().function_url("background")
            own = stack.control.invoker_token(audience=url)
            assert post(http, own, {"word": "yes"}).status_code == 204
            other = stack.control.invoker_token(audience=settings().function_url("other"))
            assert post(http, other).status_code == 401

    def test_another_issuer_is_refused_even_with_the_right_key(self, stack: Stack) -> None:
        with served(
            stack, "background", IAM_VERIFIES_TOKENS="0", OIDC_ISSUER="https://issuer.example"
        ) as http:
            assert post(http, stack.control.invoker_token()).status_code == 401

    def test_without_the_issuers_keys_the_task_comes_again(self, stack: Stack) -> None:
        with served(
            stack, "background", IAM_VERIFIES_TOKENS="0", OIDC_CERTS_URL="http://127.0.0.1:9/certs"
        ) as http:
            assert post(http, stack.control.invoker_token()).status_code == 503


class TestBehindIam:
    @pytest.fixture
    def http(self, stack: Stack) -> Iterator[Any]:
        with served(stack, "background", IAM_VERIFIES_TOKENS="1") as client:
            yield client

    def test_the_claims_of_a_stripped_token_are_taken(self, stack: Stack, http: Any) -> None:
        assert post(http, stripped(stack), {"word": "yes"}).status_code == 204

    @pytest.mark.parametrize("changes", WRONG)
    def test_wrong_claims_are_refused(
        self, stack: Stack, http: Any, changes: dict[str, Any]
    ) -> None:
        answer = post(http, stripped(stack, **changes))
        assert answer.status_code == (403 if "email" in next(iter(changes)) else 401)

    def test_garbage_is_refused(self, http: Any) -> None:
        for token in GARBAGE:
            assert post(http, token).status_code == 401, token

    def test_googles_two_spellings_of_its_issuer_are_one(self, stack: Stack) -> None:
        with served(
            stack,
            "background",
            IAM_VERIFIES_TOKENS="1",
            OIDC_ISSUER="https://accounts.google.com",
        ) as http:
            for issuer in ("https://accounts.google.com", "accounts.google.com"):
                token = stripped(stack, iss=issuer)
                assert post(http, token, {"word": "yes"}).status_code == 204
            assert post(http, stripped(stack)).status_code == 401


def test_the_body_is_looked_at_only_after_the_caller(stack: Stack) -> None:
    with served(stack, "background", IAM_VERIFIES_TOKENS="1") as http:
        too_large = b"x" * (2 * 1024 * 1024)
        assert http.post("/", data=too_large).status_code == 401
        assert http.get("/").status_code == 405
        token = stripped(stack)
        assert post(http, token, {"word": "yes", "more": 1}).status_code == 204
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        assert http.post("/", data=too_large, headers=headers).status_code == 413


def test_a_session_opens_no_private_function(stack: Stack) -> None:
    with served(stack, "background", IAM_VERIFIES_TOKENS="1") as http:
        answer = http.post("/", data=b"{", headers={"Cookie": "__session=whatever"})
        assert answer.status_code == 401


def post(http: Any, token: str, body: dict[str, Any] | None = None) -> Any:
    return http.post(
        "/",
        data=json.dumps(body) if body is not None else b"{",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
