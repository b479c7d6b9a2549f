"""What vendors answer where they fail: their own statuses and bodies, as documented or seen.

Gemini: ai.google.dev/gemini-api/docs/troubleshooting; OpenRouter:
openrouter.ai/docs/api/reference/errors-and-debugging; Groq: console.groq.com/docs/errors.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

_JSON: Final = "application/json"
_EVENTS: Final = "text/event-stream"
_RPC: Final = "type.googleapis.com/google.rpc"


@dataclass(frozen=True)
class Told:
    """An answer, whole."""

    status: int
    body: str
    content_type: str = _JSON


def _events(*chunks: dict[str, Any]) -> Told:
    told = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return Told(200, told, _EVENTS)


def _error(code: int | str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def _of_gemini(code: int, status: str, message: str, *details: dict[str, Any]) -> Told:
    told = _error(code, message, status=status, details=list(details))
    return Told(code, json.dumps(told))


def _of_groq(code: str, message: str, **more: str) -> Told:
    told = _error(code, message, type="invalid_request_error", **more)
    return Told(400, json.dumps(told))


def _chunk(delta: dict[str, Any], end: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    known = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**known, "choices": [choice], **more}


_BEGUN: Final = _chunk({"role": "assistant", "content": '{"category": "te'})
_PROTOCOL: Final = _events(
    _BEGUN,
    _chunk({"content": ""}, "error", **_error("server_error", "Provider disconnected")),
)
_FLAGGED: Final = {
    "reasons": ["violence"],
    "flagged_input": "Ceylon...",
    "provider_name": "OpenAI",
    "model_slug": "openai/gpt-oss-120b",
}

# By what happens: the answer of each vendor that gives it.
ANSWERS: Final[dict[str, dict[str, Told]]] = {
    "refused before it begins": {
        "gemini": _events(
            {
                "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                "usageMetadata": {"promptTokenCount": 13, "totalTokenCount": 13},
            }
        ),
        "openrouter": Told(403, json.dumps(_error(403, "Flagged", metadata=_FLAGGED))),
    },
    "refused in words": {
        provider: _events(_chunk({"refusal": "I cannot help with"}), _chunk({}, "stop"))
        for provider in ("cerebras", "openrouter")
    },
    "its own check of the JSON failed": {
        "groq": _of_groq(
            "json_validate_failed",
            "Failed to generate JSON. Please adjust your prompt.",
            failed_generation='{"category": ',
        ),
    },
    "wrong key, told as 400": {
        "gemini": _of_gemini(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            {"@type": f"{_RPC}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
            {"@type": f"{_RPC}.LocalizedMessage", "locale": "en-US", "message": "Not valid."},
        ),
    },
    "to be paid first, told as 400": {
        "gemini": _of_gemini(
            400,
            "FAILED_PRECONDITION",
            "Gemini API free tier is not available in your country. Please enable billing.",
        ),
    },
    "model withdrawn, told as 400": {
        "groq": _of_groq("model_decommissioned", "The model has been decommissioned."),
    },
    "429 with its wait in the body": {
        "gemini": _of_gemini(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota.",
            {"@type": f"{_RPC}.QuotaFailure", "violations": [{"quotaId": "PerMinute"}]},
            {"@type": f"{_RPC}.RetryInfo", "retryDelay": "40.07s"},
        ),
    },
    "429 within the answer": {
        "openrouter": _events(_BEGUN, _chunk({}, "error", **_error(429, "Rate limited"))),
    },
    "an error within the answer": {
        "gemini": _events(
            {"candidates": [{"content": {"parts": [{"text": "{"}], "role": "model"}, "index": 0}]},
            _error(503, "The model is overloaded.", status="UNAVAILABLE"),
        ),
        "cerebras": _PROTOCOL,
        "openrouter": _PROTOCOL,
    },
}
