"""A process that serves one function once, as a new instance does, and says what it cost.

Run by its path with a job on standard input; it imports nothing that hello would not.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from werkzeug.datastructures import Headers

    from tests.benchmarks.call import Call

MARK = "benchmark: "
SDKS = ("groq", "google.genai", "openai")


def hide(modules: list[str]) -> None:
    """Make what only the development tools need as absent as it is in a deployed function."""
    for name in modules:
        sys.modules[name] = None  # type: ignore[assignment]


def application(job: dict[str, Any]) -> "WSGIApplication":
    """The function of the job, as functions-framework serves it."""
    from functions_framework import create_app

    app: WSGIApplication = create_app(  # type: ignore[no-untyped-call]
        job["target"], job["source"], job["call"]["signature"]
    )
    return app


def answer(app: "WSGIApplication", call: "Call") -> "Headers":
    """The headers of the answer; ends the process if it is no success."""
    from werkzeug.test import Client

    told = Client(app, use_cookies=False).open(
        call.path,
        method=call.method,
        query_string=call.query,
        headers=call.headers,
        data=call.body,
    )
    if not told.status.startswith("2"):
        sys.exit(f"{call.method} {call.path}: {told.status}: {told.get_data(as_text=True)}")
    if call.until and call.until not in (text := told.get_data(as_text=True)):
        sys.exit(f"{call.method} {call.path}: there is no {call.until} in {text}")
    return told.headers


def import_libraries(modules: list[str]) -> list[Any]:
    """Import the libraries of a floor and make their clients."""
    for name in modules:
        importlib.import_module(name)
    return [make() for library, make in CLIENTS.items() if _uses(library, modules)]


def _uses(library: str, modules: list[str]) -> bool:
    return any(name == library or name.startswith(f"{library}.") for name in modules)


@cache
def _redis() -> Any:
    from upstash_redis import Redis

    return Redis(
        url=os.environ["UPSTASH_REDIS_REST_URL"], token=os.environ["UPSTASH_REDIS_REST_TOKEN"]
    )


def _ratelimit() -> Any:
    from upstash_ratelimit import FixedWindow, Ratelimit

    return Ratelimit(redis=_redis(), limiter=FixedWindow(max_requests=1, window=60))


def _firestore() -> Any:
    from google.cloud.firestore import Client

    made = Client(project=os.environ["GOOGLE_CLOUD_PROJECT"])
    # Until its transport is made a client is a record of settings.
    return made, made._firestore_api


def _tasks() -> Any:
    import grpc  # type: ignore[import-untyped]
    from google.cloud.tasks_v2 import CloudTasksClient
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    channel = grpc.insecure_channel(os.environ["CLOUD_TASKS_EMULATOR_HOST"])
    return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


def _scheduler() -> Any:
    import grpc
    from google.cloud.scheduler_v1 import CloudSchedulerClient
    from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
        CloudSchedulerGrpcTransport,
    )

    channel = grpc.insecure_channel(os.environ["CLOUD_SCHEDULER_EMULATOR_HOST"])
    return CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))


def _storage() -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    return Client(
        project=os.environ["GOOGLE_CLOUD_PROJECT"],
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": os.environ["STORAGE_EMULATOR_HOST"]},
    )


def _firebase() -> Any:
    import firebase_admin
    from firebase_admin import auth, credentials
    from google.auth.credentials import AnonymousCredentials

    class Anonymous(credentials.Base):  # type: ignore[misc]
        def get_credential(self) -> AnonymousCredentials:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]

    options = {"projectId": os.environ["GOOGLE_CLOUD_PROJECT"]}
    app = firebase_admin.initialize_app(Anonymous(), options)
    return auth.Client(app)


def _sentence_model() -> Any:
    from shared.classification import meaning

    return meaning._loaded()


def _groq() -> Any:
    from shared.clients.ai import groq

    return groq._client("key", os.environ["GROQ_BASE_URL"])


def _gemini() -> Any:
    from shared.clients.ai import gemini

    return gemini._client("key", os.environ["GOOGLE_BASE_URL"])


def _openai() -> Any:
    from shared.clients.ai import openai_compatible

    return openai_compatible._client("key", os.environ["CEREBRAS_BASE_URL"])


CLIENTS: dict[str, Callable[[], Any]] = {
    "upstash_redis": _redis,
    "upstash_ratelimit": _ratelimit,
    "google.cloud.firestore_v1": _firestore,
    "google.cloud.tasks_v2": _tasks,
    "google.cloud.scheduler_v1": _scheduler,
    "google.cloud.storage": _storage,
    "firebase_admin": _firebase,
    "onnxruntime": _sentence_model,
    "groq": _groq,
    "google.genai": _gemini,
    "openai": _openai,
}


def main() -> None:
    """Serve the job's call once, and print the CPU seconds that all threads took until then."""
    job = json.load(sys.stdin)
    hide(job["hidden"])
    from tests.benchmarks.call import Call

    app = application(job)
    # The floor is hello that has its libraries before it answers.
    kept = import_libraries(job["libraries"])
    headers = answer(app, Call.unpacked(job["call"]))
    seconds = time.process_time()
    told = {
        "seconds": seconds,
        "cache": headers.get("X-Cache"),
        "firestore": "google.cloud.firestore" in sys.modules,
        "clients": len(kept),
        "sdks": [name for name in SDKS if sys.modules.get(name) is not None],
    }
    print(MARK + json.dumps(told), flush=True)  # noqa: T201 - read by the benchmark
    # Nothing that an instance does at its end belongs to its start.
    os._exit(0)


if __name__ == "__main__":
    main()
