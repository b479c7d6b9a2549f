"""Some rows of a crawl in one transaction: prices, proposals, and what is kept apart."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clock import epoch_micros, from_epoch_micros
from shared.crawling.ingestion import finding, judging, quarantine
from shared.crawling.ingestion.models import Counts
from shared.crawling.ingestion.offers import Found
from shared.edge.request import Actor
from shared.prices import store
from shared.prices.models import Point, months_between
from shared.products import identities, price_changes, proposal_work, proposing
from shared.products.models import Product
from shared.products.price_changes import Changed
from shared.products.proposal_judging import Judge
from shared.products.proposal_work import Work
from shared.products.upload_models import given_fields

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

# Six documents a new row and a few for all stay under Firestore's classic 500 writes.
PAGE_ROWS: Final = 50
# What a product usually costs is told by its prices of so long.
LOOKED_BACK: Final = timedelta(days=31)
# What a listed product costs is taken as it is, and where it belongs is not the shop's to say.
_NOT_PROPOSED: Final = ("price_minor", "currency", "category")


class Crawl(msgspec.Struct, frozen=True):
    """What the rows have in common.

    `late` says that a younger crawl of the same things has been taken in: nothing of this one is
    the newest. `trusted` says that a person stands for the prices.
    """

    job_id: str
    retailer: str
    category: str
    seen_at: datetime
    by: Actor
    factor: int
    late: bool = False
    trusted: bool = False

    def moment(self, found: Found) -> datetime:
        """When the row's price was seen: each row's own, so that no two meet in a history."""
        return self.seen_at + timedelta(microseconds=found.number)


class Done(msgspec.Struct):
    """What became of the rows, and which debt of prices nobody else will ask for."""

    counts: Counts
    debt: str | None
    touched: bool
    priced: tuple[str, ...]
    quarantined: tuple[str, ...]


def take_in(
    transaction: "Transaction", crawl: Crawl, rows: Sequence[Found], judge: Judge, now: datetime
) -> Done:
    """Reads what the rows need, and adds to the transaction all that follows from them.

    A row costs three identities, its product and its proposal, a price that moved two or three
    months of its history, and an unknown row its posting lists.
    """
    page = _Page(transaction, crawl, now)
    page.look_up(rows, judge)
    for each in rows:
        page.apply(each, judge)
    for kept in page.quarantined:
        transaction.create(quarantine.reference(kept.id), quarantine.to_document(kept))
    debt = proposal_work.write(transaction, page.work, crawl.by)
    return Done(
        counts=Counts(**page.counts),
        debt=debt,
        touched=bool(page.work.touched),
        priced=tuple(dict.fromkeys(each.product_id for each in page.work.seen_prices)),
        quarantined=tuple(each.id for each in page.quarantined),
    )


class _Page:
    """The state in which the rows were met, and what comes of it."""

    def __init__(self, transaction: "Transaction", crawl: Crawl, now: datetime) -> None:
        self._transaction, self._crawl = transaction, crawl
        self.work = Work(f"crawl {crawl.job_id}", now, owners={}, products={}, proposals={})
        self.work.price_source = "crawler"
        self.counts = dict.fromkeys(Counts.__struct_fields__, 0)
        self.quarantined: list[quarantine.Quarantined] = []
        self._owners: dict[str, str] = {}
        self._guesses: Mapping[int, str] = {}
        self._points: dict[str, list[Point]] = {}
        self._met: set[str] = set()

    def look_up(self, rows: Sequence[Found], judge: Judge) -> None:
        """Reads whatever the rows need: everything before the first write."""
        keys = (key for each in rows for key in finding.keys_of(each.offer))
        self._owners = identities.owners(keys, self._transaction)
        proposal_work.learn(self._transaction, self.work, self._owners.values())
        unknown = [each for each in rows if self._product(each) is None]
        self._guesses = finding.guesses(unknown)
        proposal_work.learn(self._transaction, self.work, self._guesses.values())
        still_unknown = [each for each in unknown if self._product(each) is None]
        judge.look_up([each.offer for each in still_unknown], (each.offer for each in rows))
        self._read_months(rows)

    def apply(self, row: Found, judge: Judge) -> None:
        """What becomes of one row."""
        product = self._product(row)
        if product is not None and product.id in self._met:
            # Another row of the same product has spoken for it.
            self.counts["unchanged"] += 1
            return
        if product is not None:
            self._met.add(product.id)
        reason = "" if self._crawl.trusted else self._unlikely(row, product)
        if reason:
            self._keep_apart(row, product, reason)
            if product is not None:
                self._name(row, product.id)
            return
        self.counts[self._outcome(row, product, judge)] += 1

    def _outcome(self, row: Found, product: Product | None, judge: Judge) -> str:
        work, offer = self.work, row.offer
        own = identities.of_row(offer)
        work.owners.pop(own, None)
        priced, given = False, given_fields(offer)
        if product is not None:
            work.owners[own] = product.id
            if product.status == "active":
                priced = self._price(row, product)
                given = {name: v for name, v in given.items() if name not in _NOT_PROPOSED}
        before = (len(work.new), len(work.changed))
        if product is None or not self._crawl.late:
            proposing.hold(work, offer, judge, given)
        self._name(row, work.owners[own])
        if len(work.new) > before[0]:
            self._begin_history(row, work.products[work.new[-1]])
            return "new"
        return "changed" if priced or len(work.changed) > before[1] else "unchanged"

    def _price(self, row: Found, product: Product) -> bool:
        """Owes the price to the product's history; whether it is another than it had."""
        moment = self._crawl.moment(row)
        offer = row.offer
        if _costs(product, row):
            self.work.sightings.append(price_changes.priced_at(product, moment))
            return False
        told = Changed(
            product.id,
            product.retailer,
            epoch_micros(moment),
            offer.price_minor,
            offer.currency,
        )
        if not self._is_newest(product, moment):
            self.work.seen_prices.append(told)
            return True
        before = product.updated_at if product.updated_at < moment else product.created_at
        self.work.seen_prices += [price_changes.priced_at(product, before), told]
        changed = product.changed(
            self.work.now, price_minor=offer.price_minor, currency=offer.currency
        )
        self.work.write(changed)
        return True

    def _begin_history(self, row: Found, product: Product) -> None:
        """Of what the rules let in at once; what waits has none before it is approved."""
        if product.listed:
            seen = price_changes.priced_at(product, self._crawl.moment(row))
            self.work.sightings.append(seen)

    def _is_newest(self, product: Product, moment: datetime) -> bool:
        """Whether nothing younger is known of what the product costs."""
        if self._crawl.late or product.created_at > moment:
            return False
        if product.updated_at > moment and not self._crawl.trusted:
            # A person may have priced it meanwhile; the next crawl tells more.
            return False
        newest = max((p.at_micros for p in self._points.get(product.id, ())), default=0)
        return from_epoch_micros(newest) <= moment

    def _unlikely(self, row: Found, product: Product | None) -> str:
        offer = row.offer
        if product is not None and product.status == "rejected":
            product = None
        points = self._points.get(product.id, ()) if product else ()
        facts = judging.Facts(
            price_minor=offer.price_minor,
            currency=offer.currency,
            size=offer.size or offer.name,
            unit_price_minor=row.unit_price_minor,
            unit=row.unit,
            known_minor=product.price_minor if product else None,
            known_currency=product.currency if product else None,
            recent_minor=[p.price_minor for p in points if p.currency == offer.currency],
        )
        return judging.unlikely(facts, self._crawl.factor)

    def _keep_apart(self, row: Found, product: Product | None, reason: str) -> None:
        self.counts["quarantined"] += 1
        kept = quarantine.kept(
            row,
            job_id=self._crawl.job_id,
            seen_at=self._crawl.moment(row),
            product=product,
            reason=reason,
            now=self.work.now,
        )
        self.quarantined.append(kept)

    def _product(self, row: Found) -> Product | None:
        found = finding.known(row.offer, self._owners, self.work.products)
        if found is not None:
            return found
        guess = self.work.products.get(self._guesses.get(row.number, ""))
        return guess if guess is not None and finding.fits(row.offer, guess) else None

    def _name(self, row: Found, product_id: str) -> None:
        """Writes down what the offer is known by, save what stands for another product."""
        for key in finding.kept_keys(row.offer):
            owner = self.work.products.get(self._owners.get(key, ""))
            if owner is None or owner.status == "deleted":
                self._owners[key] = self.work.identities[key] = product_id

    def _read_months(self, rows: Sequence[Found]) -> None:
        moved = {}
        for each in rows:
            product = self._product(each)
            if product is not None and not _costs(product, each):
                moved[product.id] = product
        end = self._crawl.seen_at
        months = months_between(end - LOOKED_BACK, max(end, self.work.now))[-3:]
        references = {(pid, name): store.month(pid, name) for pid in moved for name in months}
        found = store.read_all(references.values(), self._transaction)
        for (product_id, _), reference in references.items():
            points = store.points_of(found.get(reference.path))
            own = [p for p in points if p.retailer == moved[product_id].retailer]
            self._points.setdefault(product_id, []).extend(own)


def _costs(product: Product, row: Found) -> bool:
    """Whether the product costs what the row says."""
    offer = row.offer
    return (product.price_minor, product.currency) == (offer.price_minor, offer.currency)
