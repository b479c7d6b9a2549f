"""Hooks for schemathesis: half of all ids and tokens are ones that exist, so that calls succeed."""

import json
import os
import zlib
from typing import Any

import schemathesis

KNOWN: dict[str, str] = json.loads(os.environ["KNOWN_VALUES"])


def mixed(name: str, made_up: object) -> object:
    """The known value of that name, for about half of what is made up."""
    chance = zlib.crc32(repr(made_up).encode()) % 2
    return KNOWN[name] if name in KNOWN and chance else made_up


@schemathesis.hook
def map_path_parameters(
    context: schemathesis.HookContext,  # noqa: ARG001 - the hook's signature
    path_parameters: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """Known ids beside made-up ones."""
    if not path_parameters:
        return path_parameters
    return {name: mixed(name, value) for name, value in path_parameters.items()}


@schemathesis.hook
def map_body(
    context: schemathesis.HookContext,  # noqa: ARG001 - the hook's signature
    body: Any,
) -> Any:
    """A real ID token and a real upload beside made-up ones."""
    if not isinstance(body, dict):
        return body
    if "upload_id" in body and mixed("upload_id", body) is not body:
        return {"upload_id": KNOWN["upload_id"]}
    return {name: mixed(name, value) for name, value in body.items()}
