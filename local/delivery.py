"""How Cloud Tasks and Cloud Scheduler call a function: one HTTP attempt, and when to try again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from local.oidc import Issuer
from local.tls import TLS

_RPC_OK = 0
_RPC_UNKNOWN = 2
_RPC_DEADLINE_EXCEEDED = 4
_RPC_UNAVAILABLE = 14
_RPC_OF_HTTP = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    409: 10,
    429: 8,
    499: 1,
    500: 13,
    501: 12,
    503: _RPC_UNAVAILABLE,
    504: _RPC_DEADLINE_EXCEEDED,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to make; `email` names the service account that it is signed for."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    deadline_seconds: float
    email: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt; `status` is 0 when no answer came."""

    status: int
    rpc_code: int
    message: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the answer was 2xx; every other is a failure, 4xx too."""
        return self.rpc_code == _RPC_OK


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again; fewer than 0 attempts is without limit, 0 seconds of duration too."""

    attempts: int
    duration_seconds: float
    shortest_seconds: float
    longest_seconds: float
    doublings: int

    def exhausted(self, attempts: int, age_seconds: float) -> bool:
        """Whether to give up; where both limits are set, both must have been reached."""
        if self.attempts < 0 and not self.duration_seconds:
            return False
        return attempts >= self.attempts and age_seconds >= self.duration_seconds

    def pause_seconds(self, attempts: int) -> float:
        """How long to wait after that many attempts: doubling at first, then growing evenly."""
        doublings = min(attempts - 1, self.doublings)
        steps = max(attempts - self.doublings, 1)
        return min(self.shortest_seconds * 2.0**doublings * steps, self.longest_seconds)


class Sender:
    """Makes calls with a connection pool and an identity token where one is asked for."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._http = httpx.AsyncClient(
            timeout=None,  # noqa: S113 - each call has its own deadline
            # The queue's own limit bounds concurrency. Idle connections go before uvicorn's 5 s:
            # a call on one that the server is closing would count as a failed attempt.
            limits=httpx.Limits(max_connections=None, keepalive_expiry=2),
            trust_env=False,
            verify=TLS,
        )

    async def send(self, call: Call) -> Outcome:
        """Make one attempt; a failure of any kind is an outcome, never an exception."""
        headers = dict(call.headers)
        if call.email:
            token = self._issuer.sign(call.audience or call.url, call.email)
            headers["Authorization"] = f"Bearer {token}"
        try:
            async with asyncio.timeout(call.deadline_seconds):
                answer = await self._http.request(
                    call.method, call.url, headers=headers, content=call.body
                )
        except TimeoutError:
            message = f"no answer within {call.deadline_seconds:g} s"
            return Outcome(0, _RPC_DEADLINE_EXCEEDED, message)
        # ValueError stands for headers that HTTP cannot carry.
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Outcome(0, _RPC_UNAVAILABLE, f"{type(error).__name__}: {error}")
        if answer.is_success:
            return Outcome(answer.status_code, _RPC_OK)
        code = _RPC_OF_HTTP.get(answer.status_code, _RPC_UNKNOWN)
        return Outcome(answer.status_code, code, f"HTTP status code {answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
