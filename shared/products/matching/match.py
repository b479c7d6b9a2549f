"""What a comparison of two offers says."""

from typing import Literal

import msgspec

from shared.products.matching.one_retailer import least

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
    one_retailer: bool = False

    def same(self, lowest: int) -> bool:
        """Whether the two count as one product, where that takes a confidence of `lowest`.

        Two offers of one retailer take strong evidence whatever that is.
        """
        return self.confidence >= least(lowest, one_retailer=self.one_retailer)
