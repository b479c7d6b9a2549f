"""A pod as a process: begun, ended with all that it started, and its end known."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from local.plan import ROOT
from local.process import die_with_parent

CRAWLER: Final = (sys.executable, "-m", "crawler_pod")


class Pod:
    """One run of the crawlers' image, which here is the module that it is made of."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process, which leads a group of its own."""
        return self._process.pid if self._process else None

    async def begin(self) -> None:
        """Starts it; what it says is in its log."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    async def ended(self) -> int:
        """Its exit code, once it has ended; negative for a signal's number."""
        assert self._process is not None  # noqa: S101 - it was begun
        return await self._process.wait()

    async def end(self, grace_seconds: float) -> None:
        """Asks it to end, and makes it; returns when the whole group is gone."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended(), grace_seconds)
        self._signal(signal.SIGKILL)
        await self.ended()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def arguments_of(job: dict[str, Any]) -> list[str]:
    """What the Job gives its container."""
    container: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return [str(each) for each in container.get("args", [])]
