"""A process that serves several calls of one function at once, and says how large it has grown.

Run by its path with a job on standard input, as `instance` is; `local` learns all that there is to
learn before it answers, and not as much as a caller waits for.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.benchmarks.instance import MARK, answer, application, hide
from tests.memory import peak_mb

_LEARNING_SECONDS = 600.0


def main() -> None:
    """Serve the job's calls, all at once, and print the most memory that the process has had."""
    job = json.load(sys.stdin)
    hide(job["hidden"])
    from tests.benchmarks.call import Call

    calls = [Call.unpacked(each) for each in job["calls"]]
    app = application(job | {"call": job["calls"][0]})
    from shared.classification import local_provider

    local_provider.LEARNING_SECONDS = _LEARNING_SECONDS  # type: ignore[misc]
    with ThreadPoolExecutor(len(calls)) as pool:
        headers = list(pool.map(lambda call: answer(app, call), calls))
    told = {"peak_mb": peak_mb(), "answers": len(headers)}
    print(MARK + json.dumps(told), flush=True)  # noqa: T201 - read by the benchmark
    os._exit(0)


if __name__ == "__main__":
    main()
