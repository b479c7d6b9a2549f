"""Nothing listens to more than this machine."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.declarations import ROOT

FOLDERS = (
    "console",
    "crawler_pod",
    "functions",
    "live",
    "local",
    "scheduler",
    "shared",
    "tests",
    "tools",
)
# In a container of Cloud Run, where only its front reaches it.
IN_A_CONTAINER = ROOT / "live" / "Dockerfile"
SUFFIXES = {".py", ".js", ".cjs", ".json", ".sh", ".toml", ".yaml", ".yml", ""}
# Each of them means every address, in one notation or another.
EVERYWHERE = re.compile(
    r"""0\.0\.0\.0|["']\[?::\]?(:\d+)?["']|bind\(\(\s*["']["']|["']\*:\d+["']"""
)
# What starts a server says where: the defaults of these listen to everybody.
STARTS_SERVER = re.compile(r"add_insecure_port|\.serve_forever|HTTPServer\(|uvicorn\.Config\(")


def sources() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in SUFFIXES)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in SUFFIXES and "__pycache__" not in path.parts:
                yield path


def test_no_source_names_every_address() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in sources()
        if path not in (Path(__file__), IN_A_CONTAINER)
        for match in EVERYWHERE.finditer(path.read_text(errors="replace"))
    ]

    assert found == []


def test_whatever_starts_a_server_names_the_loopback_address() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.suffix == ".py" and path != Path(__file__)
        if STARTS_SERVER.search(text := path.read_text())
        if "127.0.0.1" not in text and "HOST" not in text
    ]

    assert found == []


@pytest.mark.parametrize("emulator", ["auth", "firestore", "functions", "hosting", "storage"])
def test_the_emulators_listen_to_this_machine_alone(emulator: str) -> None:
    emulators = json.loads((ROOT / "firebase.json").read_text())["emulators"]

    assert emulators[emulator]["host"] == "127.0.0.1"
