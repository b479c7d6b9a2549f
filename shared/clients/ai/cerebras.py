"""Cerebras."""

from shared.clients.ai import openai_compatible
from shared.clients.ai.asking import Patience, Question, Reply


def complete(question: Question, model: str, patience: Patience, key: str, base_url: str) -> Reply:
    """The model's answer; raises ProviderFailed, Stopped."""
    return openai_compatible.complete(question, model, patience, key, base_url, extra=None)
