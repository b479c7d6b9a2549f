"""The audit trail: an entry is written in the same commit as the change that it records."""

import secrets
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.logs import masked

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "audit_logs"


def entry(
    actor: Actor,
    resource: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    clock: Clock = utc_now,
) -> tuple["DocumentReference", dict[str, Any]]:
    """The document and the fields of one entry, for the caller's batch; secrets are masked."""
    document = firestore.client().collection(COLLECTION).document(secrets.token_hex(10))
    now = clock()
    return document, {
        "actor": actor.uid,
        "actor_email": actor.email,
        "action": actor.action,
        "resource": resource,
        "before": masked(before) if before is not None else None,
        "after": masked(after) if after is not None else None,
        "at": now,
        "address": actor.address,
        "request_id": actor.request_id,
    }


def write(
    actor: Actor,
    resource: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Writes one entry by itself, where the change is no batch of ours; raises on failure."""
    document, fields = entry(actor, resource, before, after)
    with firestore.errors_mapped():
        document.create(fields, **firestore.limits())
