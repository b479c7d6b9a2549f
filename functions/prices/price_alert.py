"""/api/prices/alerts/<alert_id>: remove a rule on prices."""

from shared.edge import Request, endpoint

price_alert = endpoint(__name__, "/api/prices/alerts/{alert_id}")


@price_alert.delete(role="admin", audit="price_alert.deleted", if_match=True, raises=(409,))
def remove(request: Request) -> None:
    """Removes it, and what it has not told yet; raises NotFound (404), StaleVersion (412)."""
    from shared.prices import alerts

    alerts.remove(request.path["alert_id"], request.if_match, request.actor)
