"""Firebase Authentication: tokens and accounts by firebase-admin, its errors in our terms."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from shared.config import Settings, settings
from shared.errors import (
    ConfigurationError,
    Conflict,
    DependencyUnavailable,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
)

if TYPE_CHECKING:
    from firebase_admin import App

TIMEOUT_SECONDS = 5
ROLE_CLAIMS = ("admin", "super_admin")


class Identity(msgspec.Struct, frozen=True):
    """Who a verified ID token speaks of; `auth_time` is in epoch seconds."""

    uid: str
    email: str
    auth_time: float
    claims: dict[str, Any]


class Account(msgspec.Struct, frozen=True):
    """An account as Firebase knows it; `providers` are the ways in which its owner signs in."""

    uid: str
    email: str
    name: str
    email_verified: bool
    disabled: bool
    claims: dict[str, Any]
    providers: list[str]


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


def find_account(email: str) -> Account | None:
    """The account of an address, if there is one; raises Invalid or DependencyUnavailable."""
    from firebase_admin import auth

    try:
        with _errors_mapped():
            user = auth.get_user_by_email(email, app=_app())
    except NotFound:
        return None
    return Account(
        uid=user.uid,
        email=user.email or "",
        name=user.display_name or "",
        email_verified=user.email_verified,
        disabled=user.disabled,
        claims=user.custom_claims or {},
        providers=[each.provider_id for each in user.provider_data],
    )


def create_account(email: str, name: str) -> str:
    """The id of a new account that only a mailed link opens; raises Conflict if there is one."""
    from firebase_admin import auth

    with _errors_mapped():
        user = auth.create_user(
            email=email, display_name=name, password=secrets.token_urlsafe(32), app=_app()
        )
    return str(user.uid)


def lock_account(uid: str) -> None:
    """Takes the account from whoever knows its password or holds its tokens."""
    from firebase_admin import auth

    with _errors_mapped():
        auth.update_user(uid, password=secrets.token_urlsafe(32), app=_app())
        auth.revoke_refresh_tokens(uid, app=_app())


def mirror(uid: str, role_claims: dict[str, bool], *, disabled: bool) -> None:
    """Gives the account these role claims, keeps its others and ends its refresh tokens.

    Raises NotFound or DependencyUnavailable.
    """
    from firebase_admin import auth

    with _errors_mapped():
        known = auth.get_user(uid, app=_app()).custom_claims or {}
        others = {name: value for name, value in known.items() if name not in ROLE_CLAIMS}
        auth.update_user(uid, custom_claims=others | role_claims, disabled=disabled, app=_app())
        auth.revoke_refresh_tokens(uid, app=_app())


def remove_account(uid: str) -> None:
    """Removes the account, if it is there; raises DependencyUnavailable."""
    from firebase_admin import auth

    with suppress(NotFound), _errors_mapped():
        auth.delete_user(uid, app=_app())


def password_link(email: str) -> str:
    """A link that lets the address's owner set a password; raises NotFound."""
    from firebase_admin import auth

    with _errors_mapped():
        return str(auth.generate_password_reset_link(email, app=_app()))


@contextmanager
def _errors_mapped() -> Iterator[None]:
    from firebase_admin import auth
    from firebase_admin.exceptions import FirebaseError, InvalidArgumentError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (auth.UserNotFoundError, auth.EmailNotFoundError):
        raise NotFound("There is no such account.") from None
    except (auth.EmailAlreadyExistsError, auth.UidAlreadyExistsError):
        raise Conflict("There is an account of this address already.") from None
    except (InvalidArgumentError, ValueError):
        raise Invalid.one("email", "is no address that an account can have") from None
    except (FirebaseError, GoogleAuthError) as error:
        raise DependencyUnavailable("The identity service cannot be reached.") from error
