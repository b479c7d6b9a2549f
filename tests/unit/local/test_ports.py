import json
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, replace

import pytest

import local.ports
from local.ports import HOST, Ports, PortsTaken


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        yield port


def test_the_usual_ports_can_be_changed_one_by_one() -> None:
    ports = Ports.read({"FIRESTORE_PORT": "8081", "PORT": ""})
    assert (ports.firestore, ports.gateway, ports.auth) == (8081, 5001, 9099)


@pytest.mark.parametrize("text", ["no", "0", "-1", "65536", "8080.5"])
def test_what_is_no_port_is_named_with_its_variable(text: str) -> None:
    with pytest.raises(PortsTaken, match="AUTH_PORT is "):
        Ports.read({"AUTH_PORT": text})


def test_free_ports_are_all_different_and_pass_the_check() -> None:
    ports = Ports.free()
    ports.check()
    assert len(set(astuple(ports))) == len(astuple(ports))


def test_two_processes_choose_no_port_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another run of this test on the machine takes from other ones.
    first = 31_000 + secrets.randbelow(1_700)
    few = range(first, first + 40)
    monkeypatch.setattr(local.ports, "_FREE_RANGE", few)
    ours = astuple(Ports.free())
    choose = (
        "import dataclasses, json, local.ports as p;"
        f"p._FREE_RANGE = {few!r};"
        "print(json.dumps(dataclasses.astuple(p.Ports.free())))"
    )
    printed = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", choose], check=True, capture_output=True
    )
    theirs = json.loads(printed.stdout)
    assert set(ours).isdisjoint(theirs)


def test_a_taken_port_is_named_with_its_part_and_variable(taken: int) -> None:
    ports = replace(Ports.free(), firestore=taken)
    with pytest.raises(PortsTaken) as refusal:
        ports.check()
    assert str(refusal.value) == (
        f"port {taken} (Firestore) is taken: choose another with FIRESTORE_PORT=…"
    )


def test_all_problems_are_named_at_once(taken: int) -> None:
    ports = Ports.free()
    ports = replace(ports, auth=taken, storage=ports.gateway)
    with pytest.raises(PortsTaken) as refusal:
        ports.check()
    lines = str(refusal.value).splitlines()
    assert len(lines) == 2
    assert f"port {taken} (Auth) is taken" in lines[0]
    assert f"port {ports.gateway} (Storage) is also Hosting gateway's" in lines[1]
