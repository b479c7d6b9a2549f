"""What is said to Slack, and what its answers mean."""

import http.server
import threading
from collections.abc import Iterator

import msgspec
import pytest

from shared import config
from shared.clients import slack
from shared.errors import (
    DependencyError,
    DependencyRefused,
    DependencyUnavailable,
)

HOST = "127.0.0.1"


class Channel(http.server.BaseHTTPRequestHandler):
    status: int
    said: list[tuple[str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.said.append((self.headers["Content-Type"], msgspec.json.decode(body)["text"]))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Channel]]:
    handler = type("Handler", (Channel,), {"status": 200, "said": []})
    server = http.server.ThreadingHTTPServer((HOST, 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://{HOST}:{server.server_port}/services/x"
    configured(monkeypatch, SLACK_WEBHOOK_URL=address, FETCH_LOOPBACK="1")
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()
    config.settings.cache_clear()


def configured(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo-unit")
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{HOST}:1")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()


def test_a_text_is_said_as_json(channel: type[Channel]) -> None:
    assert slack.post("Rice fell: ₨ 100 → ₨ 90")
    assert channel.said == [("application/json", "Rice fell: ₨ 100 → ₨ 90")]


def test_nothing_is_said_where_there_is_no_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, SLACK_WEBHOOK_URL="off")
    assert slack.post("hello") is False
    config.settings.cache_clear()


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (302, DependencyRefused, False),
        (400, DependencyRefused, False),
        (403, DependencyRefused, False),
        (404, DependencyRefused, False),
        (410, DependencyRefused, False),
        (408, DependencyUnavailable, True),
        (429, DependencyUnavailable, True),
        (500, DependencyUnavailable, True),
        (503, DependencyUnavailable, True),
    ],
)
def test_an_answer_says_whether_to_try_again(
    channel: type[Channel],
    status: int,
    kind: type[DependencyError],
    retryable: bool,  # noqa: FBT001
) -> None:
    channel.status = status
    with pytest.raises(kind) as caught:
        slack.post("hello")
    assert caught.value.retryable is retryable
    assert "services" not in caught.value.detail
    assert len(channel.said) == 1


def test_an_address_inside_the_network_is_refused_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured(monkeypatch, SLACK_WEBHOOK_URL="https://10.0.0.1/services/x")
    with pytest.raises(DependencyRefused) as caught:
        slack.post("hello")
    assert "10.0.0.1" not in caught.value.detail
    config.settings.cache_clear()


def test_what_others_wrote_is_only_text() -> None:
    assert slack.escape("<!channel> & <https://x.example|you>") == (
        "&lt;!channel&gt; &amp; &lt;https://x.example|you&gt;"
    )


def test_too_long_a_text_ends_with_a_line(channel: type[Channel]) -> None:
    slack.post("\n".join(f"line {number}" for number in range(6000)))
    slack.post("x" * 50_000)
    (_, lines), (_, single) = channel.said
    assert lines.endswith("\n…")
    assert lines.splitlines()[-2].startswith("line ")
    assert len(lines) <= 40_000
    assert len(single) == slack.MOST_CHARACTERS + 2
