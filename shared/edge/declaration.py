"""What a Cloud Function declares of itself; everything else about it is derived from this."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

Role = Literal["public", "admin", "super_admin", "internal"]
Verb = Literal["GET", "POST", "PUT", "DELETE"]
LimitClass = Literal["standard", "heavy", "authentication", "instance"]
Kind = Literal["http", "task", "schedule", "firestore"]
ServiceAccount = Literal[
    "public",
    "session",
    "catalogue",
    "background",
    "audit",
    "status",
    "notes",
    "users",
    "ai",
    "crawler",
]

JSON_BODY_BYTES = 1024 * 1024
LARGE_BODY_BYTES = 10 * 1024 * 1024


class Cached(msgspec.Struct, frozen=True):
    """Answers are kept `ttl_seconds` in `namespace`, until a write replaces its generation."""

    namespace: str
    ttl_seconds: int


class Method(msgspec.Struct, frozen=True):
    """One verb of a path: who may call it, what it takes and what it answers.

    `answers` maps a success status to its body's type (None: no body); `raises` lists further
    statuses that the handler may answer, beyond those that follow from the declaration; `refused`
    takes a body that cannot be read, where the caller would only send it again; a `ticket` for
    that purpose may stand in for the session's cookie.
    """

    verb: Verb
    handler: Callable[[Any], Any]
    role: Role
    answers: dict[int, Any]
    body: Any = None
    query: Any = None
    limit: LimitClass = "standard"
    cached: Cached | None = None
    audit: str | None = None
    idempotency_key: bool = False
    multipart: bool = False
    etag: bool = False
    if_match: bool = False
    csrf: bool = True
    ticket: str | None = None
    max_body_bytes: int = JSON_BODY_BYTES
    raises: tuple[int, ...] = ()
    content_type: str = "application/json"
    refused: Callable[[bytes, Exception], None] | None = None

    @property
    def streams(self) -> bool:
        """Whether the handler answers with a Stream, whose events are sent as they happen."""
        return self.content_type == "text/event-stream"

    @property
    def changes_state(self) -> bool:
        """Whether the verb may change something (RFC 9110: every verb but the safe ones)."""
        return self.verb != "GET"


class Function(msgspec.Struct):
    """One Cloud Function: its options, and either its methods or its event handler."""

    name: str
    kind: Kind
    path: str | None = None
    document: str | None = None
    queue: str | None = None
    memory_mb: int = 256
    timeout_seconds: int = 60
    concurrency: int = 40
    service_account: ServiceAccount = "catalogue"
    secrets: tuple[str, ...] = ("SECRET_KEY", "UPSTASH_REDIS_REST_TOKEN")
    for_pods: bool = False
    methods: dict[str, Method] = msgspec.field(default_factory=dict)
    doc: str = ""

    @property
    def private(self) -> bool:
        """Whether only Google's own services, or our pods, may call it, with an OIDC token."""
        return self.kind in ("task", "schedule") or self.for_pods

    @property
    def allowed(self) -> list[str]:
        """The verbs that it answers, for the `Allow` header."""
        return sorted(self.methods)
