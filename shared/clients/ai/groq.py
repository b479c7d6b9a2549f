"""Groq, by its own SDK."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from shared.clients.ai import chat_completions
from shared.clients.ai.asking import CONNECT_SECONDS, Patience, Question, Reply

if TYPE_CHECKING:
    from groq import Groq

# Its other models know a JSON mode only.
_WITH_SCHEMA: Final = "openai/gpt-oss-"


def complete(
    question: Question, model: str, patience: Patience, key: str, base_url: str | None
) -> Reply:
    """The model's answer, whole: Groq streams no structured output. Raises ProviderFailed."""
    import groq
    import httpx

    client = _client(key, base_url, patience.seconds)
    schema = model.startswith(_WITH_SCHEMA)
    with chat_completions.failures_mapped(groq, httpx):
        patience.check()
        request = chat_completions.request_of(question, model, schema=schema)
        return chat_completions.whole(client.chat.completions.create(**request))


@lru_cache(maxsize=2)
def _client(key: str, base_url: str | None, seconds: float) -> "Groq":
    import httpx
    from groq import Groq

    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    return Groq(api_key=key, base_url=base_url, timeout=timeout, max_retries=0)
