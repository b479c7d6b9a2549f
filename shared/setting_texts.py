"""What the text of a setting means, and what is wrong with it."""

import ipaddress
import math
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from shared.ai_models import Model, read_models
from shared.errors import ConfigurationError

SECRET_KEY_CHARS: Final = 32
SMTP_SCHEMES: Final = ("smtp", "smtp+starttls", "smtps")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

SameSite = Literal["Lax", "Strict", "None"]
_SAMESITE: Final[tuple[SameSite, ...]] = ("Lax", "Strict", "None")


class Reader:
    """Settings by their names; raises ConfigurationError, which says what to give instead."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str = "") -> str:
        """The text without blanks around it, the default where nothing is set."""
        return self._environment.get(name, "").strip() or default

    def number(self, name: str, default: float, most: float | None = None) -> float:
        """A number above zero, `most` at the most."""
        text = self.text(name)
        try:
            value = float(text) if text else default
        except ValueError:
            raise ConfigurationError(f"{name} is {text!r}: give a number.") from None
        if not 0 < value < math.inf:
            raise ConfigurationError(f"{name} is {text!r}: give a number above zero.")
        if most is not None and value > most:
            raise ConfigurationError(f"{name} is {text!r}: give a number up to {most:g}.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Whether it is on."""
        text = self.text(name).lower()
        if text in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
            return text in ("1", "true", "yes", "on") if text else default
        raise ConfigurationError(f"{name} is {text!r}: give 1 or 0.")

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of those allowed, in capitals."""
        value = self.text(name, default)
        if value.upper() not in allowed:
            raise ConfigurationError(f"{name} is {value!r}: give one of {', '.join(allowed)}.")
        return value.upper()

    def origin(self, name: str, default: str) -> str:
        """Scheme and host, without a slash at the end."""
        value = self.text(name, default).rstrip("/")
        scheme, separator, host = value.partition("://")
        if scheme not in ("http", "https") or not separator or not host or "/" in host:
            raise ConfigurationError(
                f"{name} is {value!r}: give scheme and host, such as https://admin.example.com."
            )
        return value

    def base_url(self, name: str, example: str) -> str | None:
        """An address without a slash at the end, None where nothing is set."""
        value = self.text(name).rstrip("/")
        if value and not value.startswith(("https://", "http://")):
            raise ConfigurationError(f"{name} is {value!r}: give an address, such as {example}.")
        return value or None

    def socket_url(self, name: str) -> str | None:
        """A WebSocket service's address, None where nothing is set."""
        value = self.text(name).rstrip("/")
        if value and not value.startswith(("wss://", "ws://")):
            raise ConfigurationError(
                f"{name} is {value!r}: give the WebSocket service's, such as wss://live.example.com."
            )
        return value or None

    def webhook(self, name: str, *, on_google_cloud: bool) -> str | None:
        """Slack's address, None where there is none."""
        value = self.secret(name)
        if value is None:
            return None
        local = self.text("FIRESTORE_EMULATOR_HOST") and not on_google_cloud
        if value.startswith("https://") or (local and value.startswith("http://127.0.0.1:")):
            return value
        # Whoever knows the address may post, so the message does not hold it.
        raise ConfigurationError(
            f"{name} is no address that begins with https://: give Slack's, or off for none."
        )

    def secret(self, name: str) -> str | None:
        """A secret, None where it is off."""
        value = self.text(name)
        # A deployment names its secrets whether they are needed or not, and none may be empty.
        return None if value.lower() in ("", "off") else value

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """One of those allowed, None where nothing is set."""
        value = self.text(name).lower() or None
        if value is not None and value not in allowed:
            raise ConfigurationError(f"{name} is {value!r}: give one of {', '.join(allowed)}.")
        return value

    def models(self, name: str) -> tuple[Model, ...]:
        """The models that may be asked, with their prices."""
        try:
            return read_models(self.text(name))
        except ValueError as error:
            raise ConfigurationError(
                f"{name} holds {str(error)!r}: give provider:model@input/output, each once, with "
                "prices in dollars for a million tokens, such as groq:llama-3.3-70b@0.59/0.79."
            ) from None

    def provider_url(self, name: str) -> str | None:
        """Where a provider is reached, None for its own address."""
        value = self.base_url(name, "https://api.example.com/v1")
        # A key travels there with each call.
        if value and value.startswith("http://") and urlsplit(value).hostname not in _LOOPBACK:
            raise ConfigurationError(f"{name} would send a key in the clear: give https://….")
        return value

    def cluster(self, *, on_google_cloud: bool) -> str | None:
        """Where the cluster is reached, None where there is none."""
        value = (self.secret("GKE_ENDPOINT") or "").rstrip("/")
        local = self.text("FIRESTORE_EMULATOR_HOST") and not on_google_cloud
        # A token that opens the cluster travels there with each call.
        if not value or value.startswith("https://") or (local and value.startswith("http://")):
            return value or None
        raise ConfigurationError(
            f"GKE_ENDPOINT is {value!r}: give the cluster's address, https://…, or off for none."
        )

    def master_keys(self, name: str) -> tuple[str, ...]:
        """The keys that seal others, the newest first."""
        keys = tuple((self.secret(name) or "").replace(",", " ").split())
        if any(len(key) < SECRET_KEY_CHARS for key in keys):
            raise ConfigurationError(
                f"{name} holds a short key: give keys of at least 32 random characters, the newest "
                "first, parted by commas, or off for none."
            )
        return keys

    def smtp_url(self) -> str | None:
        """The mail server's address, None where there is none."""
        value = self.secret("SMTP_URL")
        if value is None:
            return None
        # What is told must not hold the password.
        try:
            server = urlsplit(value)
            usable = server.scheme in SMTP_SCHEMES and server.hostname and server.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ConfigurationError(
                "SMTP_URL is no address of a mail server: give smtps://user:password@host:port, "
                "smtp+starttls://… or smtp://…, with special characters percent-encoded."
            )
        # A user's name too: some services take their token as one.
        signs_in = server.username or server.password
        if server.scheme == "smtp" and signs_in and server.hostname not in _LOOPBACK:
            raise ConfigurationError(
                "SMTP_URL would sign in in the clear: give smtps:// or smtp+starttls://."
            )
        return value

    def fetch_loopback(self, *, on_google_cloud: bool) -> bool:
        """Whether what is fetched may be on this machine."""
        allowed = self.flag("FETCH_LOOPBACK", default=False)
        local = self.text("FIRESTORE_EMULATOR_HOST") and not on_google_cloud
        if allowed and not local:
            raise ConfigurationError(
                "FETCH_LOOPBACK is set where no emulator runs: unset it, it is for local tests."
            )
        return allowed

    def networks(self, name: str) -> tuple[str, ...]:
        """Addresses or networks."""
        networks = tuple(self.text(name).replace(",", " ").split())
        for network in networks:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ConfigurationError(
                    f"{name} holds {network!r}: give addresses or networks, such as 172.16.0.0/12."
                ) from None
        return networks

    def redis_url(self, token: str, *, on_google_cloud: bool) -> str | None:
        """Redis's address, None where there is none, or no token for it."""
        url = self.text("UPSTASH_REDIS_REST_URL") or None
        if url is None or token:
            return url
        if on_google_cloud:
            # A deployment gives each function the URL, but the token only where it is declared.
            return None
        raise ConfigurationError(
            "UPSTASH_REDIS_REST_TOKEN is missing: set it beside UPSTASH_REDIS_REST_URL."
        )

    def samesite(self) -> SameSite:
        """When browsers send the session's cookie."""
        value = self.text("SESSION_SAMESITE", "Lax").capitalize()
        if value == "None" and not self.flag("COOKIE_SECURE", default=True):
            raise ConfigurationError(
                "SESSION_SAMESITE is None with COOKIE_SECURE=0: browsers drop such a cookie."
            )
        for known in _SAMESITE:
            if value == known:
                return known
        raise ConfigurationError(f"SESSION_SAMESITE is {value!r}: give Lax, Strict or None.")

    def secret_key(self) -> str:
        """The key that signs, long enough."""
        value = self.text("SECRET_KEY")
        if len(value) < SECRET_KEY_CHARS:
            raise ConfigurationError(
                "SECRET_KEY is missing or short: set at least 32 random characters, for example "
                'the output of python -c "import secrets; print(secrets.token_urlsafe(48))".'
            )
        return value
