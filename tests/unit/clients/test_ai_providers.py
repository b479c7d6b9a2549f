"""Who asks one provider loads one SDK, and only then."""

import json
import subprocess
import sys

import pytest

from local.plan import ROOT

SDKS = {"groq", "openai", "google.genai"}
OWN = {
    "groq": "groq",
    "gemini": "google.genai",
    "cerebras": "openai",
    "openrouter": "openai",
}
# Asks at a port that nothing listens on: the SDK is loaded, and fails as it would in earnest.
ASK = """
import json, sys
from shared.clients.ai import {0}
from shared.clients.ai.asking import Patience, ProviderFailed, Question

before = sorted({1} & set(sys.modules))
try:
    {0}.complete(Question("", "", {{}}, "", 1), "model", Patience(20), "key", "http://127.0.0.1:9")
except ProviderFailed as failure:
    print(json.dumps([before, sorted({1} & set(sys.modules)), failure.kind]))
"""


@pytest.mark.parametrize("provider", OWN)
def test_an_adapter_loads_its_own_sdk_when_it_is_asked(provider: str) -> None:
    told = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", ASK.format(provider, SDKS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout) == [[], [OWN[provider]], "network"]
