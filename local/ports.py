"""The parts of the local cloud and the loopback ports that they listen on."""

import fcntl
import os
import random
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import gettempdir
from typing import BinaryIO

HOST = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections: one of those could
# otherwise sit on a port between the moment it was found free and the moment its part starts.
_FREE_RANGE = range(20_000, 31_000)

# The lock files of the ports that this process chose: closing one would give its port away.
_chosen: list[BinaryIO] = []


class PortsTaken(Exception):
    """Some part cannot have its port; the message has one line for each."""


def _port(default: int, variable: str, part: str) -> int:
    port: int = field(default=default, metadata={"variable": variable, "part": part})
    return port


@dataclass(frozen=True, slots=True)
class Ports:
    """The port of each part, with its usual value."""

    gateway: int = _port(5001, "PORT", "Hosting gateway")
    functions: int = _port(5002, "FUNCTIONS_PORT", "functions")
    firestore: int = _port(8080, "FIRESTORE_PORT", "Firestore")
    auth: int = _port(9099, "AUTH_PORT", "Auth")
    auth_hub: int = _port(4400, "AUTH_HUB_PORT", "emulator hub of Auth")
    auth_logging: int = _port(4500, "AUTH_LOGGING_PORT", "emulator log of Auth")
    storage: int = _port(9199, "STORAGE_PORT", "Storage")
    valkey: int = _port(6390, "VALKEY_PORT", "Valkey")
    upstash: int = _port(8079, "UPSTASH_PORT", "Upstash front")
    tasks: int = _port(8123, "TASKS_PORT", "Cloud Tasks")
    scheduler: int = _port(8124, "SCHEDULER_PORT", "Cloud Scheduler")
    mail: int = _port(8126, "MAIL_PORT", "mail sink")
    platform: int = _port(8125, "PLATFORM_PORT", "platform control")
    kubernetes: int = _port(8129, "KUBERNETES_PORT", "Kubernetes")
    shop: int = _port(8127, "SHOP_PORT", "test shop")
    live: int = _port(8128, "LIVE_PORT", "live service")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Ports":
        """The usual ports, save where a variable names another; raises PortsTaken if unusable."""
        chosen: dict[str, int] = {}
        wrong = []
        for each in fields(cls):
            variable = each.metadata["variable"]
            text = environment.get(variable, "").strip()
            if not text:
                continue
            if text.isdecimal() and 0 < int(text) < 2**16:
                chosen[each.name] = int(text)
            else:
                wrong.append(f"{variable} is {text!r}: give a port between 1 and 65535")
        if wrong:
            raise PortsTaken("\n".join(wrong))
        return cls(**chosen)

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nothing listens on, different at each call and in each process of a user."""
        free = _free()
        return cls(**{each.name: next(free) for each in fields(cls)})

    def check(self) -> None:
        """Raise PortsTaken naming every port that is taken or given to two parts."""
        owners: dict[int, str] = {}
        problems = []
        for each in fields(self):
            port, part = getattr(self, each.name), each.metadata["part"]
            advice = f"choose another with {each.metadata['variable']}=…"
            if port in owners:
                problems.append(f"port {port} ({part}) is also {owners[port]}'s: {advice}")
            elif _is_taken(port):
                problems.append(f"port {port} ({part}) is taken: {advice}")
            owners.setdefault(port, part)
        if problems:
            raise PortsTaken("\n".join(problems))


def free_port() -> int:
    """A port that nothing listens on, as `Ports.free` finds them."""
    return next(_free())


def _free() -> Iterator[int]:
    candidates = random.sample(_FREE_RANGE, len(_FREE_RANGE))
    return (port for port in candidates if _choose(port) and not _is_taken(port))


def _choose(port: int) -> bool:
    """Whether `port` is this process's until it ends.

    A port that was found free is bound only when its part starts; until then a second process
    could find it free as well, or sit on it for the moment of its own look.
    """
    folder = Path(gettempdir()) / f"shopple-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = (folder / str(port)).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _chosen.append(lock)
    return True


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # Without it a port counts as taken for a minute after its last connection closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
