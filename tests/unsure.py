"""An answer that nobody may take as it is: what comes of it is for a person to say."""

from typing import Final

from shared.classification.models import Decided

UNSURE: Final = Decided(
    index=3,
    category="tea",
    confidence=48,
    raw_confidence=91,
    rationale="Tea by its name.",
    provider="cerebras",
    model="a-model",
    prompt_version="1",
    source="provider",
)
