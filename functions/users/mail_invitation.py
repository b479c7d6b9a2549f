"""Task: mail the link to a password to whoever was given access."""

from shared.edge import Request, task
from shared.users.background_schemas import MailInvitation


def _give_up(request: Request[MailInvitation]) -> None:
    from shared.users import inviting

    inviting.stop_waiting(request.body.uid)


@task(
    __name__,
    queue="notifications",
    memory_mb=512,
    service_account="users",
    secrets=("SMTP_URL", "MAIL_API_KEY"),
    given_up=_give_up,
)
def mail_invitation(request: Request[MailInvitation]) -> None:
    """Makes the link and mails it, unless the user was removed meanwhile."""
    from shared.users import inviting

    inviting.send(request.body.uid)
