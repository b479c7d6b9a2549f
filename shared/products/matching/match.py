"""What a comparison of two offers says."""

from typing import Literal

import msgspec

Verdict = Literal["agrees", "differs", "missing"]


class Evidence(msgspec.Struct, frozen=True):
    """What one field says, in words, and how many points it adds or takes."""

    field: str
    verdict: Verdict
    detail: str
    weight: int


class Match(msgspec.Struct, frozen=True):
    """The confidence from 0 to 100 that two offers are one product, and what it rests on."""

    confidence: int
    evidence: tuple[Evidence, ...]

    def same(self, lowest: int) -> bool:
        """Whether the two count as one product, where that takes a confidence of `lowest`."""
        return self.confidence >= lowest
