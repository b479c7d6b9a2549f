"""/api/crawler/schedules/<schedule_id>: change or remove a schedule."""

from shared.crawling.schedule_schemas import ScheduleContent, ScheduleView
from shared.edge import Request, endpoint

crawler_schedule = endpoint(
    __name__, "/api/crawler/schedules/{schedule_id}", service_account="crawler"
)


@crawler_schedule.put(
    role="admin", audit="crawl_schedule.updated", etag=True, if_match=True, raises=(409,)
)
def change(request: Request[ScheduleContent]) -> ScheduleView:
    """The changed schedule; raises NotFound (404), StaleVersion (412) or Invalid (422)."""
    from shared.crawling import schedules

    return schedules.change(
        request.path["schedule_id"], request.body, request.if_match, request.actor
    )


@crawler_schedule.delete(role="admin", audit="crawl_schedule.deleted", if_match=True, raises=(409,))
def remove(request: Request) -> None:
    """Removes it; raises NotFound (404) or StaleVersion (412). What runs already goes on."""
    from shared.crawling import schedules

    schedules.remove(request.path["schedule_id"], request.if_match, request.actor)
