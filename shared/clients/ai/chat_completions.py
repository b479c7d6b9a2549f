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
    choice, usage = completion.choices[0], completion.usage
    _check_end(choice.finish_reason)
    return Reply(
        choice.message.content or "",
        usage.prompt_tokens if usage else 0,
        usage.completion_tokens if usage else 0,
    )


def gathered(chunks: Iterable[Any], patience: Patience) -> Reply:
    """The reply of an answer that came in pieces; raises ProviderFailed, Stopped."""
    text, end, input_tokens, output_tokens = [], None, 0, 0
    for chunk in chunks:
        patience.check()
        if chunk.usage is not None:
            input_tokens, output_tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        for choice in chunk.choices:
            text.append(choice.delta.content or "")
            end = choice.finish_reason or end
    if end is None:
        # A stream that ends early raises nothing by itself.
        raise ProviderFailed("network")
    _check_end(end)
    return Reply("".join(text), input_tokens, output_tokens)


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


def _check_end(reason: str | None) -> None:
    if reason == "content_filter":
        raise ProviderFailed("refused")
    if reason != "stop":
        raise ProviderFailed("bad_output")
