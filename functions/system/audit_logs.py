"""/api/audit/logs: who changed what."""

from shared.edge import Request, endpoint
from shared.system.schemas import AuditPage, AuditQuery

audit_logs = endpoint(__name__, "/api/audit/logs", service_account="audit")


@audit_logs.get(role="super_admin", raises=(400,))
def read_page(request: Request[None, AuditQuery]) -> AuditPage:
    """One page of the trail, newest first; raises BadRequest (400) for a foreign cursor."""
    from shared.system import trail

    return trail.read_page(request.query)
