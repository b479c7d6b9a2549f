"""Duplicates: listed in groups, decided by people, matched anew, and what all of that costs."""

import json
import secrets
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any

import pytest

from shared.products import allowances, match_models, pairs, postings, turns
from shared.products.matching import POSTING_CAP, Offer
from shared.products.models import from_document
from tests.integration.products.support import READS, Json, Shop, good, row, word
from tests.polling import eventually

GOODS = (
    ("Anchor Full Cream Milk Powder", "Anchor", "400g", "milk"),
    ("Munchee Super Cream Cracker", "Munchee", "190g", "biscuits"),
    ("Araliya Nadu Rice", "Araliya", "5kg", "rice"),
)
SHOPS = ("keells", "cargills", "glomark")
Sold = dict[tuple[str, str], str]
# Its id, its fields, and the ids of its partners.
Partnered = tuple[str, Json, list[str]]
MOST_READS = 60
RETRAIN = """
from shared.edge.request import Actor
from shared.products import match_models, retraining
for _ in range(int(input())):
    print(retraining.retrain(Actor("tester", "", "matcher.trained", "", ""), most_offers=1000))
print(match_models.version())
"""
SWEEP = """
from datetime import timedelta
from shared.products import sweeping
sweeping.sweep(timedelta(0))
"""
GIVE_UP = """
import sys
from shared.edge.request import Actor
from shared.products import rematching
rematching.give_up(sys.argv[1], Actor("drill", "", "products.rematch_failed", "", ""))
"""
REMATCH = """
import sys
from shared.products import pairing, rematching
pair = pairing.pair
def slowly(*args, **facts):
    done = pair(*args, **facts)
    print("paired", flush=True)
    sys.stdin.readline()
    return done
pairing.pair = slowly
rematching.work(sys.argv[1], 0, page_products=2)
"""
REMATCH_ONE = """
import sys
from shared.products import rematch_page
rematch_page.matched(sys.argv[1:], None, "default")
"""
HINDERED = """
import sys
from google.api_core.exceptions import Aborted
from google.cloud.firestore import Client, DocumentReference, Transaction
from shared.errors import Conflict
from shared.products import following, match_models
matcher, get_all, get, commit = (
    match_models.current(), Client.get_all, DocumentReference.get, Transaction._commit
)
# The search's state is what keeps it from being written, and paid for, anew.
client = following.search_lists.firestore.client()
client.document("search_states/" + sys.argv[1]).delete()
for let_through in range(3):
    asked, commits = [], []
    def counted(client, references, *args, **facts):
        asked.extend(references)
        return get_all(client, references, *args, **facts)
    def counted_too(reference, *args, **facts):
        asked.append(reference)
        return get(reference, *args, **facts)
    def hindered(transaction):
        commits.append(transaction)
        if len(commits) <= let_through:
            return commit(transaction)
        # As after a commit that was aborted: one that hangs would keep its locks for a minute.
        client = transaction._client
        request = {"database": client._database_string, "transaction": transaction._id}
        client._firestore_api.rollback(request=request, metadata=client._rpc_metadata)
        raise Aborted("hindered")
    Client.get_all, DocumentReference.get = counted, counted_too
    Transaction._commit = hindered
    try:
        following.follow(sys.argv[1], matcher)
    except Conflict:
        print(len(asked))
"""


def offers(retailer: str, price: str) -> list[Json]:
    return [
        {"name": name, "brand": brand, "size": size, "category": category}
        | {"price": price, "retailer": retailer}
        for name, brand, size, category in GOODS
    ]


def ids(group: Json) -> set[str]:
    return {product["id"] for product in group["products"]}


def decide(shop: Shop, same: list[str], different: list[str] | None = None) -> Json:
    body = {"same": same, "different": different or []}
    return good(shop.http.post("/api/products/duplicates/decide", json=body))


def touch(shop: Shop, product_id: str, **fields: Any) -> None:
    """A write that has the product matched anew."""
    before = shop.get(f"/api/products/{product_id}")
    kept = ("name", "brand", "size", "category", "price")
    body = {name: before[name] for name in kept} | fields
    good(shop.http.put(f"/api/products/{product_id}", json=body))
    shop.settle()


@pytest.fixture(scope="module")
def sold(shop: Shop) -> Sold:
    """Three goods at three shops, by shop and category."""
    for number, retailer in enumerate(SHOPS):
        shop.upload(offers(retailer, f"{500 + number}.00"))
    shop.settle()
    found = shop.documents("products").items()
    return {(fields["retailer"], fields["category"]): pid for pid, fields in found}


def test_groups_are_listed_once_with_evidence_that_adds_up(shop: Shop, sold: Sold) -> None:
    groups = shop.get("/api/products/duplicates")["groups"]
    goods = {frozenset(sold[shop_name, category] for shop_name in SHOPS) for *_, category in GOODS}
    assert {frozenset(ids(group)) for group in groups} == goods
    for group in groups:
        assert group["confidence"] == max(pair["confidence"] for pair in group["pairs"])
        assert {tuple(sorted((p["a"], p["b"]))) for p in group["pairs"]} == set(
            combinations(sorted(ids(group)), 2)
        )
        for pair in group["pairs"]:
            total = 50 + sum(piece["weight"] for piece in pair["evidence"])
            assert pair["confidence"] == max(0, min(100, total))
            assert pair["decision"] is None
    paged: list[str] = []
    cursor: Json = {}
    while True:
        page = shop.get("/api/products/duplicates", limit=1, **cursor)
        paged += [group["id"] for group in page["groups"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == [group["id"] for group in groups]


def test_a_list_may_ask_for_a_shop_a_category_and_a_confidence(shop: Shop, sold: Sold) -> None:
    def found(**query: object) -> list[set[str]]:
        return [ids(group) for group in shop.get("/api/products/duplicates", **query)["groups"]]

    rice = {sold[name, "rice"] for name in SHOPS}
    assert found(category="rice") == found(category="rice", retailer="keells") == [rice]
    assert len(found(retailer="keells")) == len(GOODS)
    assert found(retailer="arpico") == found(category="rice", retailer="arpico") == []
    # Nothing is left out below the settings' own: that is not kept.
    lowest = shop.get("/api/products/duplicates")["threshold"]
    assert shop.get("/api/products/duplicates", threshold=0)["threshold"] == lowest < 60
    unsure(shop, rice, 60)
    assert len(found(threshold=0)) == len(found(threshold=60)) == len(GOODS)
    surer = shop.get("/api/products/duplicates", threshold=61)
    assert surer["threshold"] == 61
    assert rice not in map(ids, surer["groups"])
    assert len(surer["groups"]) == len(GOODS) - 1
    for wrong in ({"threshold": 101}, {"limit": 0}, {"unknown": 1}):
        answer = shop.http.get("/api/products/duplicates", params=wrong)
        assert answer.status_code == 422
    assert shop.http.get("/api/products/duplicates?cursor=abc").status_code == 400


def unsure(shop: Shop, products: set[str], confidence: int) -> None:
    """The pairs of these products as a matcher would keep them that is no surer than that."""
    for a, b in combinations(sorted(products), 2):
        pair = shop.database.document(f"match_pairs/{pairs.pair_id(a, b)}")
        pair.update({"confidence": confidence})
        for one, other in ((a, b), (b, a)):
            state = shop.database.document(f"match_states/{one}")
            state.update({f"partners.`{other}`": confidence, f"marks.`{other}`": "unsure"})


def test_a_decision_names_known_products(shop: Shop, sold: Sold) -> None:
    known = sold["keells", "rice"]
    for body, field in (
        ({"same": [known, "a" * 20]}, "same[1]"),
        ({"same": [known], "different": ["a" * 20]}, "different[0]"),
        ({"same": [known], "different": [known]}, "different[0]"),
        ({"same": [known]}, "same"),
        ({"same": []}, "same"),
    ):
        answer = shop.http.post("/api/products/duplicates/decide", json=body)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_full_rematch_goes_on_where_it_was_killed(shop: Shop, sold: Sold) -> None:
    before = shop.documents("match_pairs")
    assert before
    batch = shop.database.batch()
    for collection in ("match_pairs", "match_states", "match_keys"):
        for each in shop.database.collection(collection).list_documents():
            batch.delete(each)
    batch.commit()
    run = under_way(shop, blocks=1)
    # One at a time: whoever asks for another one is shown this.
    assert good(shop.http.post("/api/products/rematch", json={}))["rematch_id"] == run
    worker = shop.begin(REMATCH, run)
    for _ in range(2):
        worker.stdin.write("\n")
    worker.stdin.flush()
    for _ in range(3):
        assert worker.stdout.readline() == "paired\n"
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    told = progress(shop, run)
    assert (told["state"], told["products_done"], told["blocks_done"]) == ("running", 2, 0)
    for _ in range(2):
        assert shop.call_private("rematch_products", {"rematch_id": run, "block": 0}).is_success
    check_done(shop, run, sold, blocks=1)
    # Their evidence is as they were met: the first of two found nobody in the lists yet.
    assert shop.documents("match_pairs").keys() == before.keys()
    # Another one may begin now.
    answer = shop.http.post("/api/products/rematch", json={})
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    shop.settle()
    check_done(shop, answer.json()["rematch_id"], sold, blocks=1)


def test_a_rematch_that_stands_still_is_revived_by_the_sweep(shop: Shop, sold: Sold) -> None:
    run = under_way(shop, blocks=3)
    shop.run(SWEEP)
    shop.settle()
    check_done(shop, run, sold, blocks=3)


def test_a_product_that_cannot_be_matched_is_owed_and_ends_no_rematch(
    shop: Shop, sold: Sold
) -> None:
    shop.stack.control.disturb_events(drop=True)
    broken = shop.database.document("products/broken")
    fields = next(iter(shop.documents("products").values()))
    broken.set({name: value for name, value in fields.items() if name != "name"})
    run = under_way(shop, blocks=1)
    assert shop.call_private("rematch_products", {"rematch_id": run, "block": 0}).is_success
    told = progress(shop, run)
    assert (told["state"], told["failed"]) == ("completed", 1)
    assert (told["products_done"], told["pairs_found"]) == (len(sold) + 1, len(sold))
    assert shop.documents("outbox")["product-broken"]["version"] == fields["version"]
    broken.delete()
    shop.database.document("outbox/product-broken").delete()
    shop.stack.control.reset_events()


def test_a_rematch_that_is_given_up_is_in_the_audit_trail(shop: Shop) -> None:
    run = under_way(shop, blocks=1)
    shop.run(GIVE_UP, run)
    assert progress(shop, run)["state"] == "failed"
    entries = shop.documents("audit_logs").values()
    (entry,) = [each for each in entries if each["resource"] == f"rematches/{run}"]
    assert (entry["action"], entry["before"], entry["after"]) == (
        "products.rematch_failed",
        {"state": "running"},
        {"state": "failed"},
    )


def under_way(shop: Shop, blocks: int) -> str:
    """A run that somebody began, and of whose tasks nobody has heard since."""
    run = secrets.token_hex(10)
    then = datetime.now(UTC) - timedelta(hours=1)
    begun = {"state": "running", "model": "default", "blocks_total": blocks, "started_at": then}
    shop.database.document(f"rematches/{run}").set(begun)
    entry = {"kind": "rematch", "id": run, "version": 0, "at": then}
    shop.database.document("outbox/rematch-running").set(entry)
    return run


def progress(shop: Shop, rematch_id: str) -> Json:
    return shop.get(f"/api/products/rematches/{rematch_id}")


def check_done(shop: Shop, rematch_id: str, sold: Sold, blocks: int) -> None:
    told = progress(shop, rematch_id)
    assert (told["state"], told["blocks_done"]) == ("completed", blocks)
    assert (told["products_done"], told["pairs_found"]) == (len(sold), len(sold))
    assert told["finished_at"] is not None
    assert "rematch-running" not in shop.documents("outbox")


def test_what_is_decided_leaves_the_list_at_once_and_for_good(shop: Shop, sold: Sold) -> None:
    shop.stack.control.disturb_events(drop=True)
    a, b, c = (sold[name, "rice"] for name in SHOPS)
    listing = "/api/products/duplicates?category=rice"
    first, again = (shop.http.get(listing).headers["X-Cache"] for _ in range(2))
    assert (first, again) == ("MISS", "HIT")
    assert decide(shop, [a, b], [c]) == {"confirmed": 1, "refused": 2}
    assert shop.get("/api/products/duplicates", category="rice")["groups"] == []
    trail = shop.documents("audit_logs").values()
    assert [e["after"] for e in trail if e["action"] == "duplicates.decided"] == [
        {"same": [a, b], "different": [c], "overrule": False}
    ]
    # The same again is no further decision.
    assert decide(shop, [a, b], [c]) == {"confirmed": 1, "refused": 2}
    assert len(shop.documents("audit_logs")) == len(trail)
    shop.stack.control.reset_events()
    touch(shop, c, price=501)
    touch(shop, a, price=9999, name="Something Else Entirely")
    assert shop.get(f"/api/products/{c}/matches")["matches"] == []
    kept = shop.get(f"/api/products/{a}/matches")["matches"]
    assert [match["product"]["id"] for match in kept] == [b]
    assert kept[0]["confidence"] == 100 == 50 + sum(e["weight"] for e in kept[0]["evidence"])
    assert kept[0]["evidence"][-1]["field"] == "decision"
    # No earlier word is overruled unasked, whichever of those that are named it is about.
    for body in ({"same": [a, b, c]}, {"same": [a], "different": [b]}):
        refused = shop.http.post("/api/products/duplicates/decide", json=body)
        assert refused.status_code == 409
        assert a in refused.json()["detail"]
    # Whoever changes his mind is obeyed.
    overruling: Json = {"same": [a], "different": [b], "overrule": True}
    told = good(shop.http.post("/api/products/duplicates/decide", json=overruling))
    assert told == {"confirmed": 0, "refused": 1}
    touch(shop, b, price=777)
    assert shop.get(f"/api/products/{a}/matches")["matches"] == []
    decided = {
        frozenset(d["products"]): d["same"] for d in shop.documents("match_decisions").values()
    }
    assert decided == dict.fromkeys(map(frozenset, [(a, b), (a, c), (b, c)]), False)


def test_a_decision_that_is_taken_back_leaves_nothing(shop: Shop, sold: Sold) -> None:
    a, b, c = (sold[name, "biscuits"] for name in SHOPS)
    other = sold["keells", "milk"]
    before = shop.documents("match_pairs")
    decide(shop, [a, b], [c])
    body = {"pairs": [[b, a], [a, c], [b, c], [a, other]]}
    for each in (a, b, c):
        # Only a match of it notes the lists that it stands in again.
        shop.database.document(f"match_states/{each}").update({"keys": []})
    assert good(shop.http.post("/api/products/duplicates/reopen", json=body)) == {"reopened": 3}
    (group,) = shop.get("/api/products/duplicates", category="biscuits")["groups"]
    assert ids(group) == {a, b, c}
    assert [pair["decision"] for pair in group["pairs"]] == [None] * 3
    decided = [d["products"] for d in shop.documents("match_decisions").values()]
    assert {a, b, c}.isdisjoint(chain.from_iterable(decided))
    trail = [e for e in shop.documents("audit_logs").values() if "reopened" in e["action"]]
    assert sorted(trail[0]["before"].values()) == ["different", "different", "same"]
    shop.settle()
    # Their evidence may differ with the order in which they were matched.
    after = shop.documents("match_pairs")
    assert after.keys() == before.keys()
    assert [after[pairs.pair_id(*both)]["decision"] for both in ((a, b), (a, c), (b, c))] == [
        None
    ] * 3
    states = shop.documents("match_states")
    assert [states[each].get("decided") for each in (a, b, c)] == [{}] * 3
    assert all(states[each]["keys"] for each in (a, b, c))
    assert good(shop.http.post("/api/products/duplicates/reopen", json=body)) == {"reopened": 0}
    assert shop.http.post("/api/products/duplicates/reopen", json={"pairs": []}).status_code == 422


def test_one_retailers_offers_are_listed_on_strong_evidence_alone(shop: Shop) -> None:
    shop.clear()
    name, twins_name = GOODS[0][0], "Milk Powder Anchor Full Cream"
    ours = offers("keells", "500.00")[0]
    file = [ours, ours | {"name": f"{name} Pouch"}, ours | {"name": twins_name}]
    told = shop.preview(file)
    assert (told["new"], told["duplicates"]) == (2, 1)
    shop.confirm(told["upload_id"])
    other = ours | {"name": "Renamed Later", "brand": "", "size": "1kg"}
    shop.upload([ours | {"retailer": "cargills"}, other])
    shop.settle()
    found = {(f["retailer"], f["name"]): pid for pid, f in shop.documents("products").items()}
    mine, near, twin = (found["keells", each] for each in (name, f"{name} Pouch", other["name"]))
    theirs = found["cargills", name]
    touch(shop, twin, name=twins_name, brand=ours["brand"], size=ours["size"])
    known = shop.documents("match_pairs")
    assert pairs.pair_id(mine, twin) in known
    assert {pairs.pair_id(near, mine), pairs.pair_id(near, twin)}.isdisjoint(known)
    # A weak chain: what is as like to the near one as to ours, but less.
    weak = {"products": sorted((near, theirs)), "confidence": 70, "evidence": []}
    document = shop.database.document(f"match_pairs/{pairs.pair_id(near, theirs)}")
    document.set(weak | {"decision": None, "facets": [pairs.OPEN]})
    for one, partner in ((near, theirs), (theirs, near)):
        state = shop.database.document(f"match_states/{one}")
        state.set({"partners": {partner: 70}}, merge=True)
    groups = shop.get("/api/products/duplicates", limit=50)["groups"]
    assert [ids(group) for group in groups] == [{mine, twin, theirs}, {near, theirs}]


def test_a_hundred_decisions_are_one_commit(shop: Shop) -> None:
    shop.clear()
    shop.upload(row(number) for number in range(40))
    shop.settle()
    known = sorted(shop.documents("products"))
    told = decide(shop, known[:20], known[20:])
    assert told == {"confirmed": 190, "refused": 400}
    assert len(shop.documents("match_decisions")) == 590


def test_training_names_a_model_and_keeps_the_last_few(shop: Shop) -> None:
    shop.clear()
    shop.upload(row(number) for number in range(60))
    shop.settle()
    known = sorted(shop.documents("products"))
    decide(shop, known[:2], known[2:3])
    process = shop.begin(RETRAIN)
    output, _ = process.communicate("7\n", timeout=120)
    assert process.returncode == 0
    pointer = shop.documents("match_models")["current"]
    assert (pointer["offers"], pointer["decisions"]) == (60, 3)
    assert output.splitlines()[-1] == pointer["version"]
    trained = [e for e in shop.documents("audit_logs").values() if e["action"] == "matcher.trained"]
    # Each but the first names the one before it.
    former = [each["before"] for each in trained if each["before"]]
    assert len(former) == len(trained) - 1 == 6
    assert all(each in [e["after"] for e in trained] for each in former)
    kept = stored_models(shop)
    assert len(kept) == 5
    assert f"match-models/{pointer['version']}.bin" in kept
    assert shop.call_private("retrain_matcher").is_success
    newest = shop.documents("match_models")["current"]["version"]
    assert newest != pointer["version"]
    begun = good(shop.http.post("/api/products/rematch", json={}))
    assert begun["model"] == newest
    eventually(lambda: progress(shop, begun["rematch_id"])["state"] == "completed")


def test_what_was_refused_stays_so_by_a_new_model_and_a_full_rematch(shop: Shop) -> None:
    shop.clear()
    shop.upload(row(number) for number in range(60))
    for retailer in SHOPS:
        shop.upload(offers(retailer, "500.00")[:1])
    shop.settle()
    sold = {f["retailer"]: pid for pid, f in shop.documents("products").items() if f["size"]}
    a, b, c = (sold[retailer] for retailer in SHOPS)
    both, others = pairs.pair_id(a, b), {pairs.pair_id(a, c), pairs.pair_id(b, c)}
    assert {both, *others} == shop.documents("match_pairs").keys()
    decide(shop, [a], [b])
    assert shop.call_private("retrain_matcher").is_success
    model = shop.documents("match_models")["current"]["version"]
    # All pairs anew: what the other two are to each other is found again, by the new model.
    for each in others:
        shop.database.document(f"match_pairs/{each}").delete()
    for each in (a, b, c):
        shop.database.document(f"match_states/{each}").update({"partners": {}, "marks": {}})
    begun = good(shop.http.post("/api/products/rematch", json={}))
    assert begun["model"] == model
    eventually(lambda: progress(shop, begun["rematch_id"])["state"] == "completed")
    assert shop.documents("match_pairs").keys() == others
    # Each by itself: one group of three would bring the refused two together.
    groups = shop.get("/api/products/duplicates")["groups"]
    shown = [[pairs.pair_id(each["a"], each["b"]) for each in group["pairs"]] for group in groups]
    assert sorted(shown) == sorted([pair] for pair in others)
    assert shop.documents("match_states")[a]["decided"] == {b: False}
    assert not shop.documents("match_decisions")[both]["same"]


def stored_models(shop: Shop) -> list[str]:
    program = (
        "import json\nfrom shared.clients import storage\n"
        "print(json.dumps([e.name for p in storage.pages('match-models/', 50) for e in p]))"
    )
    names: list[str] = json.loads(shop.run(program))
    return names


def test_a_preview_keeps_what_it_looked_up_until_a_list_changes(shop: Shop) -> None:
    shop.clear()
    shop.upload([row(1)])
    shop.settle()
    name = " ".join(reversed(row(1)["name"].split()))
    similar = [row(1, name=name, retailer_sku="other")]

    def previewed() -> tuple[int, int]:
        answer = shop.http.post("/api/products/preview", json={"products": similar})
        return int(answer.headers[READS]), good(answer)["preview"]["duplicates"]

    previewed()  # An instance that is new to it reads the settings and the model's name as well.
    shop.redis("DEL", "matcher:generation")
    first, again = previewed(), previewed()
    assert first[0] > again[0]
    assert first[1] == again[1] == 1
    valkey = shop.stack.part("valkey")
    valkey.kill()
    assert previewed()[1] == first[1]
    valkey.start()
    eventually(lambda: shop.redis("PING") == "PONG", timeout_seconds=10)
    product_id = next(iter(shop.documents("products")))
    touch(shop, product_id, name="Nothing Like It", brand="Other")
    assert previewed()[1] == 0


@pytest.mark.parametrize("strangers", [0, POSTING_CAP])
def test_a_product_costs_the_same_to_match_however_full_the_lists_are(
    shop: Shop, strangers: int
) -> None:
    """Lists hold `POSTING_CAP` offers at most: full ones are those of any larger catalogue."""
    shop.clear()
    shop.stack.control.disturb_events(drop=True)
    shop.upload([row(1, retailer="keells")])
    product_id, fields = next(iter(shop.documents("products").items()))
    offer = offer_of(product_id, fields)
    fill(shop, offer, strangers)
    costs = []
    for _ in range(2):
        answer = shop.call_private("match_product", {"product_id": product_id})
        assert answer.is_success, answer.text
        costs.append(int(answer.headers[READS]))
    # Not before: tasks of the others would meet this in their lists, and what is repeated is read
    # again.
    shop.stack.control.reset_events()
    state = shop.documents("match_states")[product_id]
    # More where an instance still goes by the model that another test trained.
    assert len(state["partners"]) >= turns.MAX_OTHERS
    print(f"reads to match a product among full lists: {costs}")  # noqa: T201
    assert max(costs) <= MOST_READS
    # The library would run each transaction five times: the search's, the lists', the pairs'.
    hindered = [int(line) for line in shop.run(HINDERED, product_id).split()]
    print(f"reads where others hinder it from one step on: {hindered}")  # noqa: T201
    assert len(hindered) == 3
    assert costs[1] < max(hindered) <= allowances.MOST_READS <= MOST_READS


@pytest.fixture
def partnered(shop: Shop) -> Iterator[Partnered]:
    """A product with more partners than one turn judges; no event comes of what is written."""
    shop.clear()
    shop.stack.control.disturb_events(drop=True)
    shop.upload([row(1, retailer="keells")])
    product_id, fields = next(iter(shop.documents("products").items()))
    twins = fill(shop, offer_of(product_id, fields), 0)
    assert len(twins) > turns.MAX_OTHERS
    partner_of_all(shop, product_id, twins)
    yield product_id, fields, twins
    shop.stack.control.reset_events()


def test_no_pair_tells_of_what_a_product_was_however_many_partners_it_has(
    shop: Shop, partnered: Partnered
) -> None:
    product_id, fields, twins = partnered
    # Still the same, and no pair is as it was.
    rematch(shop, product_id, price=float(fields["price_minor"]) / 100 + 1)
    known = shop.documents("match_pairs")
    assert known.keys() == {pairs.pair_id(product_id, twin) for twin in twins}
    assert all(pair["evidence"] for pair in known.values())
    rematch(shop, product_id, name="Something Else Entirely", brand="", size="")
    assert shop.documents("match_pairs") == {}
    states = shop.documents("match_states")
    assert [states[each]["partners"] for each in (product_id, *twins)] == [{}] * (1 + len(twins))
    assert f"product-{product_id}" not in shop.documents("outbox")


def test_a_full_rematch_judges_those_whose_turn_a_debt_has_behind_it(
    shop: Shop, partnered: Partnered
) -> None:
    product_id, fields, twins = partnered
    owed = {"kind": "product", "id": product_id, "version": fields["version"]}
    debt = shop.database.document(f"outbox/product-{product_id}")
    debt.set(owed | {"at": datetime.now(UTC), "waiting": twins[:1]})
    shop.run(REMATCH_ONE, product_id)
    known = shop.documents("match_pairs")
    assert known.keys() == {pairs.pair_id(product_id, twin) for twin in twins}
    assert all(pair["evidence"] for pair in known.values())
    # What follows the write but is no match is owed still.
    assert shop.documents("outbox")[debt.id]["waiting"] == []
    debt.delete()


def rematch(shop: Shop, product_id: str, **fields: Any) -> None:
    """A write of the product, its task, and the tasks that this one asks for."""
    touch(shop, product_id, **fields)
    assert shop.call_private("match_product", {"product_id": product_id}).is_success
    shop.settle()


def partner_of_all(shop: Shop, product_id: str, others: list[str]) -> None:
    """As others' tasks leave a product that all of them match: with any number of partners."""
    batch = shop.database.batch()
    for other in others:
        pair = {"products": sorted((product_id, other)), "confidence": 91, "evidence": []}
        document = shop.database.document(f"match_pairs/{pairs.pair_id(product_id, other)}")
        batch.set(document, pair | {"decision": None, "facets": [pairs.OPEN]})
        for one, partner in ((product_id, other), (other, product_id)):
            state = shop.database.document(f"match_states/{one}")
            known = {"partners": {partner: 91}, "marks": {partner: "of before"}}
            batch.set(state, known, merge=True)
    batch.commit()


def offer_of(product_id: str, fields: Json) -> Offer:
    return postings.offer_of(from_document(product_id, fields))


def fill(shop: Shop, offer: Offer, strangers: int) -> list[str]:
    """Every posting list of the offer full with other shops' offers of the same, and strangers.

    The ids of the former; what follows a write of theirs is not done.
    """
    source = shop.documents("products")[offer.id]
    batch = shop.database.batch()
    twins = []
    for number in range(turns.MAX_OTHERS + 10):
        twin = f"{number:020x}"
        batch.set(
            shop.database.document(f"products/{twin}"), source | {"retailer": f"shop{number}"}
        )
        twins.append(offer_of(twin, source | {"retailer": f"shop{number}"}))
    for key in match_models.built(None).keys(offer):
        entries: Json = {}
        for twin_offer in twins:
            entries |= postings.added(twin_offer)["entries"]
        for number in range(min(strangers, POSTING_CAP - 1 - len(twins))):
            stranger = source | {"name": word(number), "retailer": f"far{number}"}
            entries |= postings.added(offer_of(f"f{number:019x}", stranger))["entries"]
        batch.set(shop.database.document(f"{postings.COLLECTION}/{key}"), {"entries": entries})
    batch.commit()
    return [each.id for each in twins]
