"""An instance imports its own function and nothing that it may never need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.declarations import FUNCTIONS, ROOT, Declared, declared

ALL = declared()
SERVING = {"firestore": "shared.edge.document_events"}
HEAVY = (
    "PIL",
    "brotli",
    "cryptography",
    "defusedxml",
    "firebase_admin",
    "firebase_functions",
    "google.api_core",
    "google.auth",
    "google.cloud",
    "google.events",
    "google.genai",
    "google.protobuf",
    "groq",
    "grpc",
    "httpx",
    "httpx2",
    "jwt",
    "kubernetes",
    "numpy",
    "onnxruntime",
    "openai",
    "opensearchpy",
    "openpyxl",
    "proto",
    "pydantic",
    "rapidfuzz",
    "requests",
    "selectolax",
    "shared.edge.manifest",
    "tokenizers",
    "upstash_ratelimit",
    "upstash_redis",
)
# Events come as protocol buffers, so whatever a trigger does begins with reading one.
EVENT = ("google.events", "google.protobuf", "proto")
ALLOWED: dict[str, tuple[str, ...]] = {}


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Per function, the modules that it has loaded before its first request."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GOOGLE_CLOUD_PROJECT": "demo-shopple",
        "SECRET_KEY": "a-key-that-protects-nothing-at-all",
    }
    functions = [
        [
            str(FUNCTIONS / each.codebase / "main.py"),
            each.function.name,
            SERVING.get(each.function.kind, "shared.edge.pipeline"),
        ]
        for each in ALL
    ]
    started = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, str(Path(__file__).with_name("starts.py"))],
        input=json.dumps(functions),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    modules: dict[str, list[str]] = json.loads(started.stdout)
    return modules


def allowed(each: Declared) -> tuple[str, ...]:
    own = ALLOWED.get(each.function.name, ())
    return (*own, *EVENT) if each.function.kind == "firestore" else own


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.function.name)
def test_a_function_starts_without_what_its_first_request_may_not_need(
    each: Declared, loaded: dict[str, list[str]]
) -> None:
    heavy = {
        library
        for module in loaded[each.function.name]
        for library in HEAVY
        if module == library or module.startswith(f"{library}.")
    }

    assert heavy <= set(allowed(each))


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.function.name)
def test_a_function_imports_no_other(each: Declared, loaded: dict[str, list[str]]) -> None:
    others = {other.function.name for other in ALL} - {each.function.name}

    assert others & set(loaded[each.function.name]) == set()
