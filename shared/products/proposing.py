"""Proposals: what a crawl or anybody else found, held until it is approved.

A new offer becomes a product that is pending; a change of a known product is held beside it. Both
are judged here, in the commit that writes them: nothing that a trigger starts writes products.
Each chunk is one transaction, and what was proposed before changes nothing, so work that was cut
off is simply repeated.
"""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.products import identities, statistics
from shared.products.models import Product, Status
from shared.products.proposal_judging import Judge
from shared.products.proposal_models import RULES, Fields, Proposal
from shared.products.proposal_rules import Verdict, difference, reopens
from shared.products.proposal_work import Work, read, write
from shared.products.upload_models import given_fields
from shared.products.upload_rows import RowError, UploadRow, parse_products
from shared.system import configuration

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

# Four documents an offer and a few for all stay under Firestore's classic 500 writes.
CHUNK_OFFERS: Final = 100


class Proposed(msgspec.Struct):
    """What became of the offers; `approved` counts those new and changed that rules let through.

    `product_ids` names each offer's product by the offer's number, from 1.
    """

    new: int = 0
    changed: int = 0
    approved: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    refused: tuple[RowError, ...] = ()
    product_ids: dict[int, str] = msgspec.field(default_factory=dict)


def propose(offers: Sequence[object], source: str, by: Actor, clock: Clock = utc_now) -> Proposed:
    """What became of `offers`, each with the fields of an upload's row.

    `source` says where they were found. Raises a DependencyError or Conflict, to be called again.
    """
    parsed = parse_products(offers)
    settings = configuration.current().configuration
    told = Proposed(refused=parsed.errors)
    for at in range(0, len(parsed.rows), CHUNK_OFFERS):
        rows = parsed.rows[at : at + CHUNK_OFFERS]
        work = _propose_chunk(rows, source, Judge(settings), by, clock)
        for name in ("new", "changed", "approved", "withdrawn", "unchanged"):
            setattr(told, name, getattr(told, name) + len(getattr(work, name)))
        told.product_ids |= {row.row: work.owners[identities.of_row(row)] for row in rows}
    if told.approved:
        statistics.request_refresh()
    return told


def _propose_chunk(
    rows: Sequence[UploadRow], source: str, judge: Judge, by: Actor, clock: Clock
) -> Work:
    committed: Any = None

    def run(transaction: "Transaction") -> Work:
        nonlocal committed
        committed = transaction
        work = read(transaction, rows, source, clock())
        judge.look_up([row for row in rows if work.is_new(row)], rows)
        for row in rows:
            hold(work, row, judge, given_fields(row))
        write(transaction, work, by)
        return work

    work = firestore.in_transaction(run)
    if work.touched:
        cache.bump("products", epoch_micros(committed.commit_time))
    return work


def hold(work: Work, row: UploadRow, judge: Judge, given: Fields) -> None:
    """What becomes of one offer, of which `given` is proposed; all is in `work` alone."""
    product = work.owner(row)
    if product is None:
        _begin(work, row, given, judge)
    elif product.status == "active":
        _change(work, product, given, judge)
    elif product.status == "pending":
        _renew(work, product, row, given, judge)
    elif reopens(product, given):
        # A person has said no to it once: whatever the rules say, a person is asked again.
        _ask_again(work, product.changed(work.now, status="pending", **given), given)
    else:
        work.unchanged.append(product.id)


def _begin(work: Work, row: UploadRow, given: Fields, judge: Judge) -> None:
    verdict = judge.of_new(row)
    status: Status = "active" if verdict.status == "approved" else "pending"
    product = row.product(secrets.token_hex(10), status, work.now)
    identity = identities.of_row(row)
    work.owners[identity] = work.identities[identity] = product.id
    work.created.add(product.id)
    work.new.append(product.id)
    work.write(product)
    _hold_new(work, product, given, verdict)


def _renew(work: Work, product: Product, row: UploadRow, given: Fields, judge: Judge) -> None:
    """A newer find of what is not decided: what it says anew; a person's edits of the rest stay."""
    before = work.proposals.get(product.id)
    last = before.fields if before else {}
    moved = {name: value for name, value in given.items() if last.get(name) != value}
    if not moved:
        work.unchanged.append(product.id)
        return
    # Once rejected, it is a person's: the rules do not overrule one.
    asked_again = before is not None and before.refused
    verdict = Verdict("pending") if asked_again else judge.of_new(row)
    status = "active" if verdict.status == "approved" else "pending"
    work.old_categories.add(product.category)
    product = product.changed(work.now, status=status, **moved)
    work.changed.append(product.id)
    work.write(product)
    _hold_new(work, product, {**last, **given}, verdict)


def _ask_again(work: Work, product: Product, given: Fields) -> None:
    before = work.proposals.get(product.id)
    work.changed.append(product.id)
    work.write(product)
    last = before.fields if before else {}
    _hold_new(work, product, {**last, **given}, Verdict("pending"), refused=last or given)


def _hold_new(
    work: Work, product: Product, fields: Fields, verdict: Verdict, refused: Fields | None = None
) -> None:
    before = work.proposals.get(product.id)
    wanted = Proposal(
        id=product.id,
        kind="new",
        status=verdict.status,
        retailer=product.retailer,
        category=product.category,
        source=work.source,
        fields=fields,
        reason=None,
        proposed_at=work.now,
        refused=refused if refused is not None else before.refused if before else {},
    )
    work.hold(before, _judged(work, wanted), verdict)


def _change(work: Work, product: Product, given: Fields, judge: Judge) -> None:
    """Holds what differs from the product and was not refused as it is."""
    before = work.proposals.get(product.id)
    refused = before.refused if before and before.kind == "change" else {}
    differing = difference(product, given)
    fresh = {name: v for name, v in differing.items() if (name, v) not in refused.items()}
    waiting = before is not None and before.waits
    if before is not None and waiting and not fresh:
        work.withdrawn.append(product.id)
        work.store(before.decided("withdrawn", work.source, work.now, None, None))
        return
    if not fresh or (before is not None and waiting and before.fields == fresh):
        work.unchanged.append(product.id)
        return
    verdict = judge.of_change(product, fresh)
    work.changed.append(product.id)
    wanted = Proposal(
        id=product.id,
        kind="change",
        status=verdict.status,
        retailer=product.retailer,
        category=str(fresh.get("category", product.category)),
        source=work.source,
        fields=fresh,
        reason=None,
        proposed_at=work.now,
        refused=refused,
    )
    work.hold(before, _judged(work, wanted, product), verdict)
    if verdict.status == "approved":
        work.old_categories.add(product.category)
        work.write(product.changed(work.now, **fresh))


def _judged(work: Work, wanted: Proposal, product: Product | None = None) -> Proposal:
    """With who decided and when, where the rules have."""
    if wanted.status != "approved":
        return wanted
    work.approved.append(wanted.id)
    replaced = {name: getattr(product, name) for name in wanted.fields} if product else None
    return msgspec.structs.replace(
        wanted,
        decided_at=work.now,
        decided_by=RULES,
        replaced=replaced,
        refused=wanted.refused_beside(),
    )
