"""One representative request for each function, and the state that it needs to find."""

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any, Final

from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import Document
from google.events.cloud.firestore import Document as EventDocument
from google.events.cloud.firestore import DocumentEventData
from PIL import Image

from local.accounts import ADMIN, SUPER_ADMIN, id_token
from shared.system import nightly
from tests.benchmarks import (
    batch_calls,
    crawl_calls,
    decision_calls,
    duplicate_calls,
    ingestion_calls,
    schedule_calls,
)
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import Maker, get, json_bytes, post, product, rows, task

_EXPORT_SECONDS: Final = 60
_LAST_EXPORTED: Final = 20
# A start is to be measured, and not the writing of a long file.
_FEW: Final = {"category": "oral-care", "retailer": "lankamart"}


def _preview(cloud: Cloud) -> str:
    call = post(cloud, "/api/products/preview", {"products": rows()})
    return str(cloud.send(call).json()["preview"]["upload_id"])


@cache
def _note(cloud: Cloud) -> str:
    return str(cloud.send(post(cloud, "/api/notes", {"title": "Benched"})).json()["id"])


@cache
def _upload(cloud: Cloud) -> str:
    return _preview(cloud)


@cache
def _export(cloud: Cloud) -> str:
    begun = cloud.send(post(cloud, "/api/products/export", _FEW)).json()
    export_id = str(begun["export_id"])
    end = time.monotonic() + _EXPORT_SECONDS
    while True:
        shown = Call("GET", f"/api/products/exports/{export_id}", headers=cloud.user())
        if cloud.send(shown).json()["status"] == "completed":
            return export_id
        if time.monotonic() > end:
            raise TimeoutError(f"The export is not written after {_EXPORT_SECONDS} s.")
        time.sleep(0.2)


def _confirm_upload(cloud: Cloud) -> Call:
    upload_id = _preview(cloud)
    document = cloud.database.document(f"uploads/{upload_id}")
    document.update({"status": "confirming", "accept": "all"})
    return task(cloud, _follow(upload_id))


def _preview_upload(cloud: Cloud) -> Call:
    upload_id = _preview(cloud)
    again = {"status": "previewing", "previewed_chunks": 0, "new": 0, "duplicates": 0}
    cloud.database.document(f"uploads/{upload_id}").update(again)
    return task(cloud, _follow(upload_id))


def _follow(upload_id: str) -> dict[str, str]:
    who = {"uid": "bench", "email": "bench@shopple.test", "address": "", "request_id": "bench"}
    return {"upload_id": upload_id, **who}


def _export_products(cloud: Cloud) -> Call:
    export_id = _export(cloud)
    cloud.database.document(f"exports/{export_id}").update({"status": "queued"})
    return task(cloud, {"export_id": export_id})


def _move_category(cloud: Cloud) -> Call:
    fields = {"name": "Benched", "parent_id": None, "version": 2, "moved_to": "tea"}
    now = datetime.now(UTC)
    cloud.database.document("categories/benched").set({**fields, "updated_at": now})
    return task(cloud, {"category_id": "benched"})


def _schedule(cloud: Cloud) -> Call:
    return Call("POST", "/", headers=cloud.invoker())


def _refresh_statistics(cloud: Cloud) -> Call:
    touched = {"retailers": {"keells": True}, "categories": {"tea": True}}
    cloud.database.document("statistics/touched").set(touched)
    return task(cloud, {"due_at": time.time()})


def _sweep_outbox(cloud: Cloud) -> Call:
    product_id = product(cloud)
    owed = {"kind": "product", "id": product_id, "version": secrets.randbelow(10**9)}
    overdue = datetime.now(UTC) - timedelta(hours=1)
    cloud.database.document(f"outbox/product-{product_id}").set({**owed, "at": overdue})
    return _schedule(cloud)


def _restore(cloud: Cloud) -> Call:
    path = f"/api/products/{product(cloud)}"
    cloud.send(Call("DELETE", path, headers=cloud.user()))
    return Call("POST", f"{path}/restore", headers=cloud.user())


def _confirm(cloud: Cloud) -> Call:
    body = {"upload_id": _preview(cloud), "accept": "all"}
    return post(cloud, "/api/products/confirm", body)


def _change_request(cloud: Cloud) -> Call:
    wish = {"name": f"Bench {secrets.token_hex(4)}"}
    asked = cloud.send(post(cloud, "/api/product-requests", wish)).json()
    headers = cloud.user() | {"Content-Type": "application/json"}
    body = json_bytes({"status": "planned", "note": "soon"})
    path = f"/api/product-requests/{asked['id']}"
    return Call("PUT", path, headers=headers, body=body)


def _picture(cloud: Cloud) -> Call:
    packed = BytesIO()
    Image.new("RGB", (400, 300), (secrets.randbelow(256), 90, 30)).save(packed, "PNG")
    part = b'Content-Disposition: form-data; name="file"; filename="bench.png"'
    body = b"--bench\r\n" + part + b"\r\n\r\n" + packed.getvalue() + b"\r\n--bench--\r\n"
    headers = cloud.user() | {"Content-Type": "multipart/form-data; boundary=bench"}
    return Call("POST", f"/api/products/{product(cloud)}/image", headers=headers, body=body)


def _login(cloud: Cloud) -> Call:
    token = id_token(cloud.environment()["FIREBASE_AUTH_EMULATOR_HOST"], ADMIN.email)
    headers = {"Content-Type": "application/json"}
    return Call("POST", "/api/admin/login", headers=headers, body=json_bytes({"idToken": token}))


def _written(collection: str, thing: Callable[[Cloud], str]) -> Maker:
    """The event of a write that has just happened, in the binary form that Eventarc sends."""

    def make(cloud: Cloud) -> Call:
        path = f"{collection}/{thing(cloud)}"
        fields = cloud.database.document(path).get().to_dict() or {}
        now = datetime.now(UTC)
        written = Document(
            name=f"{cloud.database._database_string}/documents/{path}",
            fields=_helpers.encode_dict(fields),
            create_time=now,
            update_time=now,
        )
        # The events' own message has the same fields under the same numbers.
        value = EventDocument.deserialize(Document.serialize(written))
        headers = {
            "ce-id": secrets.token_hex(8),
            "ce-source": f"//firestore.googleapis.com/{cloud.database._database_string}",
            "ce-specversion": "1.0",
            "ce-subject": f"documents/{path}",
            "ce-time": now.isoformat().replace("+00:00", "Z"),
            "ce-type": "google.cloud.firestore.document.v1.written",
            "Content-Type": "application/protobuf",
        }
        body = DocumentEventData.serialize(DocumentEventData(value=value, old_value=value))
        return Call("POST", "/", headers=headers, body=body, signature="cloudevent")

    return make


def _price(cloud: Cloud) -> dict[str, Any]:
    fields = cloud.database.document(f"products/{product(cloud)}").get().to_dict() or {}
    said = {"retailer": fields["retailer"], "price": str(fields["price_minor"] / 100)}
    return {"product_id": product(cloud), "source": "api", **said}


def _write_nightly_export(cloud: Cloud) -> Call:
    """The last documents of a collection: what a start costs, and not what a catalogue does."""
    night = {"run": "bench", "status": "running", "began_at": datetime.now(UTC), "objects": []}
    ids = sorted(s.id for s in cloud.database.collection(nightly.EXPORTED[0]).select([]).stream())
    cloud.database.document("nightly_exports/2026-01-01").set(
        {**night, "part": 0, "collection": 0, "after": ids[-_LAST_EXPORTED]}
    )
    return task(cloud, {"day": "2026-01-01", "run": "bench", "part": 0})


def _follow_prices(cloud: Cloud) -> Call:
    owed = {"kind": "price", "id": "bench", "version": 1, "at": datetime.now(UTC)}
    cloud.database.document("outbox/price-bench").set({**owed, "product_ids": [product(cloud)]})
    return task(cloud, {"change_id": "bench"})


def _record_prices(cloud: Cloud) -> Call:
    fields = cloud.database.document(f"products/{product(cloud)}").get().to_dict() or {}
    now, price_minor = datetime.now(UTC), fields["price_minor"] + secrets.randbelow(1000)
    told = [product(cloud), fields["retailer"], int(time.time() * 1e6), price_minor]
    owed = {"kind": "product_price", "id": "bench", "version": 1, "at": now, "source": "manual"}
    changes = {"changes": json.dumps([[*told, fields["currency"]]])}
    cloud.database.document("outbox/product_price-bench").set(owed | changes)
    return task(cloud, {"change_id": "bench"})


def _month_written(cloud: Cloud) -> Call:
    month = f"{datetime.now(UTC):%Y-%m}"
    cloud.send(post(cloud, "/api/prices/upload", {"prices": [_price(cloud)]}))
    return _written(f"products/{product(cloud)}/prices", lambda _: month)(cloud)


def _set_key(cloud: Cloud) -> Call:
    headers = cloud.user(SUPER_ADMIN) | {"Content-Type": "application/json"}
    body = json_bytes({"provider": "cerebras", "key": "a-key-that-opens-nothing"})
    return Call("POST", "/keys/set", headers=headers, body=body)


_TEA: Final = {"name": "Ceylon Tea 100g"}


@cache
def _batch(cloud: Cloud) -> str:
    body = {"products": [_TEA], "provider": "local"}
    return str(cloud.send(post(cloud, "/classify-batch", body)).json()["batch_id"])


def _of_batch(cloud: Cloud, what: str = "") -> Call:
    return Call("GET", f"/classify-batch/{_batch(cloud)}{what}", headers=cloud.user())


def _review(cloud: Cloud) -> Call:
    """An answer that nobody is sure of, to be accepted."""
    tea = {**_TEA, "name": f"Tea {secrets.token_hex(4)}", "id": product(cloud)}
    cloud.send(post(cloud, "/classify", {"products": [tea], "provider": "local"}))
    listed = cloud.send(Call("GET", "/classify/reviews", "limit=1", cloud.user())).json()
    review_id = listed["reviews"][0]["id"]
    return post(cloud, f"/classify/reviews/{review_id}", {"decision": "accept"})


CALLS: Final[dict[str, Maker]] = {
    **crawl_calls.CALLS,
    **decision_calls.CALLS,
    **duplicate_calls.CALLS,
    **ingestion_calls.CALLS,
    **schedule_calls.CALLS,
    "classify": lambda cloud: post(cloud, "/classify", {"products": [_TEA], "provider": "local"}),
    "classify_batch": _of_batch,
    "classify_batch_cancel": lambda cloud: post(
        cloud, f"/classify-batch/{_batch(cloud)}/cancel", {}
    ),
    "classify_batch_items": lambda cloud: _of_batch(cloud, "/items"),
    "classify_batches": lambda cloud: post(
        cloud, "/classify-batch", {"products": [_TEA], "provider": "local"}
    ),
    "classify_chunk": lambda cloud: batch_calls.part(cloud, provider="local"),
    "classify_review": _review,
    "classify_reviews": get("/classify/reviews"),
    "classify_providers": get("/classify/providers"),
    "classify_test_provider": lambda cloud: post(
        cloud, "/classify/test-provider", {"provider": "local"}
    ),
    "keys_set": _set_key,
    "keys_status": get("/keys/status"),
    "apply_retention": _schedule,
    "audit_logs": get("/api/audit/logs", account=SUPER_ADMIN),
    "begin_nightly_export": _schedule,
    "categories": get("/api/categories", cached="categories"),
    "category": get("/api/categories/tea"),
    "confirm_upload": _confirm_upload,
    "export": lambda cloud: get(f"/api/products/exports/{_export(cloud)}")(cloud),
    "export_products": _export_products,
    "follow_prices": _follow_prices,
    "health": get("/health"),
    "insights_growth": get("/api/insights/growth"),
    "insights_users": get("/api/insights/users"),
    "login": _login,
    "logout": lambda cloud: Call("POST", "/api/admin/logout", headers=cloud.fresh_user()),
    "match_product": lambda cloud: task(cloud, {"product_id": product(cloud)}),
    "move_category": _move_category,
    "note": lambda cloud: get(f"/api/notes/{_note(cloud)}")(cloud),
    "notes": get("/api/notes"),
    "on_category_written": _written("categories", lambda _: "tea"),
    "on_crawl_job_written": _written("crawl_jobs", ingestion_calls.ended_job),
    "on_product_written": _written("products", product),
    "on_price_written": _month_written,
    "on_user_active": _written("user_activity", lambda _: "2026-01-01_bench"),
    "openapi": get("/openapi.json"),
    "preview_upload": _preview_upload,
    "prices_analytics": get("/api/prices/analytics", cached="prices"),
    "prices_analyze": lambda cloud: post(
        cloud, "/api/prices/analyze", {"product_ids": [product(cloud)]}
    ),
    "prices_history": get("/api/prices/history/{product}", cached="prices"),
    "prices_upload": lambda cloud: post(cloud, "/api/prices/upload", {"prices": [_price(cloud)]}),
    "product": get("/api/products/{product}"),
    "product_image": _picture,
    "product_matches": get("/api/products/{product}/matches"),
    "product_request": _change_request,
    "product_requests": get("/api/product-requests"),
    "product_restore": _restore,
    "products": get("/api/products", cached="products"),
    "products_confirm": _confirm,
    "products_export": lambda cloud: post(cloud, "/api/products/export", _FEW),
    "products_preview": lambda cloud: post(cloud, "/api/products/preview", {"products": rows()}),
    "products_search": get("/api/products/search", "q=ginger+biscuts+200g"),
    "products_stats": get("/api/products/stats", cached="products"),
    "purge_products": _schedule,
    "recount_insights": _schedule,
    "record_prices": _record_prices,
    "recount_statistics": _schedule,
    "refresh_insights": lambda cloud: task(cloud, {"due_at": time.time()}),
    "refresh_price_analytics": lambda cloud: task(cloud, {"due_at": time.time()}),
    "refresh_statistics": _refresh_statistics,
    "renew_price_analytics": _schedule,
    # It trains on the whole of the bench's catalogue: there is no smaller night.
    "retrain_matcher": _schedule,
    "report_week": _schedule,
    "session": get("/api/admin/session"),
    "sweep_batches": _schedule,
    "sweep_outbox": _sweep_outbox,
    "system_config": get("/system/config", account=SUPER_ADMIN),
    "system_status": get("/system/status"),
    "ticket": lambda cloud: post(cloud, "/api/admin/ticket", {"for": "crawler"}),
    "write_nightly_export": _write_nightly_export,
    "upload": lambda cloud: get(f"/api/products/uploads/{_upload(cloud)}")(cloud),
}
