"""Asks a codebase for its manifest as the Firebase CLI does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ASK = """
import json, yaml
from firebase_functions.private import serving
print(json.dumps(yaml.safe_load(serving.functions_as_yaml(serving.get_functions()))))
"""


def manifest(folder: Path, *packages: Path) -> dict[str, Any]:
    """The endpoints that the codebase in `folder` declares, with only `packages` beside it."""
    # Nothing but what the CLI gives: discovery must not need the product's settings.
    environment = {
        "PATH": os.environ["PATH"],
        "ADMIN_PORT": "8081",
        "PYTHONPATH": os.pathsep.join(map(str, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    asked = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", ASK],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    endpoints: dict[str, Any] = json.loads(asked.stdout)["endpoints"]
    return endpoints
