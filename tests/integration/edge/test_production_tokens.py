"""ID tokens as production verifies them: real RS256 signatures, Google's own addresses.

The Auth emulator signs nothing, so what it lets through says nothing about this.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.plan import PROJECT
from local.stack import Stack
from shared.clients.identity import verify_id_token
from shared.errors import DependencyUnavailable, Forbidden, Unauthenticated
from tests.integration.edge.google_front import (
    HOSTS,
    Google,
    certificate,
    google,
    new_key,
    private_pem,
)
from tests.integration.edge.instance import codebase, instance, served

KEY_ID = "key-1"
UID = "uid-of-production"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return new_key()


@pytest.fixture(scope="module")
def account_key() -> str:
    return private_pem(new_key())


@pytest.fixture
def front(tmp_path: Path, key: rsa.RSAPrivateKey) -> Iterator[Google]:
    with google(tmp_path) as server:
        server.certificates = {KEY_ID: certificate(key, "securetoken")}
        server.users = {UID: {"localId": UID, "email": "p@shopple.test", "validSince": "1"}}
        yield server


def outside_google(front: Google, account_key: str) -> dict[str, Any]:
    """The settings of a function that is no emulator's and has a service account's key."""
    return {
        **front.environment(),
        "FIREBASE_AUTH_EMULATOR_HOST": None,
        "FIREBASE_CLIENT_EMAIL": f"admin@{PROJECT}.iam.gserviceaccount.com",
        "FIREBASE_PRIVATE_KEY": account_key.replace("\n", "\\n"),
    }


@pytest.fixture
def _production(front: Google, account_key: str) -> Iterator[None]:
    base = {"FIREBASE_PROJECT_ID": PROJECT, "GOOGLE_CLOUD_PROJECT": PROJECT, "SECRET_KEY": "x" * 40}
    with instance(base, **outside_google(front, account_key)):
        yield


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": UID,
        "user_id": UID,
        "email": "p@shopple.test",
        "admin": True,
        "auth_time": now - 10,
        "iat": now - 10,
        "exp": now + 3000,
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


def signed(key: rsa.RSAPrivateKey, key_id: str | None = KEY_ID, **changes: Any) -> str:
    headers = {"kid": key_id} if key_id else {}
    return jwt.encode(claims(**changes), key, algorithm="RS256", headers=headers)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.usefixtures("_production")
class TestVerifying:
    def test_a_rightly_signed_token_is_accepted(
        self, front: Google, key: rsa.RSAPrivateKey
    ) -> None:
        who = verify_id_token(signed(key))
        assert (who.uid, who.email, who.claims["admin"]) == (UID, "p@shopple.test", True)
        assert set(front.asked) >= set(HOSTS)

    def test_another_key_is_refused(self) -> None:
        with pytest.raises(Unauthenticated):
            verify_id_token(signed(new_key()))

    @pytest.mark.parametrize("key_id", ["unknown", None])
    def test_an_unknown_key_id_is_refused(self, key: rsa.RSAPrivateKey, key_id: str | None) -> None:
        with pytest.raises(Unauthenticated):
            verify_id_token(signed(key, key_id))

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "another-project"},
            {"iss": "https://securetoken.google.com/another-project"},
            {"iss": "https://evil.example"},
            {"exp": int(time.time()) - 60, "iat": int(time.time()) - 4000},
            {"iat": int(time.time()) + 3600},
            {"sub": ""},
            {"sub": None},
            {"sub": "x" * 129},
            {"exp": None},
            {"iat": None},
        ],
    )
    def test_wrong_claims_are_refused(
        self, key: rsa.RSAPrivateKey, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(Unauthenticated):
            verify_id_token(signed(key, **changes))

    def test_an_unsigned_token_is_refused(self) -> None:
        for algorithm in ("none", "None", "NONE"):
            head = {"alg": algorithm, "typ": "JWT", "kid": KEY_ID}
            with pytest.raises(Unauthenticated):
                verify_id_token(f"{part(head)}.{part(claims())}.")

    def test_the_public_key_is_no_shared_secret(self, front: Google) -> None:
        head = {"alg": "HS256", "typ": "JWT", "kid": KEY_ID}
        text = f"{part(head)}.{part(claims())}"
        digest = hmac.digest(front.certificates[KEY_ID].encode(), text.encode(), "sha256")
        forged = f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        with pytest.raises(Unauthenticated):
            verify_id_token(forged)

    def test_a_changed_claim_is_noticed(self, key: rsa.RSAPrivateKey) -> None:
        head, _, signature = signed(key, admin=None).split(".")
        with pytest.raises(Unauthenticated):
            verify_id_token(f"{head}.{part(claims(admin=True))}.{signature}")

    def test_a_token_from_before_a_revocation_is_refused(
        self, front: Google, key: rsa.RSAPrivateKey
    ) -> None:
        front.users[UID]["validSince"] = str(int(time.time()))
        with pytest.raises(Unauthenticated):
            verify_id_token(signed(key))

    def test_a_disabled_user_is_refused(self, front: Google, key: rsa.RSAPrivateKey) -> None:
        front.users[UID]["disabled"] = True
        with pytest.raises(Forbidden):
            verify_id_token(signed(key))

    def test_a_deleted_user_is_refused(self, front: Google, key: rsa.RSAPrivateKey) -> None:
        front.users.clear()
        with pytest.raises(Unauthenticated):
            verify_id_token(signed(key))

    def test_without_google_it_is_the_service_that_failed(
        self, front: Google, key: rsa.RSAPrivateKey
    ) -> None:
        front.away = True
        with pytest.raises(DependencyUnavailable):
            verify_id_token(signed(key))

    @pytest.mark.parametrize(
        "token", ["x", "..", "a.b.c", "W10.W10.x", "bnVsbA.bnVsbA.x", "e30.e30.e30", "\u00e9.a.b"]
    )
    def test_garbage_is_refused(self, token: str) -> None:
        with pytest.raises(Unauthenticated):
            verify_id_token(token)

    def test_a_token_without_a_sign_in_time_is_refused(self, key: rsa.RSAPrivateKey) -> None:
        with pytest.raises(Unauthenticated):
            verify_id_token(signed(key, auth_time=None))

    def test_a_token_of_nothing_but_brackets_is_refused(self) -> None:
        deep = base64.urlsafe_b64encode(b"[" * 3000).decode()
        with pytest.raises(Unauthenticated):
            verify_id_token(f"{deep}.{deep}.x")


def test_a_login_from_end_to_end(
    stack: Stack, front: Google, key: rsa.RSAPrivateKey, account_key: str
) -> None:
    settings = outside_google(front, account_key) | {"COOKIE_SECURE": "1"}
    with served(stack, "login", codebase("users"), **settings) as http:
        answer = http.post("/api/admin/login", json={"idToken": signed(key)})
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["user"]["uid"] == UID
        assert "; Secure" in answer.headers["Set-Cookie"]
        for token in (signed(new_key()), f"{part({'alg': 'none'})}.{part(claims())}."):
            refused = http.post("/api/admin/login", json={"idToken": token})
            assert refused.status_code == 401
        shopper = {"sub": "shopper", "user_id": "shopper", "admin": None}
        front.users["shopper"] = front.users[UID] | {"localId": "shopper"}
        refused = http.post("/api/admin/login", json={"idToken": signed(key, **shopper)})
        assert refused.status_code == 403
