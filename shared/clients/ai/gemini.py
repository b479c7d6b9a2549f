"""Google's Gemini, by google-genai."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from shared.clients.ai import patient_network
from shared.clients.ai.asking import (
    STEP_SECONDS,
    FailureKind,
    Patience,
    ProviderFailed,
    Question,
    Reply,
    of_status,
)
from shared.clients.ai.keeping import kept

if TYPE_CHECKING:
    from google.genai import Client

_VERSION: Final = "v1beta"
# What a model thinks counts as output, and not every model lets itself be told to think less.
_THINKING_TOKENS: Final = 4096
_REFUSALS: Final = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")


def complete(
    question: Question, model: str, patience: Patience, key: str, base_url: str | None
) -> Reply:
    """The model's answer, gathered from its stream; raises ProviderFailed, Stopped."""
    client = _client(key, base_url)
    config = {
        "system_instruction": question.system,
        "response_mime_type": "application/json",
        "response_json_schema": question.schema,
        "temperature": 0,
        "max_output_tokens": question.max_tokens + _THINKING_TOKENS,
    }
    with patient_network.held_to(patience), _failures_mapped():
        chunks = client.models.generate_content_stream(
            model=model,
            contents=question.user,
            config=config,  # type: ignore[arg-type]
        )
        return _gathered(chunks, patience)


def _gathered(chunks: Iterator[Any], patience: Patience) -> Reply:
    text, end, usage = [], None, None
    for chunk in chunks:
        patience.check()
        usage = chunk.usage_metadata or usage
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise ProviderFailed("refused", tokens=_tokens(usage))
        for candidate in chunk.candidates or ():
            parts = candidate.content.parts if candidate.content else None
            text += [part.text or "" for part in parts or () if not part.thought]
            end = candidate.finish_reason.name if candidate.finish_reason else end
    if end is None:
        raise ProviderFailed("network")
    if end != "STOP":
        kind: FailureKind = "refused" if end in _REFUSALS else "bad_output"
        raise ProviderFailed(kind, tokens=_tokens(usage))
    return Reply("".join(text), *_tokens(usage))


def _tokens(usage: Any) -> tuple[int, int]:
    if usage is None:
        return 0, 0
    thought = usage.thoughts_token_count or 0
    return usage.prompt_token_count or 0, (usage.candidates_token_count or 0) + thought


@kept(2)
def _client(key: str, base_url: str | None) -> "Client":
    import httpcore2
    import httpx2
    from google import genai

    # The SDK makes clients that are never used, each of which would read all certificates.
    context = httpx2.create_ssl_context()
    options = {
        "base_url": base_url,
        "api_version": _VERSION,
        "timeout": int(STEP_SECONDS * 1000),
        # The SDK uses the HTTP library that this is of.
        "client_args": {
            "transport": patient_network.transport(httpx2, httpcore2, context),
            "verify": context,
        },
        "async_client_args": {"verify": context, "ssl": context},
        "retry_options": {"attempts": 1},
    }
    return genai.Client(api_key=key, vertexai=False, http_options=options)  # type: ignore[arg-type]


@contextmanager
def _failures_mapped() -> Iterator[None]:
    import httpx2
    from google.genai import errors

    try:
        yield
    except errors.APIError as error:
        raise _of_error(error) from None
    except httpx2.TimeoutException:
        raise ProviderFailed("timeout") from None
    except httpx2.RequestError:
        raise ProviderFailed("network") from None
    except (ValueError, TypeError, AttributeError):
        raise ProviderFailed("bad_output") from None


def _of_error(error: Any) -> ProviderFailed:
    details = [each for each in _details(error.details) if isinstance(each, dict)]
    # A wrong key is a 400 to Gemini.
    if any(each.get("reason") == "API_KEY_INVALID" for each in details):
        return ProviderFailed("bad_key")
    # So is a project that has no free use where it stands, and nobody who pays.
    if error.status == "FAILED_PRECONDITION":
        return ProviderFailed("no_service")
    asked = next((each["retryDelay"] for each in details if "retryDelay" in each), None)
    headers = getattr(error.response, "headers", None) or {}
    return of_status(error.code, headers.get("retry-after") or asked)


def _details(told: Any) -> list[Any]:
    error = told.get("error", told) if isinstance(told, dict) else None
    found = error.get("details") if isinstance(error, dict) else None
    return found if isinstance(found, list) else []
