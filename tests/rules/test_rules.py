"""Firestore's rules against real tokens: no client reads or writes, but for what admins watch.

Storage has no emulator here that knows its rules: those are read as text, which shows that they
hold one denial and nothing else, not that Google compiles them.
"""

import re
import threading
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import grpc  # type: ignore[import-untyped]
import httpx
import pytest
from google.api_core.exceptions import PermissionDenied
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.types import ListenRequest, Target, TargetChange

from local.accounts import ADMIN, SUPER_ADMIN, Account, create, id_token
from local.plan import PROJECT, ROOT
from local.stack import Stack
from local.tls import TLS

OURS = (
    "_fences",
    "audit_logs",
    "calibration_ledgers",
    "categories",
    "classification_artefacts",
    "classification_reviews",
    "configuration",
    "crawl_ingestions",
    "crawl_quarantine",
    "crawl_groups",
    "crawl_hosts",
    "crawl_lanes",
    "crawl_retailers",
    "crawl_schedules",
    "crawl_slots",
    "dead_letters",
    "exports",
    "idempotency",
    "insight_weeks",
    "labels",
    "ledger",
    "match_decisions",
    "match_keys",
    "match_models",
    "match_pairs",
    "match_states",
    "nightly_exports",
    "notes",
    "notifications",
    "outbox",
    "pictures",
    "price_alert_rules",
    "price_alerts",
    "price_quarantine",
    "price_summaries",
    "price_upload_chunks",
    "price_uploads",
    "prices",
    "product_groups",
    "product_identities",
    "product_request_marks",
    "product_requests",
    "products",
    "proposals",
    "rematches",
    "provider_calls",
    "provider_days",
    "provider_keys",
    "retailers",
    "search_lists",
    "search_states",
    "search_vocabularies",
    "sessions",
    "statistics",
    "tickets",
    "upload_chunks",
    "uploads",
    "user_activity",
    "user_erasures",
    "user_rosters",
    "weekly_reports",
    "users",
    "a_collection_of_tomorrow",
)
WATCHED = ("crawl_jobs", "classification_batches")
NOBODY = ""
USER = Account("plain@shopple.test", {}, "Plain User")
# A claim that is there but says no.
FORMER = Account("former@shopple.test", {"admin": False}, "Former Admin")
# As a session sees it, a super admin is an admin without a claim of its own.
ONLY_SUPER = Account("only-super@shopple.test", {"super_admin": True}, "Only Super Admin")
ACCOUNTS = {each.email: each for each in (USER, FORMER, ADMIN, SUPER_ADMIN, ONLY_SUPER)}
ADMINS = (ADMIN.email, SUPER_ADMIN.email, ONLY_SUPER.email)
OTHERS = (NOBODY, USER.email, FORMER.email)
READ_ONLY = {"fields": {"held": {"booleanValue": True}}}


class Documents:
    """Firestore's REST interface, as anybody can call it."""

    def __init__(self, stack: Stack) -> None:
        host = stack.environment()["FIRESTORE_EMULATOR_HOST"]
        root = f"projects/{PROJECT}/databases/(default)/documents"
        self._host, self._url = host, f"http://{host}/v1/{root}"
        self.http = httpx.Client(base_url=self._url, trust_env=False, verify=TLS, timeout=30)
        self._root = root
        auth = stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"]
        self._tokens = {NOBODY: ""}
        for account in ACCOUNTS.values():
            create(auth, account)
            self._tokens[account.email] = id_token(auth, account.email)

    def headers(self, who: str) -> Mapping[str, str]:
        token = self._tokens.get(who, who)
        return {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, who: str, path: str) -> int:
        return self.http.get(f"/{path}", headers=self.headers(who)).status_code

    def query(self, who: str, collection: str) -> int:
        query: dict[str, Any] = {"from": [{"collectionId": collection}], "limit": 1}
        body = {"structuredQuery": query}
        url = f"{self._url}:runQuery"
        return self.http.post(url, json=body, headers=self.headers(who)).status_code

    def writes(self, who: str, collection: str) -> Mapping[str, int]:
        """What became of each way to write."""
        headers = self.headers(who)
        commit = {
            "writes": [{"update": {"name": f"{self._root}/{collection}/mine", **READ_ONLY}}],
        }
        answers = {
            "create": self.http.post(
                f"/{collection}", params={"documentId": "mine"}, json=READ_ONLY, headers=headers
            ),
            "update": self.http.patch(f"/{collection}/held", json=READ_ONLY, headers=headers),
            "delete": self.http.delete(f"/{collection}/held", headers=headers),
            "commit": self.http.post(f"{self._url}:commit", json=commit, headers=headers),
        }
        return {way: answer.status_code for way, answer in answers.items()}

    def set_by_its_owner(self, path: str, text: str) -> None:
        fields = {"fields": {"held": {"stringValue": text}}}
        headers = self.headers("owner")
        self.http.patch(f"/{path}", json=fields, headers=headers).raise_for_status()

    def listen(self, who: str, path: str) -> Generator[str, None, None]:
        """What Firestore's own listener tells of a document; raises PermissionDenied."""
        database, over = self._root.removesuffix("/documents"), threading.Event()
        target = Target(documents={"documents": [f"{self._root}/{path}"]}, target_id=1)

        def asked() -> Iterator[ListenRequest]:
            yield ListenRequest(database=database, add_target=target)
            # The call lives as long as more may be asked.
            over.wait()

        metadata = [(name.lower(), value) for name, value in self.headers(who).items()]
        with grpc.insecure_channel(self._host) as channel:
            client = FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))
            metadata.append(("google-cloud-resource-prefix", database))
            try:
                for answer in client.listen(asked(), metadata=metadata, timeout=60):
                    change = answer.target_change
                    if change.target_change_type == TargetChange.TargetChangeType.REMOVE:
                        assert change.cause.code == grpc.StatusCode.PERMISSION_DENIED.value[0]
                        raise PermissionDenied(change.cause.message)  # type: ignore[no-untyped-call]
                    if "document_change" in answer:
                        yield answer.document_change.document.fields["held"].string_value
            finally:
                over.set()


@pytest.fixture(scope="module")
def documents(stack: Stack) -> Iterator[Documents]:
    """One document in each collection, written with the rights of a function."""
    opened = Documents(stack)
    # These are no products: what follows a write could make nothing of them.
    stack.control.disturb_events(drop=True)
    for collection in (*OURS, *WATCHED):
        path = f"/{collection}/held"
        opened.http.patch(path, json=READ_ONLY, headers=opened.headers("owner")).raise_for_status()
    yield opened
    for collection in (*OURS, *WATCHED):
        path = f"/{collection}/held"
        opened.http.delete(path, headers=opened.headers("owner")).raise_for_status()
    opened.http.close()
    # Other tests' tasks may still be under way.
    stack.control.wait_until_idle(120)
    stack.control.reset_events()


@pytest.mark.parametrize("who", [*OTHERS, *ADMINS])
@pytest.mark.parametrize("collection", OURS)
def test_no_client_reads_what_is_the_functions_own(
    documents: Documents, collection: str, who: str
) -> None:
    assert documents.get("owner", f"{collection}/held") == 200
    assert documents.get(who, f"{collection}/held") == 403
    assert documents.get(who, collection) == 403
    assert documents.query(who, collection) == 403


@pytest.mark.parametrize("who", [*OTHERS, *ADMINS])
@pytest.mark.parametrize("collection", [*OURS, *WATCHED])
def test_no_client_writes_anything(documents: Documents, collection: str, who: str) -> None:
    ways = ("create", "update", "delete", "commit")
    assert documents.writes(who, collection) == dict.fromkeys(ways, 403)
    assert documents.get("owner", f"{collection}/held") == 200
    assert documents.get("owner", f"{collection}/mine") == 404


@pytest.mark.parametrize("who", ADMINS)
@pytest.mark.parametrize("collection", WATCHED)
def test_admins_watch_jobs_and_batches(documents: Documents, collection: str, who: str) -> None:
    assert documents.get(who, f"{collection}/held") == 200
    assert documents.get(who, collection) == 200
    assert documents.query(who, collection) == 200


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("collection", WATCHED)
def test_others_watch_nothing(documents: Documents, collection: str, who: str) -> None:
    assert documents.get(who, f"{collection}/held") == 403
    assert documents.get(who, collection) == 403
    assert documents.query(who, collection) == 403


@pytest.mark.parametrize("who", ADMINS)
def test_an_admins_listener_hears_each_change_of_a_crawl(documents: Documents, who: str) -> None:
    path = "crawl_jobs/held"
    documents.set_by_its_owner(path, "before")
    heard = documents.listen(who, path)
    assert next(heard) == "before"
    documents.set_by_its_owner(path, "after")
    assert next(heard) == "after"
    heard.close()


@pytest.mark.parametrize(
    ("who", "path"),
    [*((who, "crawl_jobs/held") for who in OTHERS), (ADMIN.email, "crawl_retailers/held")],
)
def test_nobody_else_hears_and_nothing_else_is_heard(
    documents: Documents, who: str, path: str
) -> None:
    with pytest.raises(PermissionDenied):
        next(documents.listen(who, path))


def test_admins_read_nothing_below_a_watched_document(documents: Documents) -> None:
    for path in ("crawl_jobs/held/secrets/one", "classification_batches/held/results/00000"):
        assert documents.get(ADMIN.email, path) == 403


def test_every_collection_of_the_code_is_checked() -> None:
    texts = [file.read_text() for file in (ROOT / "shared").rglob("*.py")]
    constants = (
        r'^(?:COLLECTION|CHUNKS|MARKS_COLLECTION|STATES|RETAILERS|VOCABULARIES)\b.*= "(\w+)"'
    )
    named = {name for text in texts for name in re.findall(constants, text, re.MULTILINE)}
    named |= {name for text in texts for name in re.findall(r'\.collection\("(\w+)"\)', text)}
    assert "products" in named
    assert named <= {*OURS, *WATCHED}


def test_storage_rules_are_one_denial() -> None:
    text = (ROOT / "storage.rules").read_text()
    code = " ".join(re.sub(r"//.*", "", text).split())
    assert code == (
        "rules_version = '2'; service firebase.storage { match /b/{bucket}/o { "
        "match /{allPaths=**} { allow read, write: if false; } } }"
    )
