"""What the system's endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.edge.pages import Cursor, PageSize


class Health(msgspec.Struct):
    """A sign of life."""

    status: Literal["healthy"]
    timestamp: str


class StatusItem(msgspec.Struct, omit_defaults=True):
    """A queue, a job or a provider; for a job, when it last ran and how that failed."""

    name: str
    state: Literal["ok", "running", "paused", "disabled", "missing", "failed"]
    last_run_at: str | None = None
    last_error: str | None = None


class LastError(msgspec.Struct, frozen=True):
    """When and why a part was down the last time that this instance asked and it was."""

    at: str
    detail: str


class PartState(msgspec.Struct, omit_defaults=True):
    """One thing that the product stands on; `detail` says what is wrong with it now.

    Parts that consist of several list them as `items`; those that are a backlog say how long it is.
    """

    name: str
    state: Literal["ok", "degraded", "down", "off"]
    latency_ms: float
    detail: str | None = None
    count: int | None = None
    count_is_minimum: bool | None = None
    items: list[StatusItem] | None = None
    last_error: LastError | None = None


class SystemStatus(msgspec.Struct):
    """The state of every part, and the worst of those that must be there."""

    status: Literal["ok", "degraded", "down"]
    checked_at: str
    parts: list[PartState]


class AuditQuery(
    msgspec.Struct, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}
):
    """Which entries of the audit trail; newest first."""

    actor: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    action: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    resource: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: PageSize = 50
    cursor: Cursor | None = None


class AuditEntry(msgspec.Struct):
    """Who did what to which resource, from where and when, and what it was and became."""

    id: str
    actor: str
    actor_email: str
    action: str
    resource: str
    before: Any
    after: Any
    at: str
    address: str
    request_id: str


class AuditPage(msgspec.Struct):
    """One page of the trail."""

    entries: list[AuditEntry]
    next_cursor: str | None
