"""A program in the foreground of a terminal: it runs until it is told to stop."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from local.ports import PortsTaken
from local.process import StartFailed


def run(program: Callable[[Path], int]) -> int:
    """What the program returns, which gets a folder of its own for as long as it runs.

    0 once it is told to stop; 1 if a part fails, 2 if a port is taken.
    """
    # Both, since a shell starts a command in the background with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    state = Path(tempfile.mkdtemp(prefix="shopple-"))
    try:
        return program(state)
    except PortsTaken as taken:
        print(taken, file=sys.stderr)
        return 2
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        shutil.rmtree(state, ignore_errors=True)
