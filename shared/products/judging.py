"""The candidates of a product, judged by their copies: whom to read, and who else competes."""

from collections.abc import Iterable, Mapping, Sequence

from shared.products import pairs
from shared.products.matching import Match, Matcher, Offer


class Candidates:
    """Likely offers of the product that `offer` is of; none where there is no product."""

    def __init__(
        self, offer: Offer | None, likely: Sequence[Offer], matcher: Matcher, lowest: int
    ) -> None:
        self._matcher, self._lowest, self._offer = matcher, lowest, offer
        self._likely = {each.id: each for each in likely}
        self._judged = matcher.judge(offer, likely, lowest) if offer is not None else {}

    @property
    def confidences(self) -> dict[str, int]:
        """Of those that count as the same product."""
        return {pid: m.confidence for pid, m in self._judged.items() if m.same(self._lowest)}

    def judge(
        self,
        offer: Offer,
        others: Mapping[str, Offer],
        absent: Iterable[str],
        decided: Mapping[str, bool],
    ) -> dict[str, Match]:
        """Those of `others` that are the same product; what was not read competes by its copy.

        What a person confirmed is among them whatever its score, what one refused never.
        """
        beside = {pid: each for pid, each in self._likely.items() if pid not in absent}
        field = {**beside, **others}
        judged = self._judged
        if offer != self._offer or field != self._likely:
            judged = self._matcher.judge(offer, list(field.values()), self._lowest)
        matches = {pid: judged[pid] for pid in others if judged[pid].same(self._lowest)}
        for other_id, other in others.items():
            if decided.get(other_id):
                known = matches.get(other_id) or self._matcher.compare(offer, other)
                matches[other_id] = pairs.confirmed(known)
        return {pid: match for pid, match in matches.items() if decided.get(pid) is not False}
