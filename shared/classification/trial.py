"""POST /classify/test-provider: one small question, whatever the circuit says."""

import time
from typing import Final

from shared.classification import answers, candidates, circuits, keys, paying, prompts, providers
from shared.classification.models import LOCAL, Categories, Choice, Item
from shared.classification.schemas import Tested, TestProvider
from shared.classification.spending import Spent
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
    candidate = candidates.on_trial(wanted.provider, wanted.model, key, _CATEGORIES)
    question = prompts.question(_ITEM, _CATEGORIES)
    try:
        held = paying.reserve(candidate, question)
    except Spent:
        return Tested(False, 0, model.name, "budget: The provider's budget of the day is spent.")
    began, permit = time.monotonic(), circuits.permit_of_somebody(wanted.provider)
    try:
        patience = Patience(settings().ai_timeout_seconds)
        reply = paying.ask(candidate, question, patience, held)
        answers.read(reply.text, _CATEGORIES)
    except ProviderFailed as failure:
        latency_ms = _ms_since(began)
        circuits.failed(permit, failure, latency_ms)
        return Tested(False, latency_ms, model.name, f"{failure.kind}: {failure.detail}")
    latency_ms = _ms_since(began)
    if candidate.has_circuit:
        circuits.succeeded(permit, latency_ms)
    return Tested(True, latency_ms, model.name)


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
