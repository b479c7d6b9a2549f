"""The local cloud as the benchmarks use it: filled, quiet, and with somebody signed in."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from local.accounts import ADMIN, Account
from local.plan import PROJECT, ROOT, Plan
from local.ports import HOST, Ports, free_port
from local.prepare import prepare
from local.stack import Stack
from tests.benchmarks.call import Call
from tests.sessions import SignedIn, log_in, resigned
from tests.stacks import provider_urls

_REQUEST_SECONDS = 120
_SESSION_SECONDS = 3600
_SETTLE_SECONDS = 15
# Recounts of the statistics are due two seconds ahead.
_HORIZON_SECONDS = 3


class Cloud:
    """A running local cloud, and what a benchmark asks of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.size = 0
        self._http = httpx.Client(
            base_url=stack.plan.origin, timeout=_REQUEST_SECONDS, trust_env=False
        )
        self._sessions: dict[str, SignedIn] = {}
        os.environ["FIRESTORE_EMULATOR_HOST"] = self.environment()["FIRESTORE_EMULATOR_HOST"]
        self.database = firestore.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        )

    def environment(self) -> dict[str, str]:
        """The environment of a function, save for its name."""
        return self.stack.environment()

    def fill(self, size: int) -> None:
        """Bring the catalogue to `size` products."""
        arguments = [sys.executable, "-m", "tests.benchmarks.filling", str(size), str(self.size)]
        environment = os.environ | self.environment()
        subprocess.run(arguments, cwd=ROOT, env=environment, check=True)  # noqa: S603 - our own code
        self.size = size

    def settle(self) -> None:
        """Return once nothing is left of what earlier requests have started, or after a while."""
        with suppress(TimeoutError):
            self.stack.control.wait_until_idle(_SETTLE_SECONDS, horizon_seconds=_HORIZON_SECONDS)

    def user(self, account: Account = ADMIN) -> dict[str, str]:
        """The headers of a signed-in user whose session's copy is in Redis and stays there."""
        if account.email not in self._sessions:
            self._sessions[account.email] = self.sign_in(account)
        return self._headers(self._sessions[account.email])

    def fresh_user(self) -> dict[str, str]:
        """The headers of a session of its own, to be ended."""
        return self._headers(self.sign_in(ADMIN))

    def sign_in(self, account: Account) -> SignedIn:
        """A new session; its copy in Redis does not expire while the benchmark runs."""
        session = log_in(self.stack, account)
        self.send(Call("GET", "/api/admin/session", headers=self._headers(session)))
        self.redis("PERSIST", f"session:{session.sid}")
        return session

    def _headers(self, session: SignedIn) -> dict[str, str]:
        # Signed anew each time: one that is minutes old would be renewed by the measured call.
        expires_at = time.time() + _SESSION_SECONDS
        cookie = resigned(self.stack, session, expires_at=expires_at)
        return {
            "Cookie": f"__session={cookie}",
            "X-CSRF-Token": session.csrf,
            "Accept-Encoding": "gzip, deflate, br",
            "X-Forwarded-For": "203.0.113.9",
        }

    def invoker(self) -> dict[str, str]:
        """The headers of a call by our own invoker, as Google's front hands it on."""
        signed, _, _ = self.stack.control.invoker_token().rpartition(".")
        return {
            "Authorization": f"Bearer {signed}.SIGNATURE_REMOVED_BY_GOOGLE",
            "Content-Type": "application/json",
        }

    def send(self, call: Call) -> httpx.Response:
        """The answer of the running functions, through the gateway; raises if it is no success."""
        answer = self._http.request(
            call.method,
            call.path,
            params=call.query,
            headers=call.headers,
            content=call.body,
        )
        if not answer.is_success:
            raise RuntimeError(f"{call.method} {call.path}: {answer.status_code}: {answer.text}")
        return answer

    def run_private(self, function: str, body: Any) -> httpx.Response:
        """The answer of a task or schedule, run as Google does; raises if it fails."""
        token = self.stack.control.invoker_token()
        return httpx.post(
            f"{self.stack.plan.functions_url}/{function}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=_REQUEST_SECONDS,
            trust_env=False,
        ).raise_for_status()

    def redis(self, *command: str) -> Any:
        """What Redis answers."""
        environment = self.environment()
        answer = httpx.post(
            environment["UPSTASH_REDIS_REST_URL"],
            headers={"Authorization": f"Bearer {environment['UPSTASH_REDIS_REST_TOKEN']}"},
            json=list(command),
            trust_env=False,
        )
        return answer.raise_for_status().json()["result"]

    def forget_pages(self, namespace: str) -> None:
        """Have every cached page of `namespace` missed from now on."""
        self.redis("DEL", f"{namespace}:generation")

    def product_ids(self) -> list[str]:
        """Some products that the lists show."""
        page = self.send(Call("GET", "/api/products", "limit=100", self.user())).json()
        return [product["id"] for product in page["products"]]


@contextmanager
def running(settings: Mapping[str, str]) -> Iterator[Cloud]:
    """A local cloud that loses all document events, so that nothing disturbs the measuring."""
    with tempfile.TemporaryDirectory(prefix="shopple-bench-") as state:
        models = provider_urls(f"http://{HOST}:{free_port()}")
        plan = Plan(Ports.free(), Path(state), settings={**models, **settings})
        with Stack(plan) as stack:
            prepare(stack)
            stack.control.disturb_events(drop=True)
            yield Cloud(stack)
