"""A Chromium of our own that reaches the network through one proxy only."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Final

_START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_END_SECONDS: Final = 5.0
_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    # Chromium would go past a proxy to loopback, and by UDP.
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    # As older builds call it; each passes over what it does not know.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # The container is the sandbox: within one Chromium's own cannot be set up.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--mute-audio",
)


class NoBrowser(Exception):
    """It does not start; says how."""


class Chromium:
    """One process with a profile of its own, which is gone when it is closed."""

    def __init__(self, program: str, proxy_url: str) -> None:
        self._program = program
        self._proxy_url = proxy_url
        self._profile = tempfile.TemporaryDirectory(prefix="crawl-", ignore_cleanup_errors=True)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> str:
        """Where its DevTools listen; raises NoBrowser."""
        profile = Path(self._profile.name)
        self._process = await asyncio.create_subprocess_exec(
            *_bound(),
            self._program,
            *_FLAGS,
            f"--proxy-server={self._proxy_url}",
            f"--user-data-dir={profile}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_START_SECONDS):
                return await self._listening(profile / "DevToolsActivePort")
        except TimeoutError:
            raise NoBrowser("Chromium does not start") from None

    async def _listening(self, told: Path) -> str:
        while True:
            if self._process is None or self._process.returncode is not None:
                raise NoBrowser("Chromium ended at once")
            # It writes the port, then the path.
            if len(lines := _lines(told)) > 1:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(_POLL_SECONDS)

    async def close(self) -> None:
        """Ends it and all that it started."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _END_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._profile.cleanup()


def _bound() -> list[str]:
    """Where the system can, it ends with the pod, even if that is killed."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _lines(told: Path) -> list[str]:
    try:
        return told.read_text().splitlines()
    except FileNotFoundError:
        return []
