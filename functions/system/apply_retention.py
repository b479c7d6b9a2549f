"""Schedule: remove what is as old as the settings say, once a night."""

import msgspec

from shared.edge import Request, schedule


@schedule(__name__)
def apply_retention(request: Request) -> None:
    """Removes sessions, audit entries and results that are kept no longer."""
    from shared.system import retention

    retention.apply(msgspec.structs.replace(request.actor, action="retention.applied"))
