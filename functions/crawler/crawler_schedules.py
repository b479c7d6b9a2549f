"""/api/crawler/schedules: when what is crawled, and a new schedule."""

from shared.crawling.schedule_schemas import (
    ListSchedules,
    ScheduleContent,
    SchedulePage,
    ScheduleView,
)
from shared.edge import Request, endpoint

crawler_schedules = endpoint(__name__, "/api/crawler/schedules", service_account="crawler")


@crawler_schedules.get(role="admin", raises=(400,))
def read_page(request: Request[None, ListSchedules]) -> SchedulePage:
    """One page, newest first; raises BadRequest (400) for a foreign cursor."""
    from shared.crawling import schedules

    return schedules.read_page(request.query)


@crawler_schedules.post(
    role="admin",
    audit="crawl_schedule.created",
    answers={201: ScheduleView},
    etag=True,
    raises=(409,),
)
def create(request: Request[ScheduleContent]) -> ScheduleView:
    """The new schedule; raises Invalid (422), or Conflict (409) where there are 200 already."""
    from shared.crawling import schedules

    return schedules.create(request.body, request.actor)
