"""CSRF: a token bound to the session, and the origin of the call."""

import hashlib
import hmac

from shared.config import settings
from shared.edge.request import Session
from shared.errors import Forbidden

HEADER = "X-CSRF-Token"


def token(session: Session) -> str:
    """The session's CSRF token: an HMAC of its id, as the OWASP cheat sheet has it."""
    key = hashlib.sha256(b"csrf:" + settings().secret_key.encode()).digest()
    return hmac.new(key, session.id.encode(), hashlib.sha256).hexdigest()


def check_token(session: Session, given: str | None) -> None:
    """Raises Forbidden unless the token is the session's own."""
    if given is None or not hmac.compare_digest(token(session).encode(), given.encode()):
        raise Forbidden(f"The {HEADER} header is missing or is not this session's.")


def check_origin(origin: str | None, own_origins: tuple[str, ...]) -> None:
    """Raises Forbidden for a browser's call from a page of another origin."""
    if origin is not None and origin not in own_origins:
        raise Forbidden("Calls from that origin are not allowed.")
