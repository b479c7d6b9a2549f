"""The test shop's recipe, so that a fresh cloud has something to crawl."""

from datetime import UTC, datetime
from typing import Any, Final

import httpx

from local.plan import PROJECT, Plan
from local.ports import HOST
from local.shop.truth import recipe
from shared.clock import rfc3339
from shared.crawling.retailers import COLLECTION

_OWNER: Final = {"Authorization": "Bearer owner"}
# A shop of this machine needs no sparing, but a crawl of it is to be watched.
_LIMITS: Final = {"delay_seconds": 0.1, "backoff_seconds": 0.1, "at_once": 8}


def introduce(plan: Plan) -> None:
    """Write the recipe for the shop where it is in this run; a later change of it is lost."""
    site = recipe(plan.shop_url, **_LIMITS)
    retailer, version = site.pop("retailer"), site.pop("version")
    fields = {"site": site, "version": version, "updated_at": datetime.now(UTC)}
    url = f"http://{HOST}:{plan.ports.firestore}/v1/projects/{PROJECT}/databases/(default)"
    httpx.patch(
        f"{url}/documents/{COLLECTION}/{retailer}",
        json={"fields": {name: _value(value) for name, value in fields.items()}},
        headers=_OWNER,
        trust_env=False,
    ).raise_for_status()


def _value(value: Any) -> dict[str, Any]:
    """A field as Firestore's REST interface writes it."""
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    if isinstance(value, dict):
        return {"mapValue": {"fields": {name: _value(each) for name, each in value.items()}}}
    if isinstance(value, datetime):
        return {"timestampValue": rfc3339(value)}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"integerValue": str(value)} if isinstance(value, int) else {"doubleValue": value}
