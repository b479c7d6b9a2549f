"""The public contract as a table of its own, so that no declaration is compared with itself.

Verbs, path (`<id>` stands for any identifier), role, calls a minute, seconds in the cache.
"""

from typing import NamedTuple


class Promise(NamedTuple):
    """What one call of the contract promises; no `per_minute` where nothing is touched."""

    verb: str
    path: str
    role: str
    per_minute: int | None
    ttl_seconds: int | None


_TABLE = """
POST             /api/admin/create-user               super_admin   10    -
POST             /api/admin/login                     public         5    -
POST             /api/admin/logout                    admin        100    -
GET              /api/admin/session                   public       100    -
POST             /api/admin/ticket                    admin        100    -
GET              /api/admin/users                     super_admin  100    -
GET,PUT,DELETE   /api/admin/users/<id>                super_admin  100    -
GET              /api/admin/users/<id>/data           super_admin   10    -
GET              /api/audit/logs                      super_admin  100    -
GET              /api/categories                      admin        100   60
POST             /api/categories                      admin        100    -
GET,PUT,DELETE   /api/categories/<id>                 admin        100    -
GET              /api/insights/growth                 admin        100    -
GET              /api/insights/users                  admin        100    -
GET,POST         /api/notes                           admin        100    -
GET,PUT,DELETE   /api/notes/<id>                      admin        100    -
GET,POST         /api/prices/alerts                   admin        100    -
DELETE           /api/prices/alerts/<id>              admin        100    -
GET              /api/prices/analytics                admin        100  120
POST             /api/prices/analyze                  admin        100    -
GET              /api/prices/history/<id>             admin        100  120
POST             /api/prices/upload                   admin         10    -
POST             /api/product-requests                public        10    -
GET              /api/product-requests                admin        100    -
PUT              /api/product-requests/<id>           admin        100    -
GET              /api/products                        admin        100   60
GET,PUT,DELETE   /api/products/<id>                   admin        100    -
POST             /api/products/<id>/image             admin         10    -
DELETE           /api/products/<id>/image             admin        100    -
GET              /api/products/<id>/matches           admin        100    -
POST             /api/products/<id>/restore           admin        100    -
POST             /api/products/confirm                admin         10    -
GET              /api/products/duplicates              admin        100  300
POST             /api/products/duplicates/decide       admin        100    -
POST             /api/products/duplicates/reopen       admin        100    -
POST             /api/products/export                 admin         10    -
GET              /api/products/exports/<id>           admin        100    -
GET              /api/products/groups/<id>            admin        100    -
POST             /api/products/merge                  admin        100    -
GET              /api/products/pending                admin        100    -
POST             /api/products/pending/<id>/approve   admin        100    -
POST             /api/products/pending/<id>/reject    admin        100    -
POST             /api/products/pending/approve        admin         10    -
POST             /api/products/pending/reject         admin         10    -
POST             /api/products/preview                admin         10    -
POST             /api/products/rematch                 admin         10    -
GET              /api/products/rematches/<id>          admin        100    -
GET              /api/products/search                 admin        100    -
GET              /api/products/stats                  admin        100   60
POST             /api/products/unmerge                admin        100    -
GET              /api/products/uploads/<id>           admin        100    -
POST             /classify                            admin         10    -
GET              /classify-batch                      admin        100    -
POST             /classify-batch                      admin         10    -
GET              /classify-batch/<id>                 admin        100    -
POST             /classify-batch/<id>/cancel          admin        100    -
GET              /classify-batch/<id>/items           admin        100    -
GET              /classify/providers                  admin        100    -
GET              /classify/reviews                    admin        100    -
POST             /classify/reviews                    admin         10    -
POST             /classify/reviews/<id>               admin        100    -
POST             /classify/test-provider              admin         10    -
GET              /health                              public         -    -
GET              /openapi.json                        public         -    -
POST             /keys/set                            super_admin  100    -
GET              /keys/status                         admin        100    -
GET,PUT          /system/config                       super_admin  100    -
GET              /system/status                       admin        100    -
"""


def _promises() -> list[Promise]:
    found = []
    for line in _TABLE.split("\n"):
        if line:
            verbs, path, role, per_minute, ttl = line.split()
            numbers = (None if text == "-" else int(text) for text in (per_minute, ttl))
            limit, seconds = numbers
            found += [Promise(verb, path, role, limit, seconds) for verb in verbs.split(",")]
    return found


PROMISES = _promises()
PATHS = sorted({promise.path for promise in PROMISES})

HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "0",
    "Cache-Control": "private, no-store",
}

# What was kept, changed or replaced of the system before, and the test that shows it. What belongs
# to a capability that does not exist yet (providers, crawls) comes with it.
KEPT_CHANGED_REPLACED = {
    "paths, verbs": "architecture/test_contract.py::test_each_call_is_declared_as_promised",
    "roles and claims": "integration/edge/test_sessions.py"
    "::test_a_user_without_the_claim_is_no_admin",
    "TTLs": "architecture/test_contract.py::test_each_call_is_declared_as_promised",
    "limits": "integration/edge/test_limits_and_origins.py"
    "::test_the_sixth_sign_in_of_a_minute_is_refused",
    "X-Cache": "integration/edge/test_caching.py::test_the_second_answer_is_a_hit_until_a_write",
    "log fields": "unit/edge/test_logs.py::test_a_line_has_the_fields_that_dashboards_know",
    "cookie __session, session read too": "integration/edge/test_sessions.py"
    "::test_the_originals_cookie_is_read_at_the_functions_own_url",
    "Cloud Scheduler, not polling": "integration/test_scheduler_sync.py::test_drift_is_repaired",
    "generation in the key": "integration/edge/test_caching.py"
    "::test_a_write_makes_every_page_unfindable",
    "X-XSS-Protection 0": "architecture/test_contract.py::test_each_answer_carries_these_headers",
    "Cloud Functions, firebase.json": "architecture/test_declarations.py"
    "::test_each_path_of_the_contract_reaches_its_own_function",
    "cloudbuild.yaml": "architecture/test_cloudbuild.py"
    "::test_the_steps_come_in_the_order_in_which_each_needs_the_one_before",
    "Cloud Tasks, not worker.py": "integration/products/test_background.py"
    "::test_events_that_come_once_are_followed",
    "Firestore and Redis, not files": "integration/products/test_freshness.py"
    "::test_no_reader_sees_an_old_value_after_the_writers_answer",
    "the edge: headers, CORS, compression": "integration/edge/test_limits_and_origins.py"
    "::test_answers_are_compressed_as_the_client_asks",
    "Fluent Bit": "contract/test_log_shipping.py::test_what_the_product_logs_is_found_by_field",
}
