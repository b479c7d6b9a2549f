"""Log lines: their fields, what is masked in them, and the file that rotates."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer

from shared import logs
from shared.config import read_settings
from shared.logs import MASK, JsonFormatter, masked

GOOD = {"FIREBASE_PROJECT_ID": "demo-unit", "SECRET_KEY": "x" * 32}
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
def _own_handlers() -> Iterator[None]:
    root = logging.getLogger("shared")
    before = (root.handlers, root.propagate, root.level)
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.propagate = before[0], before[1]
    root.setLevel(before[2])
    logs.set_up.cache_clear()


def line(message: str, *arguments: object, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord(
        "shared.edge.pipeline",
        logging.WARNING,
        "f.py",
        1,
        message,
        arguments,
        extra.pop("error", None),
    )
    record.__dict__.update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    told: dict[str, Any] = json.loads(text)
    return told


def test_a_line_has_the_fields_that_dashboards_know() -> None:
    token = logs.request_fields.set({"request_id": "r-1", "trace": "t-1", "function": "login"})
    try:
        told = line("It is %s", "done", context={"rows": 3}, risk="high")
    finally:
        logs.request_fields.reset(token)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "level": "WARNING",
        "severity": "WARNING",
        "service": "edge",
        "module": "shared.edge.pipeline",
        "message": "It is done",
        "request_id": "r-1",
        "trace": "t-1",
        "function": "login",
        "context": {"rows": 3},
        "risk": "high",
    }


@pytest.mark.parametrize("uid", ["u1", "a-much-longer-uid-that-is-worth-compressing" * 3])
def test_a_session_cookie_is_masked_wherever_it_stands(uid: str) -> None:
    cookie = URLSafeSerializer("x" * 40, salt="session").dumps(["sid-of-it", uid, 1900000000.0])
    told = line("Refused", context={"header": f"__session={cookie}; a=b", "note": cookie})
    assert cookie not in json.dumps(told)
    assert told["context"]["header"].endswith("; a=b")


def test_an_exception_is_one_masked_line() -> None:
    try:
        int(f"refused Bearer {TOKEN}")
    except ValueError as error:
        told = line("Failed", error=(type(error), error, error.__traceback__))
    assert "ValueError: invalid literal" in told["context"]["exception"]
    assert "eyJ" not in json.dumps(told)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "idToken",
        "csrfToken",
        "Authorization",
        "Set-Cookie",
        "api_key",
        "apiKey",
        "API-KEY",
        "private_key",
        "SECRET_KEY",
        "ticket",
    ],
)
def test_a_secret_is_known_by_its_name_at_any_depth(name: str) -> None:
    told = line("x", context={"list": [{"deep": {name: "hunter2"}}], name: ["hunter2"]})
    assert "hunter2" not in json.dumps(told)
    assert told["context"][name] == MASK


@pytest.mark.parametrize(
    "secret",
    [
        f"Bearer {TOKEN}",
        TOKEN,
        "gsk_abcdefgh12345678",
        "AIzaSyA1234567890abcdefghijklmnop",
        "AQ.Ab8RN6Jx-canary_0123456789abcdefghij",
        "csk-abcdefgh12345678",
        "sk-or-v1-abcdefgh12345678",
        "https://hooks.slack.com/services/T0/B0/XXXX",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    ],
)
def test_a_secret_is_known_by_its_shape_anywhere(secret: str) -> None:
    told = json.dumps(
        line("found %s here", secret, context={"text": f"a {secret} b", "n": [secret]})
    )
    assert secret not in told
    assert json.dumps(secret)[1:-1] not in told
    assert told.count(MASK) == 3


def test_what_is_no_secret_is_shown() -> None:
    kept = {"path": "/api/products", "n": 3, "ok": True, "none": None, "ratio": 0.5}
    assert masked(kept) == kept
    assert masked({"token": "", "password": None}) == {"token": "", "password": None}


def test_a_secret_in_an_odd_container_is_masked() -> None:
    assert "gsk_" not in str(masked({"seen": {"gsk_abcdefgh12345678"}}))


@pytest.mark.usefixtures("_own_handlers")
def test_the_log_file_rotates_and_keeps_five_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (logs.MAX_FILE_BYTES, logs.FILE_BACKUPS) == (10_000_000, 5)
    monkeypatch.setattr(logs, "MAX_FILE_BYTES", 10_000)
    path = tmp_path / "logs" / "app.log"
    logs.set_up(read_settings(GOOD | {"LOG_FILE": str(path)}))
    log = logging.getLogger("shared.edge.test")
    for number in range(24):
        log.info("%s %s", number, "x" * 3000)
    files = sorted(each.name for each in path.parent.iterdir())
    assert files == ["app.log", *[f"app.log.{number}" for number in range(1, 6)]]
    assert all(each.stat().st_size <= 10_000 for each in path.parent.iterdir())
    newest = path.read_text().splitlines()[-1]
    assert json.loads(newest)["message"].startswith("23 ")


@pytest.mark.usefixtures("_own_handlers")
def test_on_google_cloud_lines_go_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "app.log"
    logs.set_up(read_settings(GOOD | {"LOG_FILE": str(path), "K_SERVICE": "login"}))
    logging.getLogger("shared.edge.test").warning("hello")
    logging.getLogger("shared.edge.test").debug("quiet")
    assert not path.exists()
    (only,) = capsys.readouterr().out.splitlines()
    assert json.loads(only)["message"] == "hello"
