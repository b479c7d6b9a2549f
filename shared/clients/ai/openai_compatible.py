"""Cerebras and OpenRouter, which speak OpenAI's protocol, by OpenAI's SDK."""

from typing import TYPE_CHECKING, Any

from shared.clients.ai import chat_completions, patient_network
from shared.clients.ai.asking import CONNECT_SECONDS, STEP_SECONDS, Patience, Question, Reply
from shared.clients.ai.keeping import kept

if TYPE_CHECKING:
    from openai import OpenAI


def complete(  # noqa: PLR0913 - one more than the other providers': there are two of this kind
    question: Question,
    model: str,
    patience: Patience,
    key: str,
    base_url: str,
    *,
    extra: dict[str, Any] | None,
) -> Reply:
    """The model's answer, gathered from its stream; raises ProviderFailed, Stopped."""
    import httpx2
    import openai

    client = _client(key, base_url)
    with patient_network.held_to(patience), chat_completions.failures_mapped(openai, httpx2):
        request = chat_completions.request_of(question, model, schema=True)
        with client.chat.completions.create(
            **request, stream=True, stream_options={"include_usage": True}, extra_body=extra
        ) as chunks:
            return chat_completions.gathered(chunks, patience)


@kept(4)
def _client(key: str, base_url: str) -> "OpenAI":
    import httpcore2
    import httpx2
    from openai import DefaultHttpxClient, OpenAI

    http = DefaultHttpxClient(transport=patient_network.transport(httpx2, httpcore2))
    timeout = httpx2.Timeout(STEP_SECONDS, connect=CONNECT_SECONDS)
    return OpenAI(api_key=key, base_url=base_url, timeout=timeout, max_retries=0, http_client=http)
