"""The platform's control surface, for drills and tests."""

from typing import Any

import httpx

from local.tls import TLS

_ANSWER_SECONDS = 10


class Control:
    """Calls the control port of a running platform."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=_ANSWER_SECONDS, trust_env=False, verify=TLS
        )

    def events(self) -> dict[str, Any]:
        """The relay's state: accidents in force, counts, pending, failures."""
        return self._json(self._http.get("/relay"))

    def disturb_events(
        self, *, drop: bool = False, copies: int = 1, delay_seconds: float = 0
    ) -> None:
        """From now on lose all document events, or deliver each so often, so late at most."""
        accidents = {"drop": drop, "copies": copies, "delay_seconds": delay_seconds}
        self._json(self._http.put("/relay", json=accidents))

    def reset_events(self) -> None:
        """End all accidents and start the counts anew."""
        self._json(self._http.delete("/relay"))

    def tasks(self) -> dict[str, Any]:
        """Each queue with its pending tasks and its counts."""
        return self._json(self._http.get("/tasks"))

    def disturb_tasks(
        self, queue: str, *, repeated_percent: float = 0, late_seconds: float = 0, seed: int = 0
    ) -> None:
        """From now on deliver some of a queue's tasks twice, and all so late at most."""
        accidents = {
            "repeated_percent": repeated_percent,
            "late_seconds": late_seconds,
            "seed": seed,
        }
        self._json(self._http.put(f"/tasks/{queue}", json=accidents))

    def jobs(self) -> dict[str, Any]:
        """Each scheduled job with its state and what became of its last run."""
        return self._json(self._http.get("/scheduler"))

    def pods(self) -> list[dict[str, Any]]:
        """Each crawler pod with its process and its Job's status."""
        pods: list[dict[str, Any]] = self._json(self._http.get("/pods"))["pods"]
        return pods

    def limit_pods(self, most: int | None) -> None:
        """Makes so many Jobs the cluster's quota; None is no quota."""
        self._json(self._http.put("/pods/quota", json={"jobs": most}))

    def wait_until_idle(self, timeout_seconds: float = 30, *, horizon_seconds: float = 0) -> None:
        """Return once all that earlier writes and calls started is done; raises TimeoutError.

        Tasks that are due within the horizon are waited for as well.
        """
        answer = self._http.get(
            "/idle",
            params={"timeout": timeout_seconds, "horizon": horizon_seconds},
            timeout=timeout_seconds + _ANSWER_SECONDS,
        )
        if answer.status_code == httpx.codes.GATEWAY_TIMEOUT:
            raise TimeoutError(f"Still busy after {timeout_seconds:g} s: {self.events()}")
        answer.raise_for_status()

    def taken(self, box: str = "slack") -> list[dict[str, Any]]:
        """What was posted to a box of the sink, newest first, with the status of the answer."""
        messages: list[dict[str, Any]] = self._json(self._http.get(f"/sink/{box}"))["messages"]
        return messages

    def disturb_sink(
        self,
        box: str = "slack",
        *,
        status: int = 200,
        times: int | None = None,
        delay_seconds: float = 0,
    ) -> None:
        """From now on a box answers `status`, so late; to the next `times` posts only, if given."""
        accidents = {"status": status, "times": times, "delay_seconds": delay_seconds}
        self._json(self._http.put(f"/sink/{box}", json=accidents))

    def empty_sink(self, box: str = "slack") -> None:
        """End a box's accidents and forget what it took."""
        self._json(self._http.delete(f"/sink/{box}"))

    def invoker_token(self, **changes: str) -> str:
        """A token of our invoker for private functions; `email` and `audience` can be others."""
        return str(self._json(self._http.get("/token", params=changes))["token"])

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @staticmethod
    def _json(answer: httpx.Response) -> dict[str, Any]:
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told
