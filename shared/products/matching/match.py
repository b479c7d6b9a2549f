"""What a comparison of two offers says."""

from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["agrees", "differs", "missing"]

THRESHOLD: Final = 50


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one field says, in words, and how many points it adds or takes."""

    field: str
    verdict: Verdict
    detail: str
    weight: int


@dataclass(frozen=True, slots=True)
class Match:
    """The confidence from 0 to 100 that two offers are one product, and what it rests on."""

    confidence: int
    evidence: tuple[Evidence, ...]

    @property
    def same(self) -> bool:
        """Whether the two count as one product."""
        return self.confidence >= THRESHOLD
