"""Readers in one moment share a reading, and none hears of what was read before he came."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from shared.classification.shared_reading import SharedReading
from tests.polling import eventually

READERS = 20


class Source:
    """Says how often it was read; the first reading waits until it may end."""

    def __init__(self) -> None:
        self.reads = 0
        self.may_end = Event()

    def read(self) -> int:
        self.reads += 1
        mine = self.reads
        assert self.may_end.wait(10)
        return mine


def test_many_in_one_moment_are_two_readings_and_nobody_hears_of_an_older_one() -> None:
    source, shared = Source(), SharedReading[int]()
    with ThreadPoolExecutor(READERS) as pool:
        first = pool.submit(shared.read, source.read)
        eventually(lambda: source.reads == 1, timeout_seconds=10)
        others = [pool.submit(shared.read, source.read) for _ in range(READERS - 1)]
        eventually(lambda: all(each.running() for each in others), timeout_seconds=10)
        # All have come; those that have not yet looked at the clock would only read once more.
        time.sleep(0.05)
        source.may_end.set()
        heard = {each.result() for each in others}
    assert first.result() == 1
    assert min(heard) == 2
    assert source.reads < READERS / 2
    assert shared.read(source.read) == source.reads


def test_what_cannot_be_read_is_told_to_each_and_tried_again() -> None:
    shared = SharedReading[int]()

    def fails() -> int:
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        shared.read(fails)
    assert shared.read(lambda: 7) == 7
