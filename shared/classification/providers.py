"""Who can be asked: each provider behind one Protocol, made ready with its key and its model."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from shared.ai_models import Model
from shared.classification.models import KEYED, LOCAL
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Reply
from shared.config import settings
from shared.errors import Invalid

# Whatever is shorter is no vendor's key, and may stand in an honest answer.
_SHORTEST_KEY: Final = 8


class Ask(Protocol):
    """Asks a provider one question; raises ProviderFailed, Stopped."""

    def __call__(self, question: Question, model: str, patience: Patience) -> Reply:
        """What it answered, unread."""


def keyed(provider: str, key: str) -> Ask:
    """A provider of the network, ready to be asked; its SDK is imported when it is."""
    make: dict[str, Callable[[str], Ask]] = {
        "groq": _groq,
        "gemini": _gemini,
        "cerebras": _cerebras,
        "openrouter": _openrouter,
    }
    ask = make[provider](key)

    def ask_and_check(question: Question, model: str, patience: Patience) -> Reply:
        reply = ask(question, model, patience)
        if _tells(reply.text, key):
            # What it says of a product is kept and shown.
            tokens = (reply.input_tokens, reply.output_tokens)
            raise ProviderFailed("bad_output", tokens=tokens)
        return reply

    return ask_and_check


def models_of(provider: str) -> list[Model]:
    """The provider's models on the allow-list, the default first."""
    return [model for model in settings().ai_models if model.provider == provider]


def model_of(provider: str, name: str | None) -> Model:
    """The named model, or the provider's default; raises Invalid for one not on the list."""
    known = models_of(provider)
    for model in known:
        if name in (None, model.name):
            return model
    told = ", ".join(model.name for model in known) or "none"
    raise Invalid.one("model", f"is not on the allow-list of {provider}: {told}")


def order(configured: Sequence[str], preferred: str | None) -> list[str]:
    """The providers in the order in which they are asked.

    Whom the caller names comes first, else whom `AI_PROVIDER` names; those without an allowed
    model are left out.
    """
    first = preferred or settings().ai_provider
    names = [first, *(name for name in configured if name != first)] if first else configured
    return [name for name in names if models_of(name)]


def known() -> tuple[str, ...]:
    """Every provider that there is."""
    return (*KEYED, LOCAL)


def _tells(text: str, key: str) -> bool:
    """Whether an answer repeats the key that it was asked with, escaped or not."""
    if len(key) < _SHORTEST_KEY:
        return False
    try:
        plain = msgspec.json.encode(msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeEncodeError):
        # Nor will it be read.
        return key in text
    return key in text or msgspec.json.encode(key)[1:-1] in plain


def _groq(key: str) -> Ask:
    def ask(question: Question, model: str, patience: Patience) -> Reply:
        from shared.clients.ai import groq

        return groq.complete(question, model, patience, key, settings().groq_base_url)

    return ask


def _gemini(key: str) -> Ask:
    def ask(question: Question, model: str, patience: Patience) -> Reply:
        from shared.clients.ai import gemini

        return gemini.complete(question, model, patience, key, settings().google_base_url)

    return ask


def _cerebras(key: str) -> Ask:
    def ask(question: Question, model: str, patience: Patience) -> Reply:
        from shared.clients.ai import cerebras

        return cerebras.complete(question, model, patience, key, settings().cerebras_base_url)

    return ask


def _openrouter(key: str) -> Ask:
    def ask(question: Question, model: str, patience: Patience) -> Reply:
        from shared.clients.ai import openrouter

        return openrouter.complete(question, model, patience, key, settings().openrouter_base_url)

    return ask
