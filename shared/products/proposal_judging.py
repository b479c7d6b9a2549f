"""Judging proposals by the settings' rules: finds the facts that the rules look at.

Nothing is looked up while the rules are off, nor for a retailer that they do not name.
"""

from collections.abc import Iterable, Sequence

from shared.products import category_tree, match_models, postings
from shared.products.matching import DefaultMatcher, Matcher, Offer, shortlist
from shared.products.models import Product
from shared.products.proposal_models import Fields
from shared.products.proposal_rules import (
    Facts,
    Verdict,
    best_confidences,
    still_the_same,
    verdict,
)
from shared.products.upload_models import offer_of
from shared.products.upload_rows import UploadRow
from shared.system.configuration_records import Configuration

MAX_COMPARED = 10


class Judge:
    """The rules, with what they need to know of a chunk of offers."""

    def __init__(self, settings: Configuration, matcher: Matcher | None = None) -> None:
        self._settings = settings
        self._matcher = matcher or _matcher(settings)
        self._lists: postings.Postings = {}
        self._categories: set[str] = set()

    def look_up(self, unknown: Sequence[UploadRow], all_rows: Iterable[UploadRow]) -> None:
        """Reads the categories of all rows, and four posting lists at most for each unknown one."""
        rules = self._settings.auto_approval
        if not rules.enabled:
            return
        named = {row.category for row in all_rows if row.retailer in rules.retailers}
        self._categories = category_tree.listed(named)
        offers = [offer_of(row, "") for row in unknown if row.retailer in rules.retailers]
        self._lists = postings.read(key for offer in offers for key in self._matcher.keys(offer))

    def of_new(self, row: UploadRow) -> Verdict:
        """Whether a new offer needs no person."""
        offer = offer_of(row, "")
        others = {
            pid: other
            for key in self._matcher.keys(offer)
            for pid, other in self._lists.get(key, {}).items()
        }
        likely = shortlist(offer, others.values(), MAX_COMPARED)
        abroad, twin = best_confidences(offer, likely, self._matcher)
        facts = Facts(
            kind="new",
            retailer=row.retailer,
            category_known=row.category in self._categories,
            confidence=abroad,
            price_minor=row.price_minor,
            currency=row.currency,
            twin_confidence=twin,
        )
        return verdict(self._settings, facts)

    def of_change(self, product: Product, fresh: Fields) -> Verdict:
        """Whether a change of a product needs no person."""
        known = postings.offer_of(product)
        wording = {name: v for name, v in fresh.items() if name in Offer.__struct_fields__}
        found = Offer(**{n: wording.get(n, getattr(known, n)) for n in Offer.__struct_fields__})
        facts = Facts(
            kind="change",
            retailer=product.retailer,
            category_known="category" not in fresh or fresh["category"] in self._categories,
            confidence=still_the_same(known, found, self._matcher),
            price_minor=found.price_minor,
            currency=found.currency,
            known_price_minor=known.price_minor,
            known_currency=known.currency,
        )
        return verdict(self._settings, facts)


def _matcher(settings: Configuration) -> Matcher:
    # While the rules are off no verdict depends on it, and to ask for the model costs a read.
    return match_models.current() if settings.auto_approval.enabled else DefaultMatcher()
