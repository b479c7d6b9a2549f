"""What the weekly report is made of: documents that others keep up to date, and capped counts.

The reads are bounded whatever the size of the catalogue: three documents, four counts that stop
at a thousand, and a thousand days of users at most.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.system.weekly_text import SHOWN_MOVERS, Count, Figures, Level, Mover

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference, Query

MOST: Final = 1000


def gather(monday: date) -> Figures:
    """The figures of the week that began on `monday`; raises a DependencyError."""
    from google.cloud.firestore import FieldFilter

    database = firestore.client()
    with firestore.errors_mapped():
        counted, prices = _statistics()
        requests = database.collection("product_requests")
        proposals = database.collection("proposals")
        return Figures(
            total=counted.get("total", 0),
            by_retailer=counted.get("by_retailer", {}),
            movers=_movers(prices),
            levels=[Level(**each) for each in prices.get("index", [])],
            covered_percent=_covered(prices),
            open_requests=count(requests.where(filter=FieldFilter("status", "==", "open"))),
            pending_proposals=count(proposals.where(filter=FieldFilter("status", "==", "pending"))),
            dead_letters=count(database.collection("dead_letters")),
            active_users=_active_users(monday),
        )


def count(query: "Query | CollectionReference") -> Count:
    """How many documents fit, up to a thousand: one read."""
    found = firestore.count(query.limit(MOST))
    return Count(found, is_minimum=found == MOST)


def _statistics() -> tuple[dict[str, Any], dict[str, Any]]:
    """The catalogue's counts and the dashboard of prices."""
    statistics = firestore.client().collection("statistics")
    names = ("products", "prices")
    found = {
        each.id: each.to_dict() or {}
        for each in firestore.client().get_all(
            [statistics.document(name) for name in names], **firestore.limits()
        )
    }
    figures = found["prices"].get("figures")
    return found["products"], msgspec.json.decode(figures) if figures else {}


def _movers(prices: dict[str, Any]) -> list[Mover]:
    known = prices.get("movers", {})
    movers = [
        Mover(each["name"], each["retailer"], each["change_percent"])
        for each in [*known.get("up", []), *known.get("down", [])]
    ]
    movers.sort(key=lambda each: (-abs(each.change_percent), each.name))
    return movers[:SHOWN_MOVERS]


def _covered(prices: dict[str, Any]) -> float | None:
    # The empty retailer stands for all.
    return next(
        (each["percent"] for each in prices.get("coverage", []) if not each["retailer"]), None
    )


def _active_users(monday: date) -> Count:
    from google.cloud.firestore import FieldFilter

    sunday = monday + timedelta(days=6)
    query = (
        firestore.client()
        .collection("user_activity")
        .where(filter=FieldFilter("day", ">=", monday.isoformat()))
        .where(filter=FieldFilter("day", "<=", sunday.isoformat()))
        .select(["uid"])
        .limit(MOST)
    )
    days = list(query.stream(**firestore.limits()))
    users = {each.get("uid") for each in days}
    return Count(len(users), is_minimum=len(days) == MOST)
