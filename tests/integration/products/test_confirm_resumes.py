"""A confirm that dies at any step goes on when it is called again, and writes each row once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from local.accounts import ADMIN
from local.firestore import clear_documents
from tests.integration.products.support import QUEUE, Json, Shop, as_json, good, row, signed_in
from tests.polling import eventually

# Runs the product's own confirm and ends the process just before its k-th call to the outside:
# that is also just after the one before it, whose answer then came to nothing. The parent only
# imports, so that each drill is a fork and not a start.
CONFIRM = """
import os, sys
from shared.products import upload_confirm
from shared.edge.request import Actor
from google.cloud.firestore_v1.services.firestore.client import FirestoreClient
from google.cloud.tasks_v2 import CloudTasksClient
from upstash_redis.http import SyncHttpClient

def drill(upload_id, last):
    calls, held = 0, b""

    def die():
        os.write(1, held.hex().encode() + b" ")
        os._exit(99)

    def wrap(owner, name):
        original = getattr(owner, name)
        def wrapped(*args, **kwargs):
            nonlocal calls, held
            calls += 1
            if calls == last:
                die()
            answer = original(*args, **kwargs)
            if name == "begin_transaction":
                held = answer.transaction
            if name in ("commit", "rollback"):
                held = b""
            return answer
        setattr(owner, name, wrapped)

    for name in ("begin_transaction", "rollback", "run_query", "batch_get_documents",
                 "list_documents", "commit", "batch_write"):
        wrap(FirestoreClient, name)
    wrap(CloudTasksClient, "create_task")
    wrap(SyncHttpClient, "execute")
    upload_confirm.claim(upload_id, "all")
    upload_confirm.commit(upload_id, Actor("drill", "", "upload.confirmed", "", ""))

for line in sys.stdin:
    upload_id, last = line.split()
    child = os.fork()
    if child == 0:
        try:
            drill(upload_id, int(last))
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
NEW, KNOWN, UNCHANGED, TWICE, BROKEN = 90, 40, 20, 12, 8
TOTAL = NEW + KNOWN + UNCHANGED + TWICE + BROKEN
KILLED = 99


def rows(start: int) -> list[Json]:
    """170 rows in two chunks: new, known with another price, known, repeated and broken."""
    new = [row(start + number) for number in range(NEW)]
    known = [row(number, price="7.25") for number in range(KNOWN)]
    unchanged = [row(KNOWN + number) for number in range(UNCHANGED)]
    twice = [row(start + number) for number in range(TWICE)]
    broken = [row(start + NEW + number, price="dear") for number in range(BROKEN)]
    mixed = [*new, *known, *unchanged, *twice, *broken]
    # Each kind falls into each chunk; the order is the same each time.
    return [mixed[number * 37 % TOTAL] for number in range(TOTAL)]


# Begins a preview with what it read, and goes on with it when it is told to.
LATE_PREVIEW = """
import sys
from shared.products import upload_preview, upload_store
upload = upload_store.read(sys.argv[1])
chunks = upload_store.read_chunks(upload)
print(upload.status, flush=True)
sys.stdin.readline()
print(upload_preview.preview(upload, chunks).status)
"""
FIRST, SAME, ALIKE = 150, 5, 5


def repeated(start: int) -> list[Json]:
    """160 rows in two chunks: the second repeats rows of the first, by the letter or nearly."""
    first = [row(start + number) for number in range(FIRST)]
    same = [row(start + number, price="9.75") for number in range(SAME)]
    alike = [
        row(start + SAME + number, retailer_sku=f"T{start + number}") for number in range(ALIKE)
    ]
    return [*first, *same, *alike]


class Drill:
    """The process that runs confirms and lets them die."""

    def __init__(self, shop: Shop) -> None:
        self._process = shop.begin(CONFIRM)
        self._database = shop.database

    def confirm(self, upload_id: str, last_call: int) -> int:
        """The exit status of a confirm that dies before its n-th call; 0 if it had fewer."""
        self._process.stdin.write(f"{upload_id} {last_call}\n")
        self._process.stdin.flush()
        *held, status = self._process.stdout.readline().split()
        for transaction in held:
            # Firestore takes the locks of a dead client away after a while; this is that while.
            self._database._firestore_api.rollback(
                request={
                    "database": self._database._database_string,
                    "transaction": bytes.fromhex(transaction),
                }
            )
        return int(status)

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def drill(shop: Shop) -> Iterator[Drill]:
    begun = Drill(shop)
    yield begun
    begun.end()


@pytest.fixture(scope="module")
def catalogue(shop: Shop) -> Json:
    """The known products with all that belongs to them, as documents."""
    shop.stack.control.disturb_events(drop=True)
    shop.upload(row(number) for number in range(KNOWN + UNCHANGED))
    kept = ("products", "product_identities", "retailers", "categories", "sessions")
    return {collection: shop.documents(collection) for collection in kept}


@pytest.fixture
def known(shop: Shop, catalogue: Json) -> Shop:
    """The catalogue with the known products and nothing else, whose events are lost."""
    restore(shop, catalogue)
    return shop


def restore(shop: Shop, catalogue: Json) -> None:
    clear_documents(shop.stack.plan)
    batch = shop.database.batch()
    for collection, documents in catalogue.items():
        for name, fields in documents.items():
            batch.set(shop.database.collection(collection).document(name), fields)
    batch.commit()


def check_confirmed(shop: Shop, upload_id: str, start: int, counts: Json) -> None:
    """Each row had its effect once."""
    # A known row or a repeated one that changes nothing is skipped.
    assert counts == {
        "inserted": NEW,
        "updated": KNOWN,
        "skipped": UNCHANGED + TWICE,
        "failed": BROKEN,
    }
    assert sum(counts.values()) == TOTAL
    products = shop.documents("products")
    skus = Counter(fields["retailer_sku"] for fields in products.values())
    wanted = {f"S{number}" for number in range(KNOWN + UNCHANGED)}
    wanted |= {f"S{start + number}" for number in range(NEW)}
    assert set(skus) == wanted
    assert set(skus.values()) == {1}
    versions = Counter(fields["version"] for fields in products.values())
    assert versions == {2: KNOWN, 1: NEW + UNCHANGED}
    owners = [fields["product_id"] for fields in shop.documents("product_identities").values()]
    assert set(products) <= set(owners)
    assert Counter(owners).most_common(1)[0][1] == 1
    assert audit_entries(shop, upload_id) == 1


def audit_entries(shop: Shop, upload_id: str) -> int:
    entries = shop.documents("audit_logs").values()
    return sum(entry["resource"] == f"uploads/{upload_id}" for entry in entries)


def everything(shop: Shop, upload_id: str) -> Json:
    return {
        "products": shop.documents("products"),
        "identities": shop.documents("product_identities"),
        "upload": shop.database.collection("uploads").document(upload_id).get().to_dict(),
        "audit": audit_entries(shop, upload_id),
    }


def test_a_confirm_killed_at_every_step_goes_on(known: Shop, catalogue: Json, drill: Drill) -> None:
    shop, start, step = known, 10_000, 0
    while True:
        step += 1
        restore(shop, catalogue)
        upload_id = shop.preview(rows(start))["upload_id"]
        status = drill.confirm(upload_id, step)
        if status == 0:
            break
        assert status == KILLED
        counts = shop.confirm(upload_id, "all")
        check_confirmed(shop, upload_id, start, counts)
        before = everything(shop, upload_id)
        assert shop.confirm(upload_id, "all") == counts
        assert everything(shop, upload_id) == before
    # Claim, two chunks and the end each begin, read and commit.
    assert step > 12


def test_a_confirm_killed_over_and_over_ends(known: Shop, drill: Drill) -> None:
    shop, start = known, 30_000
    upload_id = shop.preview(rows(start))["upload_id"]
    codes = [drill.confirm(upload_id, step) for step in (6, 9, 12)]
    assert codes == [KILLED, KILLED, KILLED]
    check_confirmed(shop, upload_id, start, shop.confirm(upload_id, "all"))


def settled(answer: httpx.Response) -> httpx.Response | None:
    return None if answer.status_code == httpx.codes.CONFLICT else answer


def test_two_confirms_at_once_write_each_row_once(known: Shop) -> None:
    shop, start = known, 40_000
    upload_id = shop.preview(rows(start))["upload_id"]
    body = {"upload_id": upload_id, "accept": "all"}

    def confirm(_: int) -> Json:
        with closing(signed_in(shop.stack)) as http:
            # Who meets the other's locks for too long is told to try again.
            answer = eventually(lambda: settled(http.post("/api/products/confirm", json=body)))
            return good(answer)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(confirm, range(2))
    assert first == second
    check_confirmed(shop, upload_id, start, first)


def two_previews(shop: Shop, rows: list[Json]) -> tuple[str, str]:
    """Two uploads of the same file, neither of which knows of the other."""
    first, second = shop.preview(rows), shop.preview(rows)
    for preview in (first, second):
        assert (preview["new"], preview["duplicates"]) == (FIRST, SAME + ALIKE)
    return first["upload_id"], second["upload_id"]


def check_made_once(shop: Shop, rows: list[Json]) -> None:
    wanted = {each["name"] for each in rows}
    names = Counter(fields["name"] for fields in shop.documents("products").values())
    assert {name: count for name, count in names.items() if name in wanted} == dict.fromkeys(
        wanted, 1
    )


def test_two_previews_of_a_file_make_each_product_once(known: Shop) -> None:
    rows = repeated(46_000)
    first, second = two_previews(known, rows)
    counts = {"inserted": FIRST, "updated": SAME + ALIKE, "skipped": 0, "failed": 0}
    assert known.confirm(first, "all") == counts
    check_made_once(known, rows)
    before = known.documents("products")
    counts = {"inserted": 0, "updated": 0, "skipped": len(rows), "failed": 0}
    assert known.confirm(second, "all") == counts
    assert known.documents("products") == before


def test_two_confirms_of_a_file_by_turns_make_each_product_once(known: Shop, drill: Drill) -> None:
    rows = repeated(47_000)
    first, second = two_previews(known, rows)
    upload = known.database.collection("uploads").document(first)
    step = 4
    while upload.get(["confirmed_chunks"]).get("confirmed_chunks") == 0:
        step += 1
        assert drill.confirm(first, step) == KILLED
    assert upload.get(["status"]).get("status") == "confirming"
    known.confirm(second, "all")
    check_made_once(known, rows)
    known.confirm(first, "all")
    check_made_once(known, rows)


def test_a_confirm_that_meets_a_lock_is_a_conflict_and_may_be_repeated(known: Shop) -> None:
    upload_id = known.preview([row(45_000)])["upload_id"]
    holder = known.database.transaction()
    holder._begin()
    known.database.collection("uploads").document(upload_id).get(transaction=holder)
    body = {"upload_id": upload_id}
    try:
        answer = known.http.post("/api/products/confirm", json=body)
        assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")
    finally:
        holder._rollback()
    assert known.confirm(upload_id)["inserted"] == 1


def test_another_choice_of_rows_is_a_conflict(known: Shop) -> None:
    upload_id = known.preview([row(50_000), row(50_001)])["upload_id"]
    assert known.confirm(upload_id, [1]) == {
        "inserted": 1,
        "updated": 0,
        "skipped": 1,
        "failed": 0,
    }
    body: Json = {"upload_id": upload_id, "accept": "all"}
    assert known.http.post("/api/products/confirm", json=body).status_code == 409


def test_a_large_upload_is_followed(known: Shop) -> None:
    body: dict[str, Any] = {"products": [row(60_000 + number) for number in range(1001)]}
    answer = known.http.post("/api/products/preview", json=body)
    assert answer.status_code == 202
    upload_id = answer.json()["upload_id"]
    preview = known.followed(upload_id, "previewed")["preview"]
    assert (preview["total"], preview["new"]) == (1001, 1001)
    confirmed = known.http.post("/api/products/confirm", json={"upload_id": upload_id})
    assert confirmed.status_code == 202
    told = known.followed(upload_id, "confirmed")
    counts = as_json(told["result"])
    assert counts == {"inserted": 1001, "updated": 0, "skipped": 0, "failed": 0}
    assert told["progress"] == {"done": 1001, "total": 1001, "percent": 100}
    again = known.http.post("/api/products/confirm", json={"upload_id": upload_id})
    assert (again.status_code, again.json()) == (200, counts)
    assert audit_entries(known, upload_id) == 1


@pytest.fixture
def waiting(known: Shop) -> Iterator[str]:
    """A large upload whose preview has not begun; its queue goes on when the test ends."""
    known.run(QUEUE, "pause", "uploads")
    body: dict[str, Any] = {"products": [row(61_000 + number) for number in range(1001)]}
    answer = known.http.post("/api/products/preview", json=body)
    assert answer.status_code == 202
    yield answer.json()["upload_id"]
    known.run(QUEUE, "resume", "uploads")


def follow(upload_id: str) -> Json:
    who = {"uid": "drill", "email": "", "address": "", "request_id": ""}
    return {"upload_id": upload_id, **who}


def test_a_preview_that_comes_late_leaves_a_confirm_alone(known: Shop, waiting: str) -> None:
    late = known.begin(LATE_PREVIEW, waiting)
    assert late.stdout.readline() == "previewing\n"
    assert known.call_private("preview_upload", follow(waiting)).is_success
    body = {"upload_id": waiting, "accept": "all"}
    assert known.http.post("/api/products/confirm", json=body).status_code == 202
    before = known.documents("uploads"), known.documents("upload_chunks")
    assert before[0][waiting]["status"] == "confirming"
    assert late.communicate("go on\n", timeout=30)[0] == "confirming\n"
    assert known.call_private("preview_upload", follow(waiting)).is_success
    assert (known.documents("uploads"), known.documents("upload_chunks")) == before
    assert known.call_private("confirm_upload", follow(waiting)).is_success
    assert known.followed(waiting, "confirmed")["result"]["inserted"] == 1001


def test_a_preview_delivered_twice_at_once_counts_each_row_once(known: Shop, waiting: str) -> None:
    def deliver(_: int) -> int:
        return known.call_private("preview_upload", follow(waiting)).status_code

    with ThreadPoolExecutor(2) as pool:
        # Who comes second is to come again.
        assert set(pool.map(deliver, range(2))) <= {204, 409}
    assert known.call_private("preview_upload", follow(waiting)).is_success
    preview = known.followed(waiting, "previewed")["preview"]
    assert (preview["total"], preview["new"], preview["duplicates"]) == (1001, 1001, 0)


def test_rows_given_to_confirm_are_previewed_on_the_way(known: Shop) -> None:
    body: Json = {"products": [row(70_000), row(70_001), row(70_000)]}
    answer = good(known.http.post("/api/products/confirm", json=body))
    assert answer == {"inserted": 2, "updated": 0, "skipped": 1, "failed": 0}


def test_a_confirm_is_audited_with_its_counts(known: Shop) -> None:
    upload_id = known.preview([row(80_000)])["upload_id"]
    known.confirm(upload_id)
    entries = known.documents("audit_logs").values()
    entry = next(e for e in entries if e["resource"] == f"uploads/{upload_id}")
    assert (entry["action"], entry["actor_email"]) == ("upload.confirmed", ADMIN.email)
    counts = {"inserted": 1, "updated": 0, "skipped": 0, "failed": 0}
    assert entry["after"] == {"accept": "new", "total": 1, **counts}
