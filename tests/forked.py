"""Programs in processes of their own, forked from one that has imported the clients already.

A fresh interpreter takes a second for these imports, which most programs need and none shows. The
parent has imported only, and made no client: what a program does begins with it.
"""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from local.plan import ROOT
from local.process import die_with_parent

if TYPE_CHECKING:
    from types import CodeType

_IMPORTED: Final = (
    "google.auth.transport.requests",
    "google.cloud.firestore",
    "google.cloud.firestore_v1.services.firestore.client",
    "google.cloud.storage",
    "google.cloud.tasks_v2",
    "msgspec",
    "upstash_redis.http",
)
_MOST_BYTES: Final = 1 << 20


class Program:
    """One program that runs, with the part of Popen's surface that tests need."""

    def __init__(self, program: str, arguments: tuple[str, ...], env: Mapping[str, str]) -> None:
        its_input, our_output = os.pipe()
        our_input, its_output = os.pipe()
        ours, its = socket.socketpair()
        message = json.dumps([program, arguments, dict(env)]).encode()
        fds = [its_input, its_output, its.fileno()]
        socket.send_fds(_parent()[0], [message], fds)
        for fd in fds[:2]:
            os.close(fd)
        its.close()
        self.stdin = os.fdopen(our_output, "w")
        self.stdout = os.fdopen(our_input)
        self.returncode: int | None = None
        self._told = ours.makefile()
        ours.close()
        self._pid = int(self._told.readline())

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, before the end was waited for."""
        os.kill(self._pid, number)

    def communicate(self, text: str = "", timeout: float | None = None) -> tuple[str, None]:
        """Send `text`, and return all that was printed once the program has ended.

        One that takes longer than `timeout` is killed.
        """
        timer = threading.Timer(
            timeout or threading.TIMEOUT_MAX, self.send_signal, [signal.SIGKILL]
        )
        timer.daemon = True
        timer.start()
        try:
            try:
                self.stdin.write(text)
                self.stdin.close()
            except BrokenPipeError:
                pass
            printed = self.stdout.read()
            self.stdout.close()
            self.wait()
        finally:
            timer.cancel()
        return printed, None

    def wait(self) -> int:
        """The exit status: a signal's number below 0 where one ended it."""
        if self.returncode is None:
            self.returncode = int(self._told.readline())
            self._told.close()
        return self.returncode


@functools.cache
def _parent() -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    """The process that programs are forked from, which ends with this one, and the way to it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, its):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST_BYTES)
    parent = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.forked", str(its.fileno())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
    )
    its.close()
    return ours, parent


def _serve(asked: socket.socket) -> "CodeType":
    """Fork for each program that is asked for; returns in the child, which is to run it."""
    # Who watches a program is waited for by nobody.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, fds, _, _ = socket.recv_fds(asked, _MOST_BYTES, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked.close()
            return _watched(message, fds)
        for fd in fds:
            os.close(fd)


def _watched(message: bytes, fds: list[int]) -> "CodeType":
    its_input, its_output, told = fds
    die_with_parent()
    child = os.fork()
    if child:
        os.close(its_input)
        os.close(its_output)
        os.write(told, f"{child}\n".encode())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(told, f"{status}\n".encode())
        os._exit(0)
    die_with_parent()
    os.close(told)
    os.dup2(its_input, 0)
    os.dup2(its_output, 1)
    os.close(its_input)
    os.close(its_output)
    program, arguments, environment = json.loads(message)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = ["-c", *arguments]
    return compile(program, "<string>", "exec")


if __name__ == "__main__":
    for name in _IMPORTED:
        __import__(name)
    # Run from here, so that the interpreter ends as any other does.
    exec(_serve(socket.socket(fileno=int(sys.argv[1]))), {"__name__": "__main__"})  # noqa: S102
