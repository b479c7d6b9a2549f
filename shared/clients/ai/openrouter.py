"""OpenRouter, which passes a call on to whoever serves the model."""

from typing import Final

from shared.clients.ai import openai_compatible
from shared.clients.ai.asking import Patience, Question, Reply

# Only to those that keep to the schema, where others would drop it in silence.
_ROUTING: Final = {"provider": {"require_parameters": True}}


def complete(question: Question, model: str, patience: Patience, key: str, base_url: str) -> Reply:
    """The model's answer; raises ProviderFailed, Stopped."""
    return openai_compatible.complete(question, model, patience, key, base_url, extra=_ROUTING)
