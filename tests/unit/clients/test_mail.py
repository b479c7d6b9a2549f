"""Mail: taken by a real SMTP server and by a service of the common form, or going nowhere."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.mail_sink import MailSink
from local.ports import HOST, Ports
from shared.clients import mail
from shared.clients.mail import Mail
from shared.config import settings
from shared.errors import DependencyFailed, DependencyUnavailable

LETTER = Mail(
    to="a@people.test", subject="Grüße", text="Hello ආයුබෝවන්\n.\nhttps://link.test/x?y=1\n"
)


@contextmanager
def configured(**variables: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        given = {"GOOGLE_CLOUD_PROJECT": "demo-unit", "SECRET_KEY": "x" * 32} | variables
        for name in ("SMTP_URL", "MAIL_API_URL", "MAIL_API_KEY", "MAIL_FROM", "K_SERVICE"):
            patch.delenv(name, raising=False)
        for name, value in given.items():
            patch.setenv(name, value)
        settings.cache_clear()
        try:
            yield
        finally:
            settings.cache_clear()


@pytest.fixture
def sink() -> Iterator[tuple[MailSink, int]]:
    port = Ports.free().mail
    taken = MailSink()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(taken.start(port), loop).result(10)
    yield taken, port
    asyncio.run_coroutine_threadsafe(taken.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_a_mail_arrives_as_it_was_written(sink: tuple[MailSink, int]) -> None:
    taken, port = sink
    with configured(SMTP_URL=f"smtp://{HOST}:{port}", MAIL_FROM="Shop <shop@demo.test>"):
        assert mail.is_set_up()
        assert mail.send(LETTER)
        assert mail.send(Mail(to="b@people.test", subject="Second", text="2"))
    second, first = taken.page()["messages"]
    assert second["subject"] == "Second"
    assert first | {"at": ""} == {
        "at": "",
        "from": "shop@demo.test",
        "to": [LETTER.to],
        "subject": LETTER.subject,
        "text": LETTER.text,
    }


def test_a_server_that_is_away_or_asks_for_more_is_a_failed_dependency(
    sink: tuple[MailSink, int],
) -> None:
    _, port = sink
    away = f"smtp://{HOST}:{Ports.free().mail}"
    # The sink offers neither TLS nor a login.
    for url in (away, f"smtp+starttls://{HOST}:{port}", f"smtp://me:pass@{HOST}:{port}"):
        with configured(SMTP_URL=url), pytest.raises(DependencyUnavailable):
            mail.send(LETTER)


def test_without_a_way_it_goes_nowhere_and_says_so() -> None:
    for variables in ({}, {"SMTP_URL": "off", "MAIL_API_KEY": "off"}):
        with configured(**variables):
            assert not mail.is_set_up()
            assert mail.send(LETTER) is False


class _Service(BaseHTTPRequestHandler):
    taken: list[tuple[str, Any]] = []  # noqa: RUF012 - one service for each test
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers["Authorization"], json.loads(body)))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing is to be said."""


@pytest.mark.parametrize("status", [200, 422])
def test_a_service_gets_the_mail_in_the_common_form(status: int) -> None:
    _Service.taken, _Service.status = [], status
    server = HTTPServer((HOST, 0), _Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://{HOST}:{server.server_port}/emails"
    try:
        with configured(MAIL_API_URL=url, MAIL_API_KEY="key", MAIL_FROM="shop@demo.test"):
            if status == 200:
                assert mail.send(LETTER)
            else:
                with pytest.raises(DependencyFailed):
                    mail.send(LETTER)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    told = {"from": "shop@demo.test", "to": [LETTER.to], "subject": LETTER.subject}
    assert _Service.taken == [("Bearer key", told | {"text": LETTER.text})]
