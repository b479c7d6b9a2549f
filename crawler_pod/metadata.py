"""Google's metadata server, which knows who this pod is."""

import time
from base64 import urlsafe_b64decode
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import httpcore
import msgspec

SERVER: Final = "http://metadata.google.internal"
_ACCOUNT: Final = "/computeMetadata/v1/instance/service-accounts/default"
_HEADERS: Final = {"Metadata-Flavor": "Google"}
_SECONDS: Final = 5.0
# How long a token must be good for still.
_SPARE_SECONDS: Final = 60.0
_OK: Final = 200


class Identity:
    """Tokens that say to the product who calls, kept until they are nearly over."""

    def __init__(self, http: aiohttp.ClientSession, audience: str, server: str = SERVER) -> None:
        self._http = http
        self._url = f"{server}{_ACCOUNT}/identity?audience={quote(audience, safe='')}&format=full"
        self._kept = ""
        self._good_until = 0.0

    async def token(self) -> str:
        """The token; raises aiohttp's errors, TimeoutError."""
        if time.time() + _SPARE_SECONDS > self._good_until:
            limit = aiohttp.ClientTimeout(total=_SECONDS)
            async with self._http.get(self._url, headers=_HEADERS, timeout=limit) as answer:
                answer.raise_for_status()
                self._kept = (await answer.text()).strip()
            self._good_until = _expiry(self._kept)
        return self._kept


def access_token(pool: httpcore.ConnectionPool, server: str = SERVER) -> tuple[str, float]:
    """A token that opens Storage, and for how many seconds; raises httpcore's errors, OSError."""
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
    answer = pool.request(
        "GET",
        f"{server}{_ACCOUNT}/token",
        headers=list(_HEADERS.items()),
        extensions={"timeout": timeouts},
    )
    if answer.status != _OK:
        raise OSError(f"the metadata server answers {answer.status}")
    told: dict[str, Any] = msgspec.json.decode(answer.content)
    return str(told["access_token"]), float(told["expires_in"])


def _expiry(token: str) -> float:
    try:
        payload = token.split(".")[1]
        read = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(read["exp"])
    except (IndexError, KeyError, TypeError, ValueError, msgspec.DecodeError):
        # What cannot be read is asked for each time.
        return 0.0
