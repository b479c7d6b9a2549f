"""A mail server for this machine only: it takes every mail, sends none on and shows the last."""

import asyncio
from collections import deque
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.ports import HOST
from shared.clock import rfc3339, utc_now

_KEPT = 100


class MailSink:
    """Takes mails by SMTP and keeps the latest hundred."""

    def __init__(self) -> None:
        self._messages: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen on the loopback port."""
        loop = asyncio.get_running_loop()
        # UTF-8 as it comes; no name is looked up for the greeting.
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="localhost", enable_SMTPUTF8=True), HOST, port
        )

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        """Keeps one mail."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        mail = message_from_bytes(raw, policy=policy.default)
        body = mail.get_body(("plain", "html"))
        self._messages.appendleft(
            {
                "at": rfc3339(utc_now()),
                "from": envelope.mail_from,
                "to": list(envelope.rcpt_tos),
                "subject": str(mail["Subject"]),
                "text": body.get_content().replace("\r\n", "\n") if body is not None else "",
            }
        )
        return "250 Taken, and going nowhere"

    def page(self) -> dict[str, Any]:
        """What was taken, newest first."""
        return {"messages": list(self._messages)}
