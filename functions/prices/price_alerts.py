"""/api/prices/alerts: the rules on prices, and a new one."""

from shared.edge import Request, endpoint
from shared.prices.alert_schemas import AlertPage, ListAlerts, NewAlert, NewAlertView

price_alerts = endpoint(__name__, "/api/prices/alerts")


@price_alerts.get(role="admin", raises=(400,))
def read_page(request: Request[None, ListAlerts]) -> AlertPage:
    """One page, newest first; raises BadRequest (400) for a foreign cursor."""
    from shared.prices import alerts

    return alerts.read_page(request.query)


@price_alerts.post(
    role="admin", audit="price_alert.created", answers={201: NewAlertView}, etag=True, raises=(409,)
)
def create(request: Request[NewAlert]) -> NewAlertView:
    """The new rule; raises Invalid (422), or Conflict (409) where there are 500 already."""
    from shared.prices import alerts

    return alerts.create(request.body, request.actor)
