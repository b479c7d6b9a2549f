"""A marker among document events: when it comes by, all earlier ones have come by."""

import asyncio
import itertools

import httpx

from local.firestore import trigger_registration
from local.plan import PROJECT, Plan
from local.ports import HOST
from local.tls import TLS

_FUNCTION = "_fence"
_COLLECTION = "_fences"
_CALL_SECONDS = 10


class Fence:
    """Writes markers and waits for their events."""

    def __init__(self, plan: Plan) -> None:
        self._registration = trigger_registration(plan, _FUNCTION, f"{_COLLECTION}/{{id}}")
        self._documents = (
            f"http://{HOST}:{plan.ports.firestore}/v1/projects/{PROJECT}/databases/(default)"
            f"/documents/{_COLLECTION}"
        )
        self._numbers = itertools.count(1)
        self._passed: dict[bytes, asyncio.Event] = {}
        self._http = httpx.AsyncClient(
            timeout=_CALL_SECONDS,
            trust_env=False,
            verify=TLS,
            headers={"Authorization": "Bearer owner"},
        )

    async def pass_through(self) -> None:
        """Return once the event of a write made now has arrived."""
        # Each time, since an emulator that was restarted knows of none.
        url, body = self._registration
        (await self._http.post(url, json=body)).raise_for_status()
        marker = f"marker-{next(self._numbers)}-end"
        passed = self._passed[marker.encode()] = asyncio.Event()
        document = f"{self._documents}/{marker}"
        (await self._http.patch(document, json={"fields": {}})).raise_for_status()
        await passed.wait()
        # Its own event finds no marker waiting and is ignored.
        (await self._http.delete(document)).raise_for_status()

    def recognises(self, function: str, event: bytes) -> bool:
        """Whether the event is a marker's, which concerns no function."""
        if function != _FUNCTION:
            return False
        for marker, passed in list(self._passed.items()):
            if marker in event:
                passed.set()
                del self._passed[marker]
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()
