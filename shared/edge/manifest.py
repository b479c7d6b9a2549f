"""Our declarations as the manifest that the Firebase CLI reads at discovery."""

from dataclasses import replace
from typing import Any

from firebase_functions import firestore_fn, https_fn

from shared.config import region
from shared.edge.declaration import Function
from shared.edge.endpoint import declaration_of

INVOKER = "tasks-invoker@"
POD = "crawler-pod@"


def attach(function: Any) -> None:
    """Gives `function` the endpoint that firebase-functions makes of its declaration."""
    declaration = declaration_of(function)
    if declaration is None:
        return
    made = _firebase_endpoint(declaration)
    function.__firebase_endpoint__ = replace(made, entryPoint=declaration.name)


def _firebase_endpoint(declaration: Function) -> Any:
    common: dict[str, Any] = {
        "memory": declaration.memory_mb,
        "timeout_sec": declaration.timeout_seconds,
        "concurrency": declaration.concurrency,
        "service_account": f"shopple-{declaration.service_account}@",
        "secrets": list(declaration.secrets),
        "region": region(),
        "cpu": 1,
    }
    if declaration.kind == "firestore":
        decorate = firestore_fn.on_document_written(document=declaration.document or "", **common)
        function: Any = decorate(lambda _event: None)
    else:
        function = https_fn.on_request(invoker=_invoker(declaration), **common)(_unserved)
    return function.__firebase_endpoint__


def _invoker(declaration: Function) -> str:
    if declaration.for_pods:
        return POD
    return INVOKER if declaration.private else "public"


def _unserved(request: Any) -> Any:
    return request
