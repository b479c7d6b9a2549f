"""POST /classify/test-provider: one small question, whatever the circuit says."""

import time
from typing import Final

from shared.classification import answers, candidates, circuits, keys, prompts, providers, spending
from shared.classification.models import LOCAL, Categories, Choice, Item
from shared.classification.schemas import Tested, TestProvider
from shared.clients.ai.asking import Patience, ProviderFailed
from shared.config import settings

_ITEM: Final = Item("Fresh Full Cream Milk 1 l")
_CATEGORIES: Final = Categories((Choice("milk", ("Milk",)), Choice("soap", ("Soap",))))


def run(wanted: TestProvider) -> Tested:
    """Whether the provider answers as it should; raises Invalid for a model not allowed."""
    model = providers.model_of(wanted.provider, wanted.model)
    key = keys.credentials([wanted.provider]).by_provider.get(wanted.provider)
    if key is None and wanted.provider != LOCAL:
        return Tested(False, 0, model.name, "No key is set.")
    candidate = candidates.single(wanted.provider, wanted.model, key, _CATEGORIES)
    began = time.monotonic()
    try:
        patience = Patience(settings().ai_timeout_seconds)
        question = prompts.question(_ITEM, _CATEGORIES)
        reply = candidate.ask(question, model.name, patience)
        spending.add(wanted.provider, model.cost_micros(reply.input_tokens, reply.output_tokens))
        answers.read(reply.text, _CATEGORIES)
    except ProviderFailed as failure:
        latency_ms = _ms_since(began)
        spending.add(wanted.provider, model.cost_micros(*failure.tokens))
        circuits.failed(wanted.provider, failure, latency_ms)
        return Tested(False, latency_ms, model.name, f"{failure.kind}: {failure.detail}")
    latency_ms = _ms_since(began)
    if candidate.has_circuit:
        circuits.succeeded(wanted.provider, latency_ms)
    return Tested(True, latency_ms, model.name)


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
