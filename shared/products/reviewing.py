"""What a person says of duplicates: these are the same, those are none of them."""

from datetime import datetime
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, FieldError, Invalid
from shared.products import catalogue, decisions, match_models, pairs, postings
from shared.products.decisions import Decision
from shared.products.duplicate_schemas import Decided, DecidedCounts
from shared.products.models import Product, from_document
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

FEWEST: Final = 2

# A pair, and whether its two are the same.
Verdicts = dict[tuple[str, str], bool]


def decide(wanted: Decided, by: Actor, clock: Clock = utc_now) -> DecidedCounts:
    """How many pairs this confirms and refuses.

    Pairs and states follow in the same commit. What a person decided so before is not decided
    again. Raises Invalid, or Conflict: others decide, two are merged, or an earlier word says the
    opposite and is not to be overruled.
    """
    verdicts = _verdicts(wanted)
    committed: Any = None

    def write(transaction: "Transaction") -> bool:
        nonlocal committed
        committed = transaction
        products, states = _read(transaction, wanted)
        _refuse_to_part_the_merged(verdicts, products)
        if not wanted.overrule:
            _refuse_to_contradict(verdicts, products, states)
        changed = _changed(transaction, verdicts, states)
        now, writing = clock(), _Writing(transaction, products, states)
        for pair, same in changed.items():
            writing.decide(Decision(pair, same, by.uid, now, "review"))
        if writing.links.store(transaction):
            transaction.create(*_audit_entry(by, wanted, changed, states, now))
        return bool(changed)

    if firestore.in_transaction(write):
        cache.bump("products", epoch_micros(committed.commit_time))
    confirmed = sum(verdicts.values())
    return DecidedCounts(confirmed=confirmed, refused=len(verdicts) - confirmed)


def _verdicts(wanted: Decided) -> Verdicts:
    same, different = dict.fromkeys(wanted.same), dict.fromkeys(wanted.different)
    for number, product_id in enumerate(wanted.different):
        if product_id in same:
            raise Invalid.one(f"different[{number}]", "is among those that are the same")
    if len(same) + len(different) < FEWEST:
        raise Invalid.one("same", "names no pair; name two products, or one here and one different")
    verdicts = dict.fromkeys(combinations(same, 2), True)
    return verdicts | dict.fromkeys(product(same, different), False)


def _refuse_to_part_the_merged(verdicts: Verdicts, products: dict[str, Product]) -> None:
    for (a, b), same in verdicts.items():
        group_id = products[a].group_id
        if not same and group_id is not None and products[b].group_id == group_id:
            raise Conflict(f"{a} and {b} are merged: take that back first.")


def _refuse_to_contradict(
    verdicts: Verdicts, products: dict[str, Product], states: dict[str, pairs.State]
) -> None:
    for (a, b), same in verdicts.items():
        if states[a].decided.get(b) is (not same):
            both = " and ".join(f"{products[each].name} ({each})" for each in (a, b))
            said = "not to be the same" if same else "to be the same"
            raise Conflict(f"{both} were said {said}; decide with overrule to change that.")


def _changed(
    transaction: "Transaction", verdicts: Verdicts, states: dict[str, pairs.State]
) -> Verdicts:
    """The verdicts that are news: nobody has said so yet, or a merge alone has.

    A merge's word goes with the merge; a person's own word stays.
    """
    kept = [(a, b) for (a, b), same in verdicts.items() if states[a].decided.get(b) is same]
    references = [decisions.reference(a, b) for a, b in kept if verdicts[a, b]]
    said: set[str] = set()
    if references:
        found = firestore.client().get_all(
            references, transaction=transaction, **firestore.limits()
        )
        said = {s.id for s in found if (s.to_dict() or {}).get("source") != "review"}
    settled = {both for both in kept if pairs.pair_id(*both) not in said}
    return {both: same for both, same in verdicts.items() if both not in settled}


def _read(
    transaction: "Transaction", wanted: Decided
) -> tuple[dict[str, Product], dict[str, pairs.State]]:
    """The products and their states; raises Invalid, which names each unknown one."""
    ids = dict.fromkeys([*wanted.same, *wanted.different])
    references = [catalogue.reference(each) for each in ids]
    references += [pairs.state(each) for each in ids]
    products: dict[str, Product] = {}
    states = dict.fromkeys(ids, pairs.State())
    for snapshot in firestore.client().get_all(
        references, transaction=transaction, **firestore.limits()
    ):
        fields = snapshot.to_dict()
        if snapshot.reference.parent.id == pairs.STATES:
            states[snapshot.id] = pairs.state_of(fields)
        elif fields is not None and (found := from_document(snapshot.id, fields)).known:
            products[snapshot.id] = found
    unknown = [
        FieldError(f"{name}[{number}]", "is no product of the catalogue")
        for name in ("same", "different")
        for number, each in enumerate(getattr(wanted, name))
        if each not in products
    ]
    if unknown:
        raise Invalid(unknown)
    return products, states


class _Writing:
    """Decisions and what follows of them for pairs and states, within one transaction."""

    def __init__(
        self,
        transaction: "Transaction",
        products: dict[str, Product],
        states: dict[str, pairs.State],
    ) -> None:
        self._transaction = transaction
        self._products, self._states = products, states
        self.links = pairs.Links()

    def decide(self, decision: Decision) -> None:
        decisions.write(self._transaction, self.links, decision)
        a, b = decision.products
        matched = b in self._states[a].partners or a in self._states[b].partners
        if not decision.same and matched:
            pairs.remove(self._transaction, self.links, a, b)
        elif decision.same and self._products[a].listed and self._products[b].listed:
            self._confirm(self._products[a], self._products[b])

    def _confirm(self, first: Product, second: Product) -> None:
        a, b = postings.offer_of(first), postings.offer_of(second)
        match = pairs.confirmed(match_models.current().compare(a, b))
        wanted = pairs.fields(a, b, match, confirmed=True)
        pairs.write(self._transaction, self.links, a, b, wanted)


def _audit_entry(
    by: Actor, wanted: Decided, changed: Verdicts, states: dict[str, pairs.State], now: datetime
) -> Any:
    overruled = {
        pairs.pair_id(a, b): "different" if same else "same"
        for (a, b), same in changed.items()
        if states[a].decided.get(b) is (not same)
    }
    told = msgspec.to_builtins(wanted)
    return audit.entry(by, decisions.COLLECTION, overruled or None, told, lambda: now)
