import json
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from local.plan import PROJECT
from local.ports import Ports
from local.process import StartFailed
from tools import emulators
from tools.declarations import ROOT, codebases

DECLARED = json.loads((ROOT / "firebase.json").read_text())
# The Firebase CLI's own reader says what it takes.
READ = """
const env = require(process.argv[1] + "/node_modules/firebase-tools/lib/functions/env");
console.log(JSON.stringify(env.parseStrict(require("fs").readFileSync(0, "utf8"))));
"""


def read(text: str) -> dict[str, str]:
    told = subprocess.run(  # noqa: S603 - our own code
        ["node", "-e", READ, str(ROOT)],  # noqa: S607 - found on the PATH by name
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    values: dict[str, str] = json.loads(told.stdout)
    return values


def test_the_usual_ports_are_those_of_firebase_json() -> None:
    config = emulators.suite_config(DECLARED, Ports())
    added = {"hub", "logging"}

    assert {k: v for k, v in config["emulators"].items() if k not in added} == DECLARED["emulators"]
    assert {k: v for k, v in config.items() if k != "emulators"} == {
        k: v for k, v in DECLARED.items() if k != "emulators"
    }


def test_another_port_is_the_suites_too() -> None:
    config = emulators.suite_config(DECLARED, replace(Ports(), gateway=6001))

    assert config["emulators"]["hosting"] == {"host": "127.0.0.1", "port": 6001}


def test_the_firebase_cli_takes_every_setting_and_loses_none(tmp_path: Path) -> None:
    plan = emulators.plan_for(Ports(), tmp_path)
    files = emulators.dotenv_files(plan)
    found = read(files[f".env.{PROJECT}"]) | read(files[".secret.local"])

    expected = plan.environment()
    for name in emulators.OF_THE_SUITE:
        del expected[name]
    assert found == expected
    assert "SECRET_KEY" not in files[f".env.{PROJECT}"]


def test_tasks_find_the_functions_where_the_suite_has_them(tmp_path: Path) -> None:
    told = emulators.plan_for(Ports(), tmp_path).environment()

    assert told["FUNCTIONS_URL"] == f"http://127.0.0.1:5002/{PROJECT}/asia-south1"
    assert told["IAM_VERIFIES_TOKENS"] == "0"


def test_the_folder_of_the_suite_holds_what_it_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dist, state = tmp_path / "dist", tmp_path / "state"
    state.mkdir()
    for codebase in codebases():
        (dist / codebase).mkdir(parents=True)
        (dist / codebase / "main.py").touch()
        with zipfile.ZipFile(dist / codebase / "shared.whl", "w") as wheel:
            wheel.writestr("shared/__init__.py", "")
    monkeypatch.setattr(emulators, "DIST", dist)

    folder = emulators.lay_out(emulators.plan_for(Ports(), state))

    for each in DECLARED["functions"]:
        assert (folder / each["source"] / "main.py").exists()
        assert (folder / each["source"] / ".secret.local").exists()
        assert (folder / each["source"] / "venv" / "bin").is_dir()
    assert (folder / DECLARED["firestore"]["rules"]).exists()
    assert (folder / DECLARED["hosting"]["public"] / "index.html").exists()
    assert (state / "package" / "shared" / "__init__.py").exists()
    assert not list(dist.glob("*/.*"))


def test_without_a_bundle_nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(emulators, "DIST", tmp_path / "none")

    with pytest.raises(StartFailed, match="make bundle"):
        emulators.lay_out(emulators.plan_for(Ports(), tmp_path))


def test_a_jars_manifest_has_no_line_that_java_refuses() -> None:
    jar = Path("/") / "/".join(["a-rather-long-folder"] * 12) / "emulator.jar"

    text = emulators.jar_manifest("some.Main", jar)

    assert text.endswith("\r\n")
    assert all(len(line) <= 72 for line in text.encode().splitlines())
    assert text.replace("\r\n ", "").splitlines()[1:] == [
        "Main-Class: some.Main",
        f"Class-Path: file://{jar}",
    ]
