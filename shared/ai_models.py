"""Which models may be asked, and what each costs: the allow-list that the settings hold."""

import re
from typing import Final

import msgspec

AI_PROVIDERS: Final = ("groq", "gemini", "cerebras", "openrouter", "local")
# The settings that hold the keys of those that want one, for the functions that must see them.
PROVIDER_KEYS: Final = (
    "GROQ_API_KEY",
    "GOOGLE_API_KEY",
    "CEREBRAS_API_KEY",
    "OPENROUTER_API_KEY",
)
# Prices as the providers published them in 2026; names retire and prices move, so both are
# settings. The first of each provider is its default.
DEFAULT_MODELS: Final = """
groq:llama-3.3-70b-versatile@0.59/0.79
groq:openai/gpt-oss-120b@0.15/0.60
gemini:gemini-flash-latest@1.50/7.50
gemini:gemini-flash-lite-latest@0.30/2.50
cerebras:llama-3.3-70b@0.85/1.20
cerebras:gpt-oss-120b@0.35/0.75
openrouter:meta-llama/llama-3.3-70b-instruct@0.13/0.40
openrouter:openai/gpt-oss-120b@0.10/0.50
local:names-and-neighbours@0/0
"""
_ENTRY: Final = re.compile(
    r"(?P<provider>[a-z]+):(?P<name>[\w.:/-]{1,100})@(?P<input>\d{1,4}(?:\.\d{1,6})?)"
    r"/(?P<output>\d{1,4}(?:\.\d{1,6})?)"
)
_LOCAL: Final = "local:names-and-neighbours@0/0"
_MILLION: Final = 1_000_000


class Model(msgspec.Struct, frozen=True):
    """A model and its prices, in millionths of a US dollar for a million tokens."""

    provider: str
    name: str
    input_micros: int
    output_micros: int

    def cost_micros(self, input_tokens: int, output_tokens: int) -> int:
        """What a call costs in millionths of a dollar, rounded up."""
        spent = input_tokens * self.input_micros + output_tokens * self.output_micros
        return -(-spent // _MILLION)


def read_models(text: str) -> tuple[Model, ...]:
    """The models of `provider:model@input/output` (dollars for a million tokens), in order.

    The default list where `text` is empty; `local` is always there. Raises ValueError, which
    names the entry that is wrong.
    """
    entries = (text or DEFAULT_MODELS).replace(",", " ").split()
    if not any(entry.startswith("local:") for entry in entries):
        entries.append(_LOCAL)
    models = tuple(map(_model, entries))
    names = [(model.provider, model.name) for model in models]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(entries[number])
    return models


def _model(entry: str) -> Model:
    found = _ENTRY.fullmatch(entry)
    if found is None or found["provider"] not in AI_PROVIDERS:
        raise ValueError(entry)
    return Model(
        found["provider"], found["name"], _micros(found["input"]), _micros(found["output"])
    )


def _micros(dollars: str) -> int:
    whole, _, part = dollars.partition(".")
    return int(whole) * _MILLION + int(part.ljust(6, "0") or "0")
