"""Representative requests of alerts, approvals, merges and users."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from local.accounts import SUPER_ADMIN
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import Maker, get, json_bytes, post, product, rows, task


def _alert(cloud: Cloud) -> str:
    rule = {"name": "Benched", "product_id": product(cloud), "kind": "down", "percent": 10}
    told = cloud.send(post(cloud, "/api/prices/alerts", {**rule, "channel": "slack"}))
    return str(told.json()["id"])


def _remove_alert(cloud: Cloud) -> Call:
    return Call("DELETE", f"/api/prices/alerts/{_alert(cloud)}", headers=cloud.user())


def _notification(cloud: Cloud, *, due: bool) -> str:
    """A crossing that is to be told in Slack: its id."""
    now, crossing_id = datetime.now(UTC), secrets.token_hex(10)
    prices = {"currency": "LKR", "price_minor": 9_000, "before_minor": 10_000}
    state = {"due": "slack", "status": "due"} if due else {"due": None, "status": "queued"}
    fields = {
        "alert_id": _alert(cloud),
        "product_id": product(cloud),
        "product": "Benched",
        "retailer": "keells",
        "at": now,
        "channel": "slack",
        "created_at": now,
        "expires_at": now + timedelta(days=1),
    }
    cloud.database.document(f"notifications/{crossing_id}").set(fields | prices | state)
    return crossing_id


def _gather(cloud: Cloud) -> Call:
    _notification(cloud, due=True)
    return task(cloud, {"channel": "slack"})


def _send(cloud: Cloud) -> Call:
    return task(cloud, {"ids": [_notification(cloud, due=False)]})


def _offers() -> dict[str, Any]:
    return {"offers": rows(), "source": "bench"}


def _proposed(cloud: Cloud, count: int) -> list[str]:
    cloud.run_private("propose_products", {"offers": rows(count), "source": "bench"})
    waiting = cloud.send(Call("GET", "/api/products/pending", f"limit={count}", cloud.user()))
    return [each["id"] for each in waiting.json()["pending"]]


def _decide(verb: str, body: dict[str, Any]) -> Maker:
    def make(cloud: Cloud) -> Call:
        (product_id,) = _proposed(cloud, 1)
        return post(cloud, f"/api/products/pending/{product_id}/{verb}", body)

    return make


def _decide_all(verb: str, body: dict[str, Any]) -> Maker:
    def make(cloud: Cloud) -> Call:
        ids = _proposed(cloud, 3)
        return post(cloud, f"/api/products/pending/{verb}", {"ids": ids, **body})

    return make


def _invitation(cloud: Cloud) -> Call:
    body = {"email": f"bench-{secrets.token_hex(4)}@shopple.test", "role": "admin"}
    headers = cloud.user(SUPER_ADMIN) | {"Content-Type": "application/json"}
    return Call("POST", "/api/admin/create-user", headers=headers, body=json_bytes(body))


def _invited(cloud: Cloud) -> str:
    return str(cloud.send(_invitation(cloud)).json()["uid"])


def _of_user(call: Callable[[Cloud, str], Call]) -> Maker:
    return lambda cloud: call(cloud, _invited(cloud))


def _shown(cloud: Cloud, path: str) -> Call:
    return Call("GET", path, headers=cloud.user(SUPER_ADMIN))


@cache
def _pair(cloud: Cloud) -> dict[str, Any]:
    """Two offers that nothing else is measured by, as a merge names them."""
    primary, duplicate = cloud.product_ids()[-2:]
    return {"primary_id": primary, "duplicate_ids": [duplicate]}


def _group(cloud: Cloud) -> str:
    return str(cloud.send(post(cloud, "/api/products/merge", _pair(cloud))).json()["group_id"])


def _merge(cloud: Cloud) -> Call:
    cloud.send(_unmerge(cloud))
    return post(cloud, "/api/products/merge", _pair(cloud))


def _unmerge(cloud: Cloud) -> Call:
    return post(cloud, "/api/products/unmerge", {"group_id": _group(cloud)})


CALLS: Final[dict[str, Maker]] = {
    "create_user": _invitation,
    "gather_notifications": _gather,
    "mail_invitation": _of_user(lambda cloud, uid: task(cloud, {"uid": uid})),
    "pending_approve": _decide("approve", {}),
    "pending_approve_all": _decide_all("approve", {}),
    "pending_products": get("/api/products/pending"),
    "pending_reject": _decide("reject", {"reason": "Benched"}),
    "pending_reject_all": _decide_all("reject", {"reason": "Benched"}),
    "price_alert": _remove_alert,
    "price_alerts": get("/api/prices/alerts"),
    "product_group": lambda cloud: get(f"/api/products/groups/{_group(cloud)}")(cloud),
    "products_merge": _merge,
    "products_unmerge": _unmerge,
    "propose_products": lambda cloud: task(cloud, _offers()),
    "send_notifications": _send,
    "settle_user": _of_user(lambda cloud, uid: task(cloud, {"uid": uid})),
    "user": _of_user(lambda cloud, uid: _shown(cloud, f"/api/admin/users/{uid}")),
    "user_data": _of_user(lambda cloud, uid: _shown(cloud, f"/api/admin/users/{uid}/data")),
    "users": lambda cloud: _shown(cloud, "/api/admin/users"),
}
