"""What groq's and openai's SDKs have in common: both were generated from one description."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from shared.clients.ai.asking import Patience, ProviderFailed, Question, Reply, of_status


def request_of(question: Question, model: str, *, schema: bool) -> dict[str, Any]:
    """The arguments of a chat completion; without `schema` any JSON object is asked for."""
    wanted: dict[str, Any] = {"type": "json_object"}
    if schema:
        named = {"name": "classification", "strict": True, "schema": question.schema}
        wanted = {"type": "json_schema", "json_schema": named}
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.user},
        ],
        "response_format": wanted,
        "temperature": 0,
        "max_tokens": question.max_tokens,
    }


def whole(completion: Any) -> Reply:
    """The reply of an answer that came in one piece; raises ProviderFailed."""
    if not completion.choices:
        raise ProviderFailed("bad_output")
    choice, tokens = completion.choices[0], _tokens(completion.usage)
    _check_end(choice.finish_reason, tokens)
    return Reply(choice.message.content or "", *tokens)


def gathered(chunks: Iterable[Any], patience: Patience) -> Reply:
    """The reply of an answer that came in pieces; raises ProviderFailed, Stopped."""
    text, end, tokens = [], None, (0, 0)
    for chunk in chunks:
        patience.check()
        if chunk.usage is not None:
            tokens = _tokens(chunk.usage)
        for choice in chunk.choices:
            text.append(choice.delta.content or "")
            end = choice.finish_reason or end
    if end is None:
        # A stream that ends early raises nothing by itself.
        raise ProviderFailed("network")
    _check_end(end, tokens)
    return Reply("".join(text), *tokens)


@contextmanager
def failures_mapped(sdk: Any, transport: Any) -> Iterator[None]:
    """Turns what the SDK raises, and what of its HTTP library slips through, into our failures."""
    try:
        yield
    except sdk.APITimeoutError:
        raise ProviderFailed("timeout") from None
    except sdk.APIConnectionError:
        raise ProviderFailed("network") from None
    except sdk.APIStatusError as error:
        raise of_status(error.status_code, error.response.headers.get("retry-after")) from None
    except transport.TimeoutException:
        raise ProviderFailed("timeout") from None
    except transport.RequestError:
        raise ProviderFailed("network") from None
    except (sdk.APIError, ValueError, TypeError, AttributeError):
        # A chunk that is no JSON, or JSON of another shape.
        raise ProviderFailed("bad_output") from None


def _tokens(usage: Any) -> tuple[int, int]:
    return (usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else (0, 0)


def _check_end(reason: str | None, tokens: tuple[int, int]) -> None:
    if reason == "content_filter":
        raise ProviderFailed("refused", tokens=tokens)
    if reason != "stop":
        raise ProviderFailed("bad_output", tokens=tokens)
