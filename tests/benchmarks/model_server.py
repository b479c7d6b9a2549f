"""Llmock in a process of its own: `python -m tests.benchmarks.model_server PORT SECONDS`.

It answers each call after so many seconds, by the text of each product, until its input ends.
"""

import sys

from llmock.scenarios import Delay

from tests.integration.classification.models import Thinking, models_on
from tests.mock_model import MockModel


def main(port: int, seconds: float) -> None:
    """Serves."""
    Thinking.model = MockModel()
    with models_on(port) as state:
        state.scenarios.add(Delay(seconds, times=None))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
