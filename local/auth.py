"""Firebase Auth, played by the emulator of the Firebase CLI."""

import json
import shutil
from pathlib import Path

import httpx

from local.plan import PROJECT, ROOT, Plan
from local.ports import HOST
from local.probe import answers_http
from local.process import Command, StartFailed
from local.tls import TLS

_EXPORT_SECONDS = 60
_METADATA = "firebase-export-metadata.json"


def auth(plan: Plan) -> Command:
    """The command of the Auth emulator, with the accounts that an earlier run kept."""
    folder = plan.state / "auth"
    folder.mkdir(exist_ok=True)
    (folder / "firebase.json").write_text(json.dumps(_configuration(plan)))
    modules = ROOT / "node_modules"
    arguments = [_firebase(modules), "emulators:start", "--only", "auth", "--project", PROJECT]
    if plan.data is not None and (plan.data / "auth" / _METADATA).exists():
        arguments += ["--import", str(plan.data / "auth")]
    return Command(
        "auth",
        arguments,
        ready=lambda: answers_http(plan.ports.auth),
        folder=folder,
        environment={
            "CI": "1",
            # Otherwise the CLI asks the network whether it runs on Google Cloud.
            "METADATA_SERVER_DETECTION": "none",
            # The CLI keeps its settings and a note of each running hub in these.
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "TMPDIR": str(folder),
            "NODE_OPTIONS": f"--require {json.dumps(str(ROOT / 'local' / 'auth_preload.cjs'))}",
            "SHOPPLE_NODE_MODULES": str(modules),
        },
    )


def export_accounts(plan: Plan, folder: Path) -> None:
    """Write all accounts to `folder` for a later run."""
    answer = httpx.post(
        f"http://{HOST}:{plan.ports.auth_hub}/_admin/export",
        json={"path": str(folder), "initiatedBy": "stop", "targets": ["auth"]},
        timeout=_EXPORT_SECONDS,
        trust_env=False,
        verify=TLS,
    )
    answer.raise_for_status()


def _firebase(modules: Path) -> str:
    local = modules / ".bin" / "firebase"
    if local.exists():
        return str(local)
    found = shutil.which("firebase")
    if found is None:
        raise StartFailed("The Firebase CLI is missing: run `make setup`.")
    return found


def _configuration(plan: Plan) -> dict[str, object]:
    return {
        "emulators": {
            "auth": {"host": HOST, "port": plan.ports.auth},
            "hub": {"host": HOST, "port": plan.ports.auth_hub},
            "logging": {"host": HOST, "port": plan.ports.auth_logging},
            "ui": {"enabled": False},
        }
    }
