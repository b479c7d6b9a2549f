"""Task: carry a change of a user through."""

from shared.edge import Request, task
from shared.users.background_schemas import SettleUser


@task(__name__, queue="users", memory_mb=512, service_account="users")
def settle_user(request: Request[SettleUser]) -> None:
    """Ends sessions, mirrors the profile in the account; erases what is left of who was removed."""
    from shared.users import settling

    settling.settle(request.body.uid)
