"""The providers' keys: set by a super admin, read by nobody but the calls that need them.

A stored key stands before the environment's.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.classification import circuits, sealing
from shared.classification.models import KEYED, Keyed
from shared.classification.schemas import KeysStatus, KeyStatus
from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.config import settings
from shared.edge.request import Actor
from shared.errors import Conflict, ShoppleError
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

log = logging.getLogger(__name__)

COLLECTION: Final = "provider_keys"
SHOWN_CHARACTERS: Final = 4


class Credentials(msgspec.Struct, frozen=True):
    """The keys that calls may use, by provider."""

    by_provider: dict[str, str]

    def __repr__(self) -> str:
        return f"Credentials({sorted(self.by_provider)})"


def store(provider: Keyed, key: str, by: Actor, clock: Clock = utc_now) -> KeyStatus:
    """Keeps a provider's key, sealed; raises ConfigurationError without a master key."""
    now = clock()
    sealed = sealing.seal(key, provider, settings().keys_master_key)
    told: dict[str, Any] = {"last_four": _last_four(key), "set_at": now}
    with firestore.errors_mapped():
        before = _reference(provider).get(**firestore.limits()).to_dict()
        batch = firestore.client().batch()
        batch.set(_reference(provider), {"sealed": sealed, **told})
        resource = f"{COLLECTION}/{provider}"
        batch.create(*audit.entry(by, resource, _audited(before), _audited(told)))
        batch.commit(**firestore.limits())
    circuits.forget(provider)
    return KeyStatus(provider, "stored", told["last_four"], rfc3339(now))


def status() -> KeysStatus:
    """Which keys there are, and no more of each than its last four characters."""
    stored = {each.id: each.to_dict() or {} for each in _read(KEYED) if each.exists}
    return KeysStatus([_status(provider, stored.get(provider)) for provider in KEYED])


def credentials(providers: Sequence[str] = KEYED) -> Credentials:
    """The keys of those providers that have one: four reads at most.

    A stored key that cannot be opened leaves its provider without one; the log says so.
    """
    found = {name: key for name in providers if (key := of_environment(name)) is not None}
    for snapshot in _read([name for name in providers if name in KEYED]):
        if snapshot.exists:
            found.pop(snapshot.id, None)
            try:
                found[snapshot.id] = _opened(snapshot)
            except ShoppleError as error:
                log.error("A provider's key cannot be used", extra={"context": {"why": str(error)}})  # noqa: TRY400 - its message says it all
    return Credentials(found)


def of_environment(provider: str) -> str | None:
    """The key that the environment holds for a provider."""
    configured = settings()
    return {
        "groq": configured.groq_api_key,
        "gemini": configured.google_api_key,
        "cerebras": configured.cerebras_api_key,
        "openrouter": configured.openrouter_api_key,
    }.get(provider)


def _opened(snapshot: "DocumentSnapshot[Any]") -> str:
    master_keys = settings().keys_master_key
    opened = sealing.open_sealed(snapshot.get("sealed"), snapshot.id, master_keys)
    if opened.is_outdated:
        _seal_anew(snapshot, opened.key)
    return opened.key


def _seal_anew(snapshot: "DocumentSnapshot[Any]", key: str) -> None:
    """Under the newest master key, so that the older one can go; changes nothing else."""
    sealed = sealing.seal(key, snapshot.id, settings().keys_master_key)
    try:
        firestore.store(snapshot, {"sealed": sealed})
    except (Conflict, ShoppleError):
        # Somebody has set another one, or the next use tries again.
        return


def _read(providers: Sequence[str]) -> "list[DocumentSnapshot[Any]]":
    if not providers:
        return []
    references = [_reference(provider) for provider in providers]
    with firestore.errors_mapped():
        return list(firestore.client().get_all(references, **firestore.limits()))


def _status(provider: Keyed, stored: dict[str, Any] | None) -> KeyStatus:
    if stored is not None:
        return KeyStatus(provider, "stored", stored["last_four"], rfc3339(stored["set_at"]))
    key = of_environment(provider)
    if key is None:
        return KeyStatus(provider, "none", None, None)
    return KeyStatus(provider, "environment", _last_four(key), None)


def _audited(fields: dict[str, Any] | None) -> dict[str, Any] | None:
    return fields and {"last_four": fields["last_four"], "set_at": fields["set_at"]}


def _last_four(key: str) -> str:
    return key[-SHOWN_CHARACTERS:]


def _reference(provider: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(provider)
