"""What Firestore indexes: each composite index that a query needs, and fields that none needs.

Firestore joins indexes that end in the same order, so one index per equality field and order
serves every combination of them. Each index ends with the document's name, in the last field's
direction, without being told.
"""

from itertools import product
from typing import Any, Final

ASCENDING: Final = "ASCENDING"
DESCENDING: Final = "DESCENDING"
CONTAINS: Final = "CONTAINS"

Index = tuple[str, tuple[tuple[str, str], ...]]

PRODUCT_SORTS: Final = ("created_at", "updated_at", "name_key", "price_minor")
PRODUCT_FILTERS: Final = ("listed", "status", "retailer", "category")
# Every search is limited to what is listed or to one status, so no other pair is asked for.
SEARCHED_WITH: Final = ("listed", "status")
NOTE_ORDER: Final = (("pinned", DESCENDING), ("updated_at", DESCENDING))
REVIEW_FILTERS: Final = ("stage", "provider", "category")
PROPOSAL_FILTERS: Final = ("status", "retailer", "category", "kind")
AUDIT_FILTERS: Final = ("actor", "action", "resource")

INDEXES: Final[tuple[Index, ...]] = (
    *(
        ("products", ((field, ASCENDING), (sort, direction)))
        for field, sort, direction in product(
            PRODUCT_FILTERS, PRODUCT_SORTS, (ASCENDING, DESCENDING)
        )
    ),
    *(
        ("products", ((field, ASCENDING), ("terms", CONTAINS), (sort, direction)))
        for field, sort, direction in product(SEARCHED_WITH, PRODUCT_SORTS, (ASCENDING, DESCENDING))
    ),
    # For the total of a search, which is counted without an order.
    *(("products", ((field, ASCENDING), ("terms", CONTAINS))) for field in SEARCHED_WITH),
    ("match_pairs", (("facets", CONTAINS), ("confidence", DESCENDING))),
    *(
        ("product_requests", (("status", ASCENDING), (sort, DESCENDING)))
        for sort in ("created_at", "count")
    ),
    *(
        ("proposals", ((field, ASCENDING), ("proposed_at", DESCENDING)))
        for field in PROPOSAL_FILTERS
    ),
    *(
        ("classification_reviews", ((field, ASCENDING), ("created_at", DESCENDING)))
        for field in REVIEW_FILTERS
    ),
    ("crawl_quarantine", (("status", ASCENDING), ("created_at", DESCENDING))),
    ("crawl_ingestions", (("retailer", ASCENDING), ("listed_at", DESCENDING))),
    ("notes", (("uid", ASCENDING), *NOTE_ORDER)),
    ("notes", (("uid", ASCENDING), ("tags", CONTAINS), *NOTE_ORDER)),
    # What the calls for a batch have cost.
    ("provider_calls", (("origin", ASCENDING), ("cost_micros", ASCENDING))),
    # Crawls by status or retailer, or both.
    *(
        ("crawl_jobs", ((field, ASCENDING), ("created_at", DESCENDING)))
        for field in ("status", "retailer")
    ),
    # Whether a younger crawl of the same things has ended.
    ("crawl_jobs", tuple((f, ASCENDING) for f in ("retailer", "category", "finished_at"))),
    # Whose pod should have come by now.
    ("crawl_jobs", (("status", ASCENDING), ("lease_until", ASCENDING))),
    # Which sessions of a user are live, and which ended lately.
    ("sessions", (("uid", ASCENDING), ("revoked_at", ASCENDING))),
    *(("audit_logs", ((field, ASCENDING), ("at", DESCENDING))) for field in AUDIT_FILTERS),
)

# Long or nested values that no query names: their index entries would only cost.
UNINDEXED: Final = (
    ("products", "description"),
    ("products", "url"),
    ("products", "image"),
    ("calibration_ledgers", "raws"),
    ("calibration_ledgers", "rights"),
    ("classification_reviews", "failure"),
    ("classification_reviews", "product"),
    ("classification_reviews", "rationale"),
    ("labels", "labels"),
    ("classification_batches", "sizes"),
    ("items", "items"),
    ("results", "told"),
    ("match_keys", "entries"),
    ("match_pairs", "evidence"),
    ("match_states", "decided"),
    ("match_states", "keys"),
    ("match_states", "marks"),
    ("match_states", "partners"),
    ("product_groups", "members"),
    ("product_groups", "merges"),
    ("ledger", "was"),
    ("notes", "title"),
    ("notes", "body"),
    ("provider_keys", "sealed"),
    ("crawl_ingestions", "counts"),
    ("crawl_ingestions", "error"),
    ("crawl_ingestions", "failure"),
    ("crawl_ingestions", "refused"),
    ("crawl_quarantine", "offer"),
    ("crawl_quarantine", "reason"),
    ("crawl_retailers", "site"),
    ("proposals", "fields"),
    ("proposals", "reason"),
    ("proposals", "refused"),
    ("proposals", "replaced"),
    ("search_lists", "entries"),
    ("search_states", "entry"),
    ("search_states", "lists"),
    ("search_vocabularies", "words"),
    ("audit_logs", "before"),
    ("audit_logs", "after"),
    ("idempotency", "answer"),
    ("upload_chunks", "data"),
    ("outbox", "product_ids"),
    ("prices", "points"),
    ("price_summaries", "products"),
    ("price_alert_rules", "rules"),
    ("price_upload_chunks", "data"),
    ("user_activity", "first_at_micros"),
    ("user_activity", "last_at_micros"),
    ("insight_weeks", "users"),
)

# What lives a fixed time goes by Firestore's own TTL. How long the rest is kept may change at run
# time, so that is the retention's (shared/system/retention_rules.py) and in no list twice.
EXPIRING: Final = (
    "classification_artefacts",
    "classification_batches",
    "crawl_slots",
    "crawl_quarantine",
    "crawl_groups",
    "dead_letters",
    "idempotency",
    "notifications",
    "insight_weeks",
    "items",
    "product_request_marks",
    "price_quarantine",
    "provider_calls",
    "provider_days",
    "results",
    "tickets",
    "user_erasures",
)


def firestore_indexes() -> dict[str, Any]:
    """The whole of firestore.indexes.json."""
    # An index on a time that only grows would bound the collection to 500 writes a second.
    expiring: list[dict[str, Any]] = [
        {"collectionGroup": name, "fieldPath": "expires_at", "ttl": True, "indexes": []}
        for name in EXPIRING
    ]
    unindexed: list[dict[str, Any]] = [
        {"collectionGroup": collection, "fieldPath": field, "indexes": []}
        for collection, field in UNINDEXED
    ]
    return {
        "indexes": [_composite(index) for index in INDEXES],
        "fieldOverrides": [*unindexed, *expiring],
    }


def _composite(index: Index) -> dict[str, Any]:
    collection, fields = index
    return {
        "collectionGroup": collection,
        "queryScope": "COLLECTION",
        "fields": [_field(path, mode) for path, mode in fields],
    }


def _field(path: str, mode: str) -> dict[str, str]:
    return {"fieldPath": path, "arrayConfig" if mode == CONTAINS else "order": mode}
