"""Groq, by its own SDK."""

from typing import TYPE_CHECKING, Final

from shared.clients.ai import chat_completions, patient_network
from shared.clients.ai.asking import CONNECT_SECONDS, STEP_SECONDS, Patience, Question, Reply
from shared.clients.ai.keeping import kept

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

    client = _client(key, base_url)
    schema = model.startswith(_WITH_SCHEMA)
    with patient_network.held_to(patience), chat_completions.failures_mapped(groq, httpx):
        request = chat_completions.request_of(question, model, schema=schema)
        return chat_completions.whole(client.chat.completions.create(**request))


@kept(2)
def _client(key: str, base_url: str | None) -> "Groq":
    import httpcore
    import httpx
    from groq import DefaultHttpxClient, Groq

    http = DefaultHttpxClient(transport=patient_network.transport(httpx, httpcore))
    timeout = httpx.Timeout(STEP_SECONDS, connect=CONNECT_SECONDS)
    return Groq(api_key=key, base_url=base_url, timeout=timeout, max_retries=0, http_client=http)
