"""What groq's and openai's SDKs have in common: both were generated from one description."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from shared.clients.ai.asking import (
    FailureKind,
    Patience,
    ProviderFailed,
    Question,
    Reply,
    of_status,
)

# Where the vendor's own code says more than its status (400) does.
_BY_CODE: Final[dict[str, FailureKind]] = {
    "json_validate_failed": "bad_output",
    "model_decommissioned": "no_service",
    "content_filter": "refused",
}
# Of a failure that is told within an answer; any other is one that broke off.
_TOLD_WITHIN: Final = (402, 403, 408, 429)
_REFUSED: Final = "content_filter"


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
    _check_end(_end_of(choice, choice.message), tokens)
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
            # Who refuses says so in a part of its own, and ends as if it had answered.
            end = end if end == _REFUSED else _end_of(choice, choice.delta) or end
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
        raise _of_error(error) from None
    except transport.TimeoutException:
        raise ProviderFailed("timeout") from None
    except transport.RequestError:
        raise ProviderFailed("network") from None
    except sdk.APIResponseValidationError:
        raise ProviderFailed("bad_output") from None
    except sdk.APIError as error:
        raise _of_event(error.body) from None
    except (ValueError, TypeError, AttributeError):
        # A chunk that is no JSON, or JSON of another shape.
        raise ProviderFailed("bad_output") from None


def _tokens(usage: Any) -> tuple[int, int]:
    return (usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else (0, 0)


def _of_error(error: Any) -> ProviderFailed:
    body = error.body if isinstance(error.body, dict) else {}
    told = body["error"] if isinstance(body.get("error"), dict) else body
    if kind := _BY_CODE.get(str(told.get("code"))):
        return ProviderFailed(kind)
    if _is_flagged(told):
        return ProviderFailed("refused")
    return of_status(error.status_code, error.response.headers.get("retry-after"))


def _of_event(told: Any) -> ProviderFailed:
    """Of an error that comes in the place of a chunk, after the answer has begun."""
    if not isinstance(told, dict) or told.get("code") not in _TOLD_WITHIN:
        return ProviderFailed("network")
    return ProviderFailed("refused") if _is_flagged(told) else of_status(told["code"], None)


def _is_flagged(told: dict[str, Any]) -> bool:
    # OpenRouter's 403 for a text that the model's moderation flagged, whose key is a good one.
    metadata = told.get("metadata")
    return isinstance(metadata, dict) and "flagged_input" in metadata


def _end_of(choice: Any, said: Any) -> str | None:
    reason: str | None = choice.finish_reason
    return _REFUSED if getattr(said, "refusal", None) else reason


def _check_end(reason: str | None, tokens: tuple[int, int]) -> None:
    if reason == _REFUSED:
        raise ProviderFailed("refused", tokens=tokens)
    if reason != "stop":
        raise ProviderFailed("bad_output", tokens=tokens)
