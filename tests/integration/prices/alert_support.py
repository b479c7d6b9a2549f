"""What the tests of price alerts share."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.clock import epoch_micros
from shared.prices.alert_rules import pack, unpack
from tests.integration.products.support import Json, Shop, good

PATH = "/api/prices/alerts"


def make(shop: Shop, product_id: str | None, *, age_days: float = 0, **fields: Any) -> Json:
    """A new rule of a fall by 10 %, made so long ago."""
    body = {"name": "Falls", "product_id": product_id, "kind": "down", "percent": 10}
    body |= {"channel": "slack", "quiet_minutes": 0, **fields}
    sent = {name: value for name, value in body.items() if value is not None}
    alert = good(shop.http.post(PATH, json=sent))
    if age_days:
        _backdate(shop, alert["id"], datetime.now(UTC) - timedelta(days=age_days))
    return alert


def _backdate(shop: Shop, alert_id: str, moment: datetime) -> None:
    compiled = shop.database.document("price_alert_rules/all")
    rules = unpack((compiled.get().to_dict() or {})["rules"])
    changed = [
        msgspec.structs.replace(rule, created_micros=epoch_micros(moment))
        if rule.id == alert_id
        else rule
        for rule in rules
    ]
    compiled.set({"rules": pack(changed)})
    shop.database.document(f"price_alerts/{alert_id}").update({"created_at": moment})


def cost(shop: Shop, product_id: str, *prices: float, hours_ago: float = 10) -> None:
    """Uploads prices an hour apart, the first of them so long ago."""
    begin = datetime.now(UTC) - timedelta(hours=hours_ago)
    rows = [
        {
            "product_id": product_id,
            "price": price,
            "retailer": "keells",
            "source": "api",
            "timestamp": (begin + timedelta(hours=number)).isoformat(),
        }
        for number, price in enumerate(prices)
    ]
    told = good(shop.http.post("/api/prices/upload", json={"prices": rows}))
    assert told["stored"] == len(rows), told


def notifications(shop: Shop, alert_id: str) -> dict[str, Json]:
    """The notifications of one rule, by id."""
    found = shop.documents("notifications").items()
    return {key: fields for key, fields in found if fields["alert_id"] == alert_id}


def alert_of(shop: Shop, alert_id: str) -> Json:
    """The rule as the list shows it."""
    (found,) = (a for a in shop.get(PATH, limit=100)["alerts"] if a["id"] == alert_id)
    shown: Json = found
    return shown
