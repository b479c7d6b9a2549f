"""Deploys with the Firebase CLI: rules and indexes, then codebase by codebase, then the site.

The functions' settings are taken from this command's own environment. Exits with 0 when all is
deployed, 1 when something failed for good, 2 when something stands in the way.

A deployed function that is no longer declared stops its codebase: the CLI names it and deletes
nothing unasked. Remove it with `firebase functions:delete` first.
"""

import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from tools.bundle import DIST, bundle
from tools.declarations import ROOT, codebases, declared
from tools.derive import derived, stale

FIREBASE: Final = "node_modules/.bin/firebase"

ATTEMPTS: Final = 5
FIRST_PAUSE_SECONDS: Final = 15.0
# Deployments count against quotas per minute, so a longer wait gains nothing.
LONGEST_PAUSE_SECONDS: Final = 120.0
SMOKE_SECONDS: Final = 20

NEEDED: Final = ("FRONTEND_ORIGIN", "UPSTASH_REDIS_REST_URL")
OPTIONAL: Final = (
    "AI_MODELS",
    "AI_PROVIDER",
    "AI_TIMEOUT_SECONDS",
    "CRAWLER_IMAGE",
    "INTERNAL_AUDIENCE",
    "LIVE_URL",
    "LOG_LEVEL",
    "MAIL_API_URL",
    "MAIL_FROM",
    "RATE_LIMIT_SCALE",
    "REDIS_TIMEOUT_SECONDS",
    "REGION",
    "SESSION_SAMESITE",
    "STORAGE_BUCKET",
    "TASKS_INVOKER",
    "TRUSTED_PROXIES",
)

# Firebase Hosting's edge is Fastly's: https://api.fastly.com/public-ip-list.
HOSTING_NETWORKS: Final = (
    "23.235.32.0/20",
    "43.249.72.0/22",
    "103.244.50.0/24",
    "103.245.222.0/23",
    "103.245.224.0/24",
    "104.156.80.0/20",
    "140.248.64.0/18",
    "140.248.128.0/17",
    "146.75.0.0/17",
    "151.101.0.0/16",
    "157.52.64.0/18",
    "167.82.0.0/17",
    "167.82.128.0/20",
    "167.82.160.0/20",
    "167.82.224.0/20",
    "172.111.64.0/18",
    "185.31.16.0/22",
    "199.27.72.0/21",
    "199.232.0.0/16",
    "2a04:4e40::/32",
    "2a04:4e42::/32",
)


class InTheWay(Exception):
    """Nothing may be deployed as things are; the message says what to do first."""


def targets() -> list[str]:
    """What can be deployed, in the order that lets each find what it needs."""
    return ["firestore", "storage", *codebases(), "hosting"]


def command(project: str, target: str) -> list[str]:
    """The Firebase CLI's command that deploys one target."""
    only = f"functions:{target}" if target in codebases() else target
    return [FIREBASE, "deploy", "--project", project, "--only", only, "--non-interactive"]


def backoff_seconds(failures: int, luck: float) -> float:
    """How long to wait after that many failures: doubling, and spread by `luck` from 0 to 1.

    At least half of the pause is kept, since what fails here is a quota that needs time.
    """
    longest = min(FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)
    return longest * (1 + luck) / 2


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that the deployed functions get; raises InTheWay."""
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise InTheWay(f"Set {' and '.join(missing)} for the functions.")
    given = {name: environment[name] for name in (*NEEDED, *OPTIONAL) if environment.get(name)}
    given.setdefault("TRUSTED_PROXIES", " ".join(HOSTING_NETWORKS))
    # By itself the framework has four: as many open streams would keep an instance from all else
    # that it is sent. They are made when they are needed, so a function may have more than it uses.
    threads = max(each.function.concurrency for each in declared())
    # What is deployed here declares its invokers, and Google asks them for their tokens.
    return given | {"IAM_VERIFIES_TOKENS": "1", "THREADS": str(threads)}


def obstacles() -> Iterator[str]:
    """What keeps the working tree from being deployed, each with its remedy."""
    for path in stale(derived()):
        yield f"{path.relative_to(ROOT)} is stale: run `make derived`."
    if not (ROOT / FIREBASE).exists():
        yield "The Firebase CLI is missing: run `make setup`."
    with tempfile.TemporaryDirectory() as fresh:
        for folder in bundle(Path(fresh)):
            if _contents(DIST / folder.name) != _contents(folder):
                yield f"dist/{folder.name} is missing or stale: run `make bundle`."


def _contents(folder: Path) -> dict[str, bytes]:
    # Names with a dot are the settings of a deployment.
    files = (path for path in folder.glob("[!.]*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def make_ready(project: str, chosen: Sequence[str]) -> None:
    """Puts the settings where the Firebase CLI reads them; raises InTheWay."""
    if found := list(obstacles()):
        raise InTheWay("\n".join(found))
    if set(chosen) & set(codebases()):
        _write(project, settings(os.environ))


def _write(project: str, values: Mapping[str, str]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    for codebase in codebases():
        (DIST / codebase / f".env.{project}").write_text(text)


def persistently(
    run: Callable[[], bool],
    *,
    pause: Callable[[float], None] = time.sleep,
    luck: Callable[[], float] = random.random,
) -> bool:
    """Runs until it succeeds or has failed too often, and says which."""
    for failures in range(1, ATTEMPTS):
        if run():
            return True
        seconds = backoff_seconds(failures, luck())
        print(f"failed {failures} of {ATTEMPTS} times, again in {seconds:.0f} s", flush=True)
        pause(seconds)
    return run()


def deploy(project: str, chosen: Sequence[str]) -> bool:
    """Deploys the chosen targets in order, up to the first that fails for good."""
    return all(persistently(partial(_run, project, target)) for target in chosen)


def _run(project: str, target: str) -> bool:
    arguments = command(project, target)
    print(f"$ {shlex.join(arguments)}", flush=True)
    # The CLI imports the functions to list them, and only the cloud installs the bundled wheel.
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(arguments, cwd=ROOT, env=environment, check=False)  # noqa: S603 - ours
    return ran.returncode == 0


def smoke(site: str) -> bool:
    """Whether the deployed site says that it is healthy."""
    return persistently(lambda: _healthy(f"{site}/health"))


def _healthy(url: str) -> bool:
    try:
        answer = httpx.get(url, timeout=SMOKE_SECONDS)
        print(f"{url}: {answer.status_code} {answer.text[:200]}", flush=True)
        return answer.is_success and answer.json().get("status") == "healthy"
    except (httpx.HTTPError, ValueError) as error:
        print(f"{url}: {error!r}", flush=True)
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description=__doc__)
    parser.add_argument("--project", required=True, help="the Firebase project's id")
    parser.add_argument("--only", nargs="+", choices=targets(), metavar="TARGET")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="print the commands, run none")
    mode.add_argument("--smoke", action="store_true", help="ask the deployed site for /health")
    parser.add_argument("--site", help="where the site is, if not at PROJECT.web.app")
    options = parser.parse_args(arguments)
    if options.smoke:
        return 0 if smoke(options.site or f"https://{options.project}.web.app") else 1
    chosen = [target for target in targets() if target in (options.only or targets())]
    if options.dry_run:
        for target in chosen:
            print(shlex.join(command(options.project, target)))
        return 0
    try:
        make_ready(options.project, chosen)
    except InTheWay as obstacle:
        print(obstacle, file=sys.stderr)
        return 2
    return 0 if deploy(options.project, chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
