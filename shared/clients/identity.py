"""Firebase Authentication: ID tokens checked by firebase-admin, its errors in our terms."""

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from shared.config import Settings, settings
from shared.errors import ConfigurationError, DependencyUnavailable, Forbidden, Unauthenticated

if TYPE_CHECKING:
    from firebase_admin import App

TIMEOUT_SECONDS = 5


class Identity(msgspec.Struct, frozen=True):
    """Who a verified ID token speaks of; `auth_time` is in epoch seconds."""

    uid: str
    email: str
    auth_time: float
    claims: dict[str, Any]


@cache
def _app() -> "App":
    import firebase_admin
    from firebase_admin import credentials

    configured = settings()
    options = {"projectId": configured.project_id, "httpTimeout": TIMEOUT_SECONDS}
    if configured.auth_emulator:
        from google.auth.credentials import AnonymousCredentials

        class Anonymous(credentials.Base):  # type: ignore[misc]
            """The emulator asks for no credential, firebase-admin for any."""

            def get_credential(self) -> AnonymousCredentials:
                return AnonymousCredentials()  # type: ignore[no-untyped-call]

        return firebase_admin.initialize_app(Anonymous(), options)
    if configured.firebase_private_key and configured.firebase_client_email:
        certificate = _certificate(configured)
        return firebase_admin.initialize_app(certificate, options)
    return firebase_admin.initialize_app(options=options)


def _certificate(configured: Settings) -> Any:
    from firebase_admin import credentials

    account = {
        "type": "service_account",
        "project_id": configured.project_id,
        "client_email": configured.firebase_client_email,
        "private_key": configured.firebase_private_key,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    try:
        return credentials.Certificate(account)
    except ValueError:
        # What is wrong with it may quote it.
        raise ConfigurationError(
            "FIREBASE_PRIVATE_KEY is no private key: give it whole, its lines parted by \\n."
        ) from None


def verify_id_token(token: str) -> Identity:
    """Who the token speaks of; raises Unauthenticated, Forbidden or DependencyUnavailable."""
    from firebase_admin import auth
    from firebase_admin.exceptions import FirebaseError

    # Outside of what follows, where a wrong setting would pass for a wrong token.
    app = _app()
    try:
        claims = auth.verify_id_token(token, app=app, check_revoked=True)
    except auth.UserDisabledError:
        raise Forbidden("This account is disabled.") from None
    except auth.CertificateFetchError as error:
        raise DependencyUnavailable("The identity service cannot be reached.") from error
    except (auth.InvalidIdTokenError, auth.UserNotFoundError, ValueError):
        raise Unauthenticated("The ID token is not valid.") from None
    except FirebaseError as error:
        raise DependencyUnavailable("The identity service cannot be reached.") from error
    if "auth_time" not in claims:
        raise Unauthenticated("The ID token does not say when its user signed in.")
    return Identity(
        uid=claims["uid"],
        email=claims.get("email", ""),
        auth_time=float(claims["auth_time"]),
        claims=claims,
    )
