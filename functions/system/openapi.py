"""/openapi.json: what this interface offers, for programs to read."""

from pathlib import Path

import shared.system
from shared.edge import Request, endpoint

openapi = endpoint(__name__, "/openapi.json", service_account="public", secrets=("SECRET_KEY",))

DOCUMENT = Path(shared.system.__file__).with_name("openapi.json")


@openapi.get(role="public", limit="instance")
def read(request: Request) -> bytes:  # noqa: ARG001 - a handler takes the request
    """This interface as an OpenAPI 3.1 document."""
    return DOCUMENT.read_bytes()
