"""Many calls that begin in one moment: what each does before it waits for its provider."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock, Thread

import httpcore

from shared.clients.ai import patient_network
from shared.clients.ai.asking import Patience
from shared.clients.ai.keeping import kept
from shared.clients.ai.patient_network import BUILDING_AT_ONCE
from tests.polling import eventually

CALLS = 8


def test_few_build_their_requests_at_a_time_and_all_of_them_may_wait() -> None:
    came, building, most, lock = [0], [0], [0], Lock()
    all_wait = Barrier(CALLS, timeout=10)

    class Network:
        def read(self, _most_bytes: int, _timeout: float | None) -> bytes:
            # While it waits it keeps nobody from building.
            all_wait.wait()
            return b""

    def call(_: int) -> bytes:
        with lock:
            came[0] += 1
        with patient_network.held_to(Patience(10.0)):
            with lock:
                building[0] += 1
                most[0] = max(most[0], building[0])
            eventually(lambda: came[0] == CALLS, timeout_seconds=10)
            with lock:
                building[0] -= 1
            return patient_network._Stream(Network(), httpcore).read(1)

    with ThreadPoolExecutor(CALLS) as pool:
        assert list(pool.map(call, range(CALLS))) == [b""] * CALLS
    assert most[0] <= BUILDING_AT_ONCE
    # Each place was given back, once.
    taken = [patient_network._building.acquire(blocking=False) for _ in range(BUILDING_AT_ONCE + 1)]
    for _ in range(BUILDING_AT_ONCE):
        patient_network._building.release()
    assert taken == [True] * BUILDING_AT_ONCE + [False]


def test_a_client_is_made_once_though_many_want_it_in_one_moment() -> None:
    made: list[str] = []
    others = [Thread(target=lambda: client("key")) for _ in range(CALLS)]

    @kept(2)
    def client(key: str) -> object:
        made.append(key)
        if len(made) == 1:
            for each in others:
                each.start()
            eventually(lambda: all(each.is_alive() for each in others), timeout_seconds=10)
        return object()

    first = client("key")
    for each in others:
        each.join()
    assert client("key") is first
    assert made == ["key"]
