"""`make chaos`: batches under accidents, each with a seed of its own, on a cloud of its own.

python -m tests.chaos [--items 10000] [--seeds 20] [--first 1]
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from shared.classification.portions import MOST_IN_CALL
from tests.chaos import drill
from tests.chaos.accidents import Wanted
from tests.integration.products.support import admin_shop
from tests.stacks import running_stack

# A slow provider is one that takes longer than this.
CALL_SECONDS = "2"
SLOW_SECONDS = 3.0
# Who asks all the time how far the batch is takes from those who work.
LOOK_SECONDS = 1.0
# Of the local cloud, with providers that fail and workers that are killed.
ITEMS_PER_SECOND = 5


def main() -> None:
    """Run every seed; ends at the first that breaks a promise, with an AssertionError."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    wanted = parser.parse_args()
    settings = {"AI_TIMEOUT_SECONDS": CALL_SECONDS}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder), triggers=False, settings=settings) as stack,
    ):
        shop = admin_shop(stack)
        for seed in range(wanted.first, wanted.first + wanted.seeds):
            began = time.monotonic()
            accidents = Wanted(
                seed,
                kills=max(2, wanted.items // 500),
                outages=max(1, wanted.items // 1000),
                parts=wanted.items // MOST_IN_CALL,
                look_seconds=LOOK_SECONDS,
            )
            within_seconds = 60 + wanted.items / ITEMS_PER_SECOND
            told = drill.run(shop, accidents, wanted.items, within_seconds, SLOW_SECONDS)
            whole = round(time.monotonic() - began, 1)
            line = json.dumps(asdict(told) | {"with_checks_seconds": whole})
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
