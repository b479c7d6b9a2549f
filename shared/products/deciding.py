"""Decisions: proposals approved or rejected, one or up to a hundred in one commit.

Every document that a decision rests on is written under the condition that it is as it was read,
so of two who decide at once the second reads again and sees what the first has decided.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound, ShoppleError, StaleVersion
from shared.products import (
    catalogue,
    category_tree,
    outbox,
    price_changes,
    proposal_store,
    statistics,
)
from shared.products.models import Product, from_document, to_document
from shared.products.proposal_models import Decision, Proposal
from shared.products.proposal_models import from_document as proposal_of
from shared.products.proposal_models import to_document as proposal_document
from shared.products.proposal_rules import difference
from shared.products.proposal_schemas import (
    DecisionResult,
    Decisions,
    ProposalView,
    version_of,
    view,
)
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot

ATTEMPTS: Final = 6
HIDDEN: Final = ("withdrawn", "set_aside")


class Choice(msgspec.Struct, frozen=True):
    """What is decided; a rejection has its reason."""

    status: Decision
    reason: str | None = None


class _Read(msgspec.Struct, frozen=True):
    """A product and its proposal as they were read."""

    product: Product
    proposal: Proposal
    product_snapshot: Any
    proposal_snapshot: Any


class _Step(msgspec.Struct, frozen=True):
    """A decision that is to be written; the product is the same where it does not change."""

    before: _Read
    product: Product
    proposal: Proposal


_Outcome = _Read | _Step | ShoppleError


def decide(
    product_id: str, choice: Choice, expected: int | None, by: Actor, clock: Clock = utc_now
) -> ProposalView:
    """The decided proposal, the same again changing nothing.

    Raises NotFound, StaleVersion, or Conflict where the opposite was decided.
    """
    outcome = _decide([product_id], choice, expected, by, clock, bulk=False)[product_id]
    if isinstance(outcome, ShoppleError):
        raise outcome
    return view(outcome.product, outcome.proposal)


def decide_all(ids: Sequence[str], choice: Choice, by: Actor, clock: Clock = utc_now) -> Decisions:
    """What became of each; those that can be are decided in one commit. Raises Conflict."""
    wanted = list(dict.fromkeys(ids))
    outcomes = _decide(wanted, choice, None, by, clock, bulk=True)
    return Decisions([_result(product_id, outcomes[product_id], choice) for product_id in wanted])


def _result(product_id: str, outcome: _Outcome, choice: Choice) -> DecisionResult:
    if isinstance(outcome, ShoppleError):
        return DecisionResult(product_id, "failed", outcome.detail)
    return DecisionResult(product_id, choice.status)


def _decide(  # noqa: PLR0913 - one call, with all that it rests on
    ids: Sequence[str],
    choice: Choice,
    expected: int | None,
    by: Actor,
    clock: Clock,
    *,
    bulk: bool,
) -> dict[str, _Outcome]:
    for _ in range(ATTEMPTS):
        found = _read(ids)
        outcomes = {pid: _outcome(found.get(pid), choice, expected, by, clock()) for pid in ids}
        if choice.status == "approved":
            _refuse_lost_categories(outcomes, by)
        steps = [outcome for outcome in outcomes.values() if isinstance(outcome, _Step)]
        if not steps:
            return outcomes
        try:
            _commit(steps, choice, by, bulk=bulk)
        except (Conflict, NotFound):
            # Somebody else decided, edited or removed one of them.
            continue
        return outcomes
    raise Conflict("These proposals are being changed by others; try again.")


def _read(ids: Sequence[str]) -> dict[str, _Read]:
    products = [catalogue.reference(product_id) for product_id in ids]
    references = [*products, *(proposal_store.reference(product_id) for product_id in ids)]
    by_path = {each.reference.path: each for each in firestore.existing(references)}
    found = {}
    for product_id, reference in zip(ids, products, strict=True):
        product = by_path.get(reference.path)
        proposal = by_path.get(proposal_store.reference(product_id).path)
        if product is not None and proposal is not None:
            found[product_id] = _Read(
                from_document(product_id, product.to_dict() or {}),
                proposal_of(product_id, proposal.to_dict() or {}),
                product,
                proposal,
            )
    return found


def _outcome(
    read: _Read | None, choice: Choice, expected: int | None, by: Actor, now: datetime
) -> _Outcome:
    if read is None or read.proposal.status in HIDDEN or read.product.status == "deleted":
        return NotFound("Nothing is proposed for such a product.")
    if read.proposal.status == choice.status:
        return read
    if not read.proposal.waits:
        return Conflict(f"This was {read.proposal.status} before.")
    shown = version_of(read.product, read.proposal)
    if expected is not None and shown != expected:
        return StaleVersion(f"The proposal is at version {shown} now.")
    return _step(read, choice, by, now)


def _step(read: _Read, choice: Choice, by: Actor, now: datetime) -> _Step:
    product, proposal = read.product, read.proposal
    replaced = None
    if proposal.kind == "change":
        replaced = {name: getattr(product, name) for name in proposal.fields}
    if choice.status == "approved":
        taken = proposal.fields if proposal.kind == "change" else {"status": "active"}
        product = product.changed(now, **taken)
    elif proposal.kind == "new":
        product = product.changed(now, status="rejected")
    decided = proposal.decided(choice.status, by.uid, now, replaced, choice.reason)
    return _Step(read, product, decided)


def _refuse_lost_categories(outcomes: dict[str, _Outcome], by: Actor) -> None:
    """Creates the categories that approved products name; what cannot have its own fails."""
    steps = {
        pid: step for pid, step in outcomes.items() if isinstance(step, _Step) and _files(step)
    }
    named = {step.product.category for step in steps.values() if step.product.category}
    lost = {}
    for category in sorted(named - category_tree.listed(named)):
        try:
            category_tree.ensure([category], by)
        except Conflict as error:
            lost[category] = error
    for product_id, step in steps.items():
        if step.product.category in lost:
            outcomes[product_id] = lost[step.product.category]


def _files(step: _Step) -> bool:
    """Whether the decision puts the product where it was not listed before."""
    before, after = step.before.product, step.product
    return (before.listed, before.category) != (after.listed, after.category)


def _commit(steps: Sequence[_Step], choice: Choice, by: Actor, *, bulk: bool) -> None:
    database = firestore.client()
    batch = database.batch()
    changed = [step for step in steps if step.product is not step.before.product]
    marks = _owe_prices(batch, changed)
    for step in changed:
        product = step.product
        unchanged = _unchanged(step.before.product_snapshot)
        document = to_document(product) | marks.get(product.id, {})
        batch.update(catalogue.reference(product.id), document, option=unchanged)
        owed = outbox.fields("product", product.id, product.version)
        batch.set(outbox.document("product", product.id), owed)
    for step in steps:
        unchanged = _unchanged(step.before.proposal_snapshot)
        reference = proposal_store.reference(step.proposal.id)
        batch.update(reference, proposal_document(step.proposal), option=unchanged)
    _owe_recount(batch, changed)
    if bulk:
        after = {"status": choice.status, "reason": choice.reason, "items": _ids(steps)}
        batch.create(*audit.entry(by, proposal_store.COLLECTION, None, after))
    else:
        for step in steps:
            batch.create(*audit.entry(by, f"products/{step.product.id}", *_told(step)))
    with firestore.errors_mapped():
        results = batch.commit(**firestore.limits())
    if changed:
        cache.bump("products", max(epoch_micros(result.update_time) for result in results))


def _unchanged(snapshot: "DocumentSnapshot[Any]") -> Any:
    return firestore.client().write_option(last_update_time=snapshot.update_time)


def _owe_prices(batch: Any, changed: Sequence[_Step]) -> dict[str, dict[str, str]]:
    """Owes to prices what was approved; what each of the products carries for it."""
    both = [(step.before.product, step.product) for step in changed]
    priced = [each for each in both if price_changes.concerns(*each)]
    if not priced:
        return {}
    debt = price_changes.debt(priced, "manual")
    batch.set(debt.reference, debt.fields)
    return {after.id: debt.mark for _, after in priced}


def _owe_recount(batch: Any, changed: Sequence[_Step]) -> None:
    moved = [step for step in changed if _files(step)]
    categories = {p.category for step in moved for p in (step.before.product, step.product)}
    statistics.owe_recount(batch, {step.product.retailer for step in moved}, categories)


def _ids(steps: Iterable[_Step]) -> list[str]:
    return [step.product.id for step in steps]


def _told(step: _Step) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = catalogue.difference(step.before.product, step.product)
    if step.proposal.status == "rejected" and step.proposal.kind == "change":
        new = difference(step.product, step.proposal.fields)
        old = {name: getattr(step.product, name) for name in new}
    before = {**old, "proposal": step.before.proposal.status}
    after = {**new, "proposal": step.proposal.status, "reason": step.proposal.reason}
    return before, after
