"""The shop by itself: `python -m local.shop [--port N] [--no-faults]`, ended by Ctrl-C."""

import argparse
import sys

import uvicorn

from local.ports import HOST
from local.shop.server import Faults, Shop


def main(arguments: list[str]) -> int:
    """Serves until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.shop")
    parser.add_argument("--port", type=int, default=8127)
    parser.add_argument("--slow-seconds", type=float, default=0.3, help="how late slow pages are")
    parser.add_argument("--no-faults", action="store_true", help="a site without any trouble")
    chosen = parser.parse_args(arguments)
    shop = Shop(Faults(slow_seconds=chosen.slow_seconds, present=not chosen.no_faults))
    print(f"http://{HOST}:{chosen.port}", flush=True)
    uvicorn.run(shop.app(), host=HOST, port=chosen.port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
