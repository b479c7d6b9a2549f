"""The settings that may change at run time: one document, for every function to read."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, StaleVersion
from shared.system import audit
from shared.system.configuration_records import DEFAULTS, Configuration, ConfigurationView

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "configuration"
DOCUMENT: Final = "settings"
# How old what `current` says may be: an instance asks again no more often than this.
FRESH_SECONDS: Final = 30.0
ATTEMPTS: Final = 4

_kept: "tuple[float, Stored] | None" = None


class Stored(msgspec.Struct, frozen=True):
    """The settings, and which change of them this is; 0 before the first."""

    configuration: Configuration
    version: int
    updated_at: datetime | None


def current() -> Stored:
    """The settings as they were at most 30 s ago; raises a DependencyError."""
    global _kept  # noqa: PLW0603 - one copy for the process
    if _kept is None or time.monotonic() - _kept[0] > FRESH_SECONDS:
        # Taken before the read, so that a slow one does not make the copy look younger.
        began = time.monotonic()
        _kept = (began, read())
    return _kept[1]


def read() -> Stored:
    """The settings as they are now: one read."""
    return _read()[0]


def change(
    wanted: Configuration, expected: int | None, by: Actor, clock: Clock = utc_now
) -> Stored:
    """The changed settings, the same again being no change; raises StaleVersion, Invalid."""
    _check(wanted)
    for _ in range(ATTEMPTS):
        before, snapshot = _read()
        if expected is not None and before.version != expected:
            raise StaleVersion(f"The settings are at version {before.version} now.")
        if before.configuration == wanted:
            return before
        after = Stored(wanted, before.version + 1, clock())
        try:
            _commit(before, after, snapshot, by)
        except Conflict:
            continue
        return after
    raise Conflict("The settings are being changed by others; try again.")


def view(stored: Stored) -> ConfigurationView:
    """The settings as the console reads them."""
    return ConfigurationView(
        **msgspec.structs.asdict(stored.configuration),
        version=stored.version,
        updated_at=rfc3339(stored.updated_at) if stored.updated_at else None,
    )


def _check(wanted: Configuration) -> None:
    lists: dict[str, Sequence[str]] = {
        "provider_order": wanted.provider_order,
        "auto_approval.retailers": wanted.auto_approval.retailers,
    }
    for field, names in lists.items():
        for number, name in enumerate(names):
            if name in names[:number]:
                raise Invalid.one(f"{field}[{number}]", f"names {name} a second time")


def _read() -> "tuple[Stored, DocumentSnapshot[Any]]":
    with firestore.errors_mapped():
        snapshot = _document().get(**firestore.limits())
    fields = snapshot.to_dict()
    if fields is None:
        return Stored(DEFAULTS, 0, None), snapshot
    return Stored(_configuration(fields), fields["version"], fields["updated_at"]), snapshot


def _configuration(fields: dict[str, Any]) -> Configuration:
    """What is stored, with the defaults of settings that are younger than the document."""
    known = {}
    for name, default in msgspec.to_builtins(DEFAULTS).items():
        stored = fields.get(name, default)
        if isinstance(default, dict):
            stored = {key: stored.get(key, value) for key, value in default.items()}
        known[name] = stored
    return msgspec.convert(known, Configuration)


def _commit(before: Stored, after: Stored, snapshot: "DocumentSnapshot[Any]", by: Actor) -> None:
    database = firestore.client()
    old, new = msgspec.to_builtins(before.configuration), msgspec.to_builtins(after.configuration)
    fields = {**new, "version": after.version, "updated_at": after.updated_at}
    changed = [name for name in new if old[name] != new[name]]
    batch = database.batch()
    if snapshot.exists:
        unchanged = database.write_option(last_update_time=snapshot.update_time)
        batch.update(_document(), fields, option=unchanged)
    else:
        batch.create(_document(), fields)
    batch.create(
        *audit.entry(
            by,
            f"{COLLECTION}/{DOCUMENT}",
            {name: old[name] for name in changed},
            {name: new[name] for name in changed},
        )
    )
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _document() -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(DOCUMENT)
