"""Programs of tests that are forked: each is a process of its own that ends as any other."""

import os
import signal

import pytest

from tests.forked import Program

TELL = "import os, sys; print(sys.argv[1:], os.environ['TOLD'], sys.stdin.read(), __name__)"


def test_a_program_has_its_arguments_environment_input_and_output() -> None:
    program = Program(TELL, ("a", "b"), os.environ | {"TOLD": "yes"})
    assert program.communicate("input", timeout=60) == ("['a', 'b'] yes input __main__\n", None)
    assert program.returncode == 0


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 0),
        ("import os; os._exit(99)", 99),
        ("import sys; sys.exit(3)", 3),
        ("raise ValueError('shown, and meant')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_its_status_is_a_processes(text: str, status: int) -> None:
    program = Program(text, (), os.environ)
    program.communicate(timeout=60)
    assert program.returncode == status


def test_one_leaves_nothing_to_the_next() -> None:
    change = "import os, msgspec; os.environ['LEFT'] = '1'; msgspec.left = 1"
    look = "import os, msgspec; print('LEFT' in os.environ, hasattr(msgspec, 'left'))"
    Program(change, (), os.environ).communicate(timeout=60)
    assert Program(look, (), os.environ).communicate(timeout=60)[0] == "False False\n"


def test_one_that_takes_too_long_is_killed() -> None:
    program = Program("import time; print('begun', flush=True); time.sleep(600)", (), os.environ)
    assert program.stdout.readline() == "begun\n"
    program.communicate(timeout=0.1)
    assert program.returncode == -signal.SIGKILL
