"""Signing in to a running stack, and sessions that are forged, expired, revoked or grown old."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from itsdangerous import URLSafeSerializer

from local.accounts import ADMIN, SUPER_ADMIN, Account, id_token
from local.plan import PROJECT
from local.stack import Stack
from local.tls import TLS

__all__ = ["ADMIN", "SUPER_ADMIN", "TLS", "SignedIn", "log_in", "new_client"]

COOKIE = "__session"
_OWNER = {"Authorization": "Bearer owner"}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a login left with the browser, and what it answered."""

    cookie: str
    csrf: str
    user: Mapping[str, Any]
    set_cookie: str

    @property
    def sid(self) -> str:
        return str(_payload(self.cookie)[0])


def log_in(stack: Stack, account: Account = ADMIN) -> SignedIn:
    token = id_token(stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"], account.email)
    answer = send_login(stack, token)
    assert answer.status_code == httpx.codes.OK, answer.text
    told = answer.json()
    return SignedIn(
        cookie=answer.cookies[COOKIE],
        csrf=told["csrfToken"],
        user=told["user"],
        set_cookie=answer.headers["Set-Cookie"],
    )


def send_login(stack: Stack, token: str) -> httpx.Response:
    return httpx.post(
        f"{stack.plan.origin}/api/admin/login",
        json={"idToken": token},
        timeout=30,
        trust_env=False,
        verify=TLS,
    )


def new_client(
    stack: Stack, session: SignedIn | None = None, *, cookie: str | None = None
) -> httpx.Client:
    """A browser at the gateway, with the session's cookie and CSRF token, or another cookie."""
    headers = {"X-CSRF-Token": session.csrf} if session else {}
    value = cookie or (session.cookie if session else None)
    if value is not None:
        # As a header, so that no answer replaces it: the test says which cookie is sent.
        headers["Cookie"] = f"{COOKIE}={value}"
    return httpx.Client(
        base_url=stack.plan.origin, headers=headers, timeout=30, trust_env=False, verify=TLS
    )


def sid_of(http: httpx.Client) -> str:
    """The id of the session that `new_client` gave to the client."""
    return str(_payload(http.headers["Cookie"].removeprefix(f"{COOKIE}="))[0])


def forged(stack: Stack, session: SignedIn) -> str:
    """The session's own cookie, signed with a key that is not the product's."""
    return _signed(stack.environment()["SECRET_KEY"] + "!", _payload(session.cookie))


def expired(stack: Stack, session: SignedIn) -> str:
    """The session's cookie as it was an hour ago: signed rightly, over for a second."""
    return resigned(stack, session, expires_at=time.time() - 1)


def resigned(stack: Stack, session: SignedIn, *, expires_at: float) -> str:
    """The session's cookie with another end, signed as the product signs."""
    sid, uid, _ = _payload(session.cookie)
    return _signed(stack.environment()["SECRET_KEY"], [sid, uid, expires_at])


def grown_old(stack: Stack, session: SignedIn, *, seconds_left: float) -> str:
    """The cookie of a session that has only so long to live, its record likewise."""
    expires_at = time.time() + seconds_left
    moment = datetime.fromtimestamp(expires_at, UTC).isoformat().replace("+00:00", "Z")
    change_record(stack, session, {"expires_at": {"timestampValue": moment}})
    return resigned(stack, session, expires_at=expires_at)


def log_out(stack: Stack, session: SignedIn) -> httpx.Response:
    with new_client(stack, session) as http:
        return http.post("/api/admin/logout")


def end_of(cookie: str) -> float:
    """When the cookie's token is over, in epoch seconds."""
    return float(_payload(cookie)[2])


def read_record(stack: Stack, session: SignedIn) -> dict[str, Any]:
    """The session's record, each field in Firestore's own JSON."""
    answer = httpx.get(_record_url(stack, session), headers=_OWNER, trust_env=False, verify=TLS)
    answer.raise_for_status()
    fields: dict[str, Any] = answer.json()["fields"]
    return fields


def change_record(stack: Stack, session: SignedIn, fields: Mapping[str, Any]) -> None:
    httpx.patch(
        _record_url(stack, session),
        params=[("updateMask.fieldPaths", name) for name in fields],
        json={"fields": fields},
        headers=_OWNER,
        trust_env=False,
        verify=TLS,
    ).raise_for_status()


def _record_url(stack: Stack, session: SignedIn) -> str:
    host = stack.environment()["FIRESTORE_EMULATOR_HOST"]
    documents = f"http://{host}/v1/projects/{PROJECT}/databases/(default)/documents"
    return f"{documents}/sessions/{session.sid}"


def _payload(cookie: str) -> list[Any]:
    read, payload = URLSafeSerializer("", salt="session").loads_unsafe(cookie)
    assert not read
    assert isinstance(payload, list)
    return payload


def _signed(key: str, payload: list[Any]) -> str:
    return str(URLSafeSerializer(key, salt="session").dumps(payload))
