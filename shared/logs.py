"""JSON log lines with the fields that the dashboards know, and secrets masked."""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from shared.config import Settings

MAX_FILE_BYTES: Final = 10_000_000
FILE_BACKUPS: Final = 5

# Set by the edge for the request at hand: request id, trace, function.
request_fields: ContextVar[dict[str, str] | None] = ContextVar("request_fields", default=None)

_SECRET_NAME = re.compile(
    r"(?i)(password|passwd|secret|token|authorization|cookie|api[_-]?key|private[_-]?key|ticket"
    r"|webhook[_-]?url|^key$)"
)
_SECRET_TEXT = re.compile(
    r"(?i)(bearer\s+[\w.~+/=-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*|gsk_\w{8,}|AIza[\w-]{20,}"
    # Google's newer keys.
    r"|(?-i:\bAQ\.)[\w-]{20,}"
    # A session cookie of ours: a compressed or plain list, and its signature.
    r"|(?:\.eJ|WyJ)[\w-]{16,}\.[\w-]{20,}"
    r"|csk-[\w-]{8,}|sk-[\w-]{8,}|https://hooks\.slack\.com/\S+"
    r"|-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----)"
)
MASK: Final = "***"


def masked(value: Any, name: str = "") -> Any:
    """`value` without what a name or a shape gives away as a secret."""
    if _SECRET_NAME.search(name) and value not in (None, "", 0, False):
        return MASK
    if isinstance(value, str):
        return _SECRET_TEXT.sub(MASK, value)
    if isinstance(value, dict):
        return {str(key): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [masked(item) for item in value]
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    return _SECRET_TEXT.sub(MASK, str(value))


class JsonFormatter(logging.Formatter):
    """One record as one JSON line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with the original's fields and Cloud Logging's own."""
        line: dict[str, Any] = {
            "timestamp": _timestamp(record.created),
            "level": record.levelname,
            "severity": record.levelname,
            "service": _service(record.name),
            "module": record.name,
            "message": masked(record.getMessage()),
            **(request_fields.get() or {}),
        }
        context = masked(getattr(record, "context", None) or {})
        if record.exc_info:
            context["exception"] = masked(self.formatException(record.exc_info))
        if context:
            line["context"] = context
        if risk := getattr(record, "risk", None):
            line["risk"] = risk
        return json.dumps(line, ensure_ascii=False, default=str)


def _timestamp(epoch_seconds: float) -> str:
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _service(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "shared" and len(parts) > 1 else parts[0]


@cache
def set_up(configured: Settings) -> None:
    """Sends our log lines where the settings say: standard output, or a rotating file."""
    handler: logging.Handler = logging.StreamHandler(sys.stdout)
    if configured.log_file and not configured.on_google_cloud:
        handler = _rotating(configured.log_file)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger("shared")
    root.handlers = [handler]
    root.propagate = False
    root.setLevel(configured.log_level)


def _rotating(path: str) -> logging.Handler:
    from logging.handlers import RotatingFileHandler
    from pathlib import Path

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(path, maxBytes=MAX_FILE_BYTES, backupCount=FILE_BACKUPS)
