"""Mail: by SMTP or by an HTTP API, whichever is set up; without either it goes nowhere."""

import ssl
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from shared.config import settings
from shared.errors import DependencyFailed, DependencyUnavailable

if TYPE_CHECKING:
    from smtplib import SMTP

TIMEOUT_SECONDS: Final = 10.0
PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Mail(msgspec.Struct, frozen=True):
    """One mail in plain text to one address."""

    to: str
    subject: str
    text: str


def is_set_up() -> bool:
    """Whether mail goes anywhere."""
    configured = settings()
    return configured.smtp_url is not None or configured.mail_api_url is not None


def send(mail: Mail) -> bool:
    """Hands the mail over; False where none is set up. Raises a DependencyError."""
    configured = settings()
    if configured.smtp_url is not None:
        _by_smtp(urlsplit(configured.smtp_url), mail)
        return True
    if configured.mail_api_url is not None:
        _by_api(configured.mail_api_url, configured.mail_api_key, mail)
        return True
    return False


def _by_smtp(server: SplitResult, mail: Mail) -> None:
    import smtplib
    from email.utils import formatdate, make_msgid

    message = EmailMessage()
    message["From"] = settings().mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings().mail_from.rpartition("@")[2].rstrip(">"))
    message.set_content(mail.text)
    try:
        with _connected(server) as connection:
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(message)
    except smtplib.SMTPResponseException as error:
        raise DependencyFailed("The mail server refused the mail.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise DependencyUnavailable("The mail server cannot be reached.") from error


def _connected(server: SplitResult) -> "SMTP":
    import smtplib

    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    if server.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    if server.scheme == "smtp+starttls":
        connection.starttls(context=ssl.create_default_context())
    return connection


def _by_api(url: str, key: str, mail: Mail) -> None:
    import httpx

    body = {
        "from": settings().mail_from,
        "to": [mail.to],
        "subject": mail.subject,
        "text": mail.text,
    }
    try:
        answer = httpx.post(
            url, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS
        )
    except httpx.HTTPError as error:
        raise DependencyUnavailable("The mail service cannot be reached.") from error
    if not answer.is_success:
        raise DependencyFailed("The mail service refused the mail.")
