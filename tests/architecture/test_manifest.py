"""The Firebase CLI finds exactly what is declared."""

from typing import Any

import pytest

from tests.architecture.discovery import manifest
from tools.declarations import FUNCTIONS, ROOT, Declared, codebases, declared

ALL = declared()


def described(endpoint: dict[str, Any]) -> dict[str, Any]:
    return {
        "entry": endpoint["entryPoint"],
        "platform": endpoint["platform"],
        "memory": endpoint["availableMemoryMb"],
        "timeout": endpoint["timeoutSeconds"],
        "concurrency": endpoint["concurrency"],
        "region": endpoint["region"],
        "account": endpoint["serviceAccountEmail"],
        "secrets": [secret["key"] for secret in endpoint["secretEnvironmentVariables"]],
        "trigger": trigger(endpoint),
    }


def trigger(endpoint: dict[str, Any]) -> Any:
    if "httpsTrigger" in endpoint:
        return endpoint["httpsTrigger"]["invoker"]
    event = endpoint["eventTrigger"]
    return event["eventType"], event["eventFilterPathPatterns"] | event["eventFilters"]


def expected(each: Declared) -> dict[str, Any]:
    function = each.function
    return {
        "entry": function.name,
        "platform": "gcfv2",
        "memory": function.memory_mb,
        "timeout": function.timeout_seconds,
        "concurrency": function.concurrency,
        "region": ["asia-south1"],
        "account": f"shopple-{function.service_account}@",
        "secrets": list(function.secrets),
        "trigger": expected_trigger(each),
    }


def expected_trigger(each: Declared) -> Any:
    if each.function.kind == "firestore":
        filters = {
            "database": "(default)",
            "namespace": "(default)",
            "document": each.function.document,
        }
        return "google.cloud.firestore.document.v1.written", filters
    if each.function.for_pods:
        return ["crawler-pod@"]
    return ["tasks-invoker@"] if each.function.private else ["public"]


@pytest.mark.parametrize("codebase", codebases())
def test_the_manifest_says_what_is_declared(codebase: str) -> None:
    found = manifest(FUNCTIONS / codebase, ROOT)

    own = [each for each in ALL if each.codebase == codebase]
    assert {name: described(endpoint) for name, endpoint in found.items()} == {
        each.function.name: expected(each) for each in own
    }
