"""schemathesis calls every operation of /openapi.json at the gateway, as a super admin."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from PIL import Image

from local.accounts import SUPER_ADMIN, id_token
from local.firestore import clear_documents
from local.plan import PROJECT, ROOT
from local.stack import Stack
from shared.edge.paths import match, specificity
from tests import sessions
from tests.integration.crawling.ingestion_support import ended, found, now, stored
from tests.integration.system.conftest import Objects

EXAMPLES = 5
CRAWL = "schemacrawl000000001"
LOGOUT = "/api/admin/logout"
# schemathesis reads the document from there, and so does not try it as an operation.
DOCUMENT = "/openapi.json"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance"
)
_STARTS = {category: ["https://schema.example/"] for category in ("tea", "coffee")}
SITE: dict[str, Any] = {"start_urls": _STARTS, "listing": {}}
Seen = dict[tuple[str, str], set[int]]


def known_values(stack: Stack, session: sessions.SignedIn) -> dict[str, Any]:
    """Ids that exist, each of something that may be changed and removed."""
    common = {"retailer": "schema-shop", "price": 10, "category": "tea"}
    rows = [{"name": name, **common} for name in ("Schema Tea 100g", "Kept Coffee 200g", "Zinc")]
    with sessions.new_client(stack, session) as http:
        http.timeout = httpx.Timeout(60)
        upload = http.post("/api/products/preview", json={"products": rows}).json()["preview"]
        upload_id = upload["upload_id"]
        http.post("/api/products/confirm", json={"upload_id": upload_id}).raise_for_status()
        rematch_id = http.post("/api/products/rematch", json={}).json()["rematch_id"]
        export_id = http.post("/api/products/export", json={}).json()["export_id"]
        wished = http.post("/api/product-requests", json={"name": "Schema Wish"}).json()
        invited = [
            http.post("/api/admin/create-user", json={"email": email, "role": "admin"}).json()
            for email in ("schema@people.test", "kept@people.test")
        ]
        note_id = http.post("/api/notes", json={"title": "Schema"}).json()["id"]
        listed = http.get("/api/products", params={"retailer": "schema-shop", "sort": "name"})
        kept, mortal, third = (each["id"] for each in listed.json()["products"])
        alert = {"name": "Schema", "kind": "down", "percent": 10, "channel": "slack"}
        alert |= {"product_id": kept}
        alert_id = http.post("/api/prices/alerts", json=alert).json()["id"]
        _propose(stack, [{"name": name, **common} for name in ("Approved Tea", "Rejected Tea")])
        waiting = http.get("/api/products/pending").json()["pending"]
        batch = {"product_ids": [kept], "provider": "local"}
        batch_id = http.post("/classify-batch", json=batch).json()["batch_id"]
        review_id = _review(http, mortal)
        schedule = _schedule(http)
        scheduled = [
            http.post("/api/crawler/schedules", json=schedule).json()["id"] for _ in range(2)
        ]
        groups = [_group(http, retailer) for retailer in ("schema-merge", "kept-merge")]
    token = id_token(stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"], SUPER_ADMIN.email)
    return {
        "product_id": mortal,
        "kept_product_id": kept,
        "product_ids": [kept],
        "same": [kept],
        "different": [third],
        "pairs": [[kept, third]],
        "rematch_id": rematch_id,
        "merge": {name: groups[0][name] for name in ("primary_id", "duplicate_ids")},
        "unmerged_group_id": groups[0]["group_id"],
        "group_id": groups[1]["group_id"],
        "proposed_ids": [each["id"] for each in waiting],
        "category_id": "tea",
        "category": "tea",
        "currency": "LKR",
        "price": 10,
        "reason": "Schema",
        "note_id": note_id,
        "alert": alert,
        "alert_id": alert_id,
        "batch": batch,
        "batch_id": batch_id,
        "upload_id": upload_id,
        "export_id": export_id,
        "request_id": wished["id"],
        "review_id": review_id,
        "correction": {"decision": "correct", "category": "tea"},
        "uid": invited[0]["uid"],
        "kept_uid": invited[1]["uid"],
        "idToken": token,
        "provider": "local",
        "model": "names-and-neighbours",
        "provider_key": {"provider": "cerebras", "key": "schema-key-0123456789"},
        "url": _picture(stack),
        "schedule": schedule,
        # The first of each starts one; after that it is too soon for another.
        "crawl": {"retailer": "schema-shop", "category": "tea"},
        "crawls": {"jobs": [{"retailer": "schema-shop", "category": "coffee"}]},
        "site": SITE,
        "retailer_id": "schema-other-shop",
        "schedule_id": scheduled[0],
        "kept_schedule_id": scheduled[1],
        "job_id": CRAWL,
        "entry_id": _crawl(stack),
    }


def _schedule(http: httpx.Client) -> dict[str, Any]:
    """A schedule for a retailer whose recipe there is."""
    for retailer in ("schema-shop", "schema-other-shop"):
        http.put(f"/api/crawler/retailers/{retailer}", json=SITE).raise_for_status()
    target = {"name": "Schema", "retailer": "schema-shop", "category": "tea"}
    return {**target, "type": "daily", "time": "03:00", "timezone": "Asia/Colombo"}


def _group(http: httpx.Client, retailer: str) -> dict[str, Any]:
    """Two offers of a retailer's, merged."""
    rows = [{"name": f"Merged {n}", "retailer": retailer, "price": 10} for n in ("Milk", "Rice")]
    upload = http.post("/api/products/preview", json={"products": rows}).json()["preview"]
    body = {"upload_id": upload["upload_id"]}
    http.post("/api/products/confirm", json=body).raise_for_status()
    listed = http.get("/api/products", params={"retailer": retailer}).json()["products"]
    primary, duplicate = (each["id"] for each in listed)
    wanted = {"primary_id": primary, "duplicate_ids": [duplicate]}
    merged = http.post("/api/products/merge", json=wanted)
    merged.raise_for_status()
    return {**wanted, "group_id": merged.json()["group_id"]}


def _review(http: httpx.Client, product_id: str) -> str:
    """An entry of the review queue, about the product."""
    wanted = {"products": [{"name": "Schema Tea", "id": product_id}], "provider": "local"}
    http.post("/classify", json=wanted).raise_for_status()
    listed = http.get("/classify/reviews").json()["reviews"]
    return str(next(each["id"] for each in listed if each["product"]["id"] == product_id))


def _propose(stack: Stack, offers: list[dict[str, Any]]) -> None:
    """Has the offers wait for a decision."""
    _private(stack, "propose_products", {"offers": offers, "source": "schema"})


def _private(stack: Stack, function: str, body: dict[str, Any]) -> None:
    httpx.post(
        f"{stack.plan.functions_url}/{function}",
        headers={"Authorization": f"Bearer {stack.control.invoker_token()}"},
        json=body,
        timeout=60,
        trust_env=False,
    ).raise_for_status()


def _crawl(stack: Stack) -> str:
    """Has a crawl's rows taken in; the one of them whose price is kept apart."""
    at = now()
    stored(Objects(stack), CRAWL, [found(1), found(2, 0)], at=at)
    os.environ["FIRESTORE_EMULATOR_HOST"] = stack.environment()["FIRESTORE_EMULATOR_HOST"]
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    database = firestore.Client(project=PROJECT, credentials=credentials)
    database.document(f"crawl_jobs/{CRAWL}").set(ended(CRAWL, at=at))
    _private(stack, "ingest_crawl", {"job_id": CRAWL})
    return f"{CRAWL}-2"


def _picture(stack: Stack) -> str:
    """The address of a picture that may be fetched."""
    storage, bucket = (stack.environment()[n] for n in ("STORAGE_EMULATOR_HOST", "STORAGE_BUCKET"))
    packed = BytesIO()
    Image.new("RGB", (8, 8), "red").save(packed, "PNG")
    httpx.post(
        f"{storage}/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "media", "name": "schema.png"},
        content=packed.getvalue(),
        headers={"Content-Type": "image/png"},
        trust_env=False,
    ).raise_for_status()
    return f"{storage}/download/storage/v1/b/{bucket}/o/schema.png?alt=media"


def test_no_operation_answers_what_it_does_not_document(stack: Stack, tmp_path: Path) -> None:
    # The emulator sorts all that a search finds: among thousands it would take too long.
    clear_documents(stack.plan)
    session = sessions.log_in(stack, SUPER_ADMIN)
    har = tmp_path / "calls.har"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            sys.executable,
            *("-m", "schemathesis.cli", "run", f"{stack.plan.origin}{DOCUMENT}"),
            *("--header", f"Cookie: {sessions.COOKIE}={session.cookie}"),
            *("--header", f"X-CSRF-Token: {session.csrf}"),
            *(
                "--exclude-path",
                LOGOUT,
                "--checks",
                CHECKS,
                "--phases",
                "examples,coverage,fuzzing",
            ),
            *("--max-examples", str(EXAMPLES), "--generation-deterministic"),
            *("--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "30"),
            *("--report", "har", "--report-har-path", str(har), "--no-color"),
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.integration.openapi_hooks",
            "KNOWN_VALUES": json.dumps(known_values(stack, session)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    for operation, statuses in sorted(statuses_by_operation(har).items()):
        assert any(200 <= status < 300 for status in statuses), (operation, statuses)
        assert statuses & {400, 415, 422} or refuses_unknown(stack, session, *operation), operation
    assert refuses_unknown(stack, session, "GET", DOCUMENT)


def refuses_unknown(stack: Stack, session: sessions.SignedIn, verb: str, template: str) -> bool:
    """Whether the operation answers 422 to a query that it does not take, and an empty body."""
    path = re.sub(r"{\w+}", "absent", template)
    with sessions.new_client(stack, session) as http:
        body: dict[str, str] | None = {} if verb in ("POST", "PUT") else None
        return http.request(verb, f"{path}?unknown=1", json=body).status_code == 422


def statuses_by_operation(har: Path) -> Seen:
    """The statuses that each documented operation but logout has answered."""
    document = json.loads((ROOT / "shared/system/openapi.json").read_text())
    templates = sorted(document["paths"], key=specificity)
    seen: Seen = defaultdict(set)
    for template in templates:
        for verb in document["paths"][template]:
            if verb in ("get", "post", "put", "delete") and template not in (LOGOUT, DOCUMENT):
                seen[verb.upper(), template] = set()
    for entry in json.loads(har.read_text())["log"]["entries"]:
        path = unquote(urlsplit(entry["request"]["url"]).path)
        template = next((t for t in templates if match(t, path) is not None), None)
        operation = (entry["request"]["method"], template)
        if operation in seen:
            seen[operation].add(entry["response"]["status"])
    return seen
