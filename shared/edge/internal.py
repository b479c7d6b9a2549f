"""Calls from Cloud Tasks, Cloud Scheduler and the crawler pods: an OIDC token of our invoker.

On Google Cloud, IAM verifies the signature and then removes it. Only where the deployment says
that IAM stands in front (`IAM_VERIFIES_TOKENS`) are the claims of such a token taken as they
are; everywhere else the signature is verified here.
"""

import time
from base64 import urlsafe_b64decode
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.config import settings
from shared.errors import DependencyUnavailable, Forbidden, Unauthenticated

if TYPE_CHECKING:
    from jwt import PyJWKClient

CLOCK_SKEW_SECONDS: Final = 30
GOOGLE_ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")


class Claims(msgspec.Struct):
    """What we ask of a token."""

    iss: str
    aud: str
    exp: float
    email: str = ""
    email_verified: bool = False


def check_invoker(authorization: str | None, function: str, *, pod: bool = False) -> str:
    """The e-mail of who calls `function`; raises Unauthenticated or, for another, Forbidden.

    What a pod may call, only pods may, and no pod may call anything else.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("An OIDC token is required.")
    configured = settings()
    audience = configured.audience(function)
    raw = _unverified(token) if configured.iam_verifies_tokens else _verified(token, audience)
    try:
        claims = msgspec.convert(raw, Claims)
    except msgspec.ValidationError:
        raise Unauthenticated("The token lacks a claim.") from None
    issuers = GOOGLE_ISSUERS if configured.oidc_issuer in GOOGLE_ISSUERS else ()
    if claims.iss not in (*issuers, configured.oidc_issuer):
        raise Unauthenticated("The token is of another issuer.")
    if claims.aud != audience:
        raise Unauthenticated("The token is for another audience.")
    if claims.exp + CLOCK_SKEW_SECONDS <= time.time():
        raise Unauthenticated("The token has expired.")
    invoker = configured.crawler_invoker if pod else configured.tasks_invoker
    if not claims.email_verified or claims.email != invoker:
        raise Forbidden("The token is of another service account.")
    return claims.email


def _unverified(token: str) -> Any:
    try:
        payload = token.split(".")[1]
        return msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError, msgspec.DecodeError):
        raise Unauthenticated("The token cannot be read.") from None


def _verified(token: str, audience: str) -> Any:
    import jwt

    try:
        key = _keys().get_signing_key_from_jwt(token)
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=audience,
            leeway=CLOCK_SKEW_SECONDS,
        )
    except jwt.PyJWKClientConnectionError as error:
        raise DependencyUnavailable("The issuer's keys cannot be fetched.") from error
    except (jwt.PyJWTError, RecursionError):
        raise Unauthenticated("The token is not valid.") from None


@cache
def _keys() -> "PyJWKClient":
    import jwt

    return jwt.PyJWKClient(settings().oidc_certs_url, timeout=5)
