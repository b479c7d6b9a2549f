"""What Cloud Build runs exists, can be run by hand, and deploys everything."""

import importlib.util
import json
import re
import shlex
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from scheduler.queues import QUEUES
from shared.config import region
from tools import deploy
from tools.declarations import ROOT

TEXT = (ROOT / "cloudbuild.yaml").read_text()
BUILD: dict[str, Any] = yaml.safe_load(TEXT)
BY_HAND = {
    line.removeprefix("#   ").split("  ")[0].replace("PROJECT", "$PROJECT_ID")
    for line in TEXT.split("\nsteps:")[0].splitlines()
    if line.startswith("#   ")
}
MAKEFILE = (ROOT / "Makefile").read_text()


def commands(step: dict[str, Any]) -> list[list[str]]:
    if step["entrypoint"] == "bash":
        return [shlex.split(line, comments=True) for line in step["args"][-1].splitlines()]
    return [[step["entrypoint"], *step["args"]]]


def all_commands() -> list[list[str]]:
    return [command for step in BUILD["steps"] for command in commands(step)]


def test_the_steps_come_in_the_order_in_which_each_needs_the_one_before() -> None:
    images = ["live-image", "live-push", "crawler-image", "crawler-push", "live"]
    expected = ["node", "set-up", "test", "bundle", *images, "deploy", "sync", "smoke"]

    assert [step["id"] for step in BUILD["steps"]] == expected


def test_every_make_target_exists() -> None:
    targets = {command[1] for command in all_commands() if command[0] == "make"}
    known = set(re.findall(r"^(?:\$\(VENV\)/)?([\w./-]+):", MAKEFILE, re.MULTILINE))

    assert {"setup", "test", "bundle"} <= targets <= known


def test_every_module_exists() -> None:
    modules = {
        command[2] for command in all_commands() if command[:2] == [".venv/bin/python", "-m"]
    }

    assert modules == {"tools.deploy", "scheduler.sync"}
    assert all(importlib.util.find_spec(module) for module in modules)


def test_every_step_can_be_run_by_hand_as_the_file_says() -> None:
    run = {
        re.split(" --(?:site|service-account)", shlex.join(command).replace("'", ""))[0]
        for command in all_commands()
        if command[0] in ("make", ".venv/bin/python", "docker", "gcloud")
    }

    assert len(BY_HAND) == len(BUILD["steps"]) - 1
    assert not BY_HAND - run


def test_a_shells_dollar_is_not_taken_for_a_substitution() -> None:
    # Cloud Build refuses a whole build for one name that it does not know.
    for step in BUILD["steps"]:
        for text in [*step["args"], *step.get("env", ())]:
            found = set(re.findall(r"(?<!\$)\$\{?(\w+)", text))
            assert found <= {"PROJECT_ID", *BUILD["substitutions"]}


def test_the_secrets_that_a_step_names_are_available() -> None:
    available = {secret["env"] for secret in BUILD["availableSecrets"]["secretManager"]}
    named = {name for step in BUILD["steps"] for name in step.get("secretEnv", ())}

    assert named == available


def test_the_functions_get_the_settings_that_they_need() -> None:
    (step,) = (step for step in BUILD["steps"] if step["id"] == "deploy")

    assert set(deploy.NEEDED) <= {pair.split("=")[0] for pair in step["env"]}


def test_queues_and_jobs_are_where_the_functions_are() -> None:
    assert QUEUES
    assert BUILD["substitutions"]["_REGION"] == region()


def test_a_dry_run_deploys_each_codebase_of_firebase_json_once_between_rules_and_site(
    capsys: pytest.CaptureFixture[str],
) -> None:
    declared = json.loads((ROOT / "firebase.json").read_text())["functions"]

    assert deploy.main(["--project", "shop", "--dry-run"]) == 0

    printed = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    functions = [f"functions:{each['codebase']}" for each in declared]
    only = [command[command.index("--only") + 1] for command in printed]
    assert only == ["firestore", "storage", *functions, "hosting"]
    for command in printed:
        assert command[:4] == [deploy.FIREBASE, "deploy", "--project", "shop"]
        assert command[-1] == "--non-interactive"


def test_some_targets_can_be_deployed_alone_and_still_in_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy.main(["--project", "shop", "--dry-run", "--only", "users", "firestore"])

    assert re.findall(r"--only (\S+)", capsys.readouterr().out) == ["firestore", "functions:users"]
