"""The service as a process: `python -m live --port 8080`, ended by SIGTERM."""

import argparse
import asyncio
import signal
from collections.abc import Sequence

from live.service import Service
from shared import logs
from shared.config import settings


async def _serve(host: str, port: int) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with Service(settings().frontend_origin).listening_at(host, port):
        await stopping.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    given = parser.parse_args(arguments)
    logs.set_up(settings())
    asyncio.run(_serve(given.host, given.port))


if __name__ == "__main__":
    main()
