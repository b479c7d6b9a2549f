"""What goes in and out of a call, for LOG_LEVEL=DEBUG: shortened, with secrets masked."""

import logging
import re
from contextlib import suppress
from typing import Any, Final

import flask
import msgspec
from werkzeug.exceptions import HTTPException

from shared.edge.headers import Brotli
from shared.logs import MASK, masked

log = logging.getLogger(__name__)

SHOWN_CHARACTERS: Final = 2000
# To mask a body it must be read as what it is, which takes its time.
MOST_BYTES: Final = 256 * 1024
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
# Addresses that somebody's webhook answers at are as good as a password to it.
_PRIVATE_NAME: Final = re.compile(r"(?i)webhook")


def log_request(http: flask.Request, most_bytes: int) -> None:
    """One line: method, path, arguments and body."""
    context = {
        "method": http.method,
        "path": http.path,
        "arguments": without_persons(http.args.to_dict(flat=False)),
        "body": _asked(http, most_bytes),
    }
    log.debug("Request", extra={"context": context})


def log_answer(status: int, body: bytes, content_type: str | None) -> None:
    """One line: status and body."""
    if isinstance(body, Brotli):
        import brotli

        body = brotli.decompress(body)
    context = {"status": status, "body": shown(body, content_type or "")}
    log.debug("Answer", extra={"context": context})


def shown(body: bytes, content_type: str) -> str:
    """The beginning of a JSON body without its secrets; of any other body, type and size."""
    if not body:
        return ""
    told = f"{len(body)} bytes of {content_type or 'no type'}"
    if not content_type.partition(";")[0].endswith("json") or len(body) > MOST_BYTES:
        return told
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"{told}, which is none"
    # Masked whole and shortened then: half a secret has no shape that gives it away.
    text = msgspec.json.encode(without_persons(masked(content))).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({told})"


def without_persons(value: Any, name: str = "") -> Any:
    """`value` with secrets, e-mail addresses and private addresses of the web masked."""
    if _PRIVATE_NAME.search(name) and value:
        return MASK
    if isinstance(value, str):
        return _ADDRESS.sub(MASK, str(masked(value, name)))
    if isinstance(value, dict):
        return {key: without_persons(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [without_persons(each, name) for each in value]
    return value


def _asked(http: flask.Request, most_bytes: int) -> str:
    size = http.content_length
    if http.mimetype != "application/json" or (size or 0) > most_bytes:
        return f"{size} bytes of {http.mimetype}" if size else ""
    with suppress(HTTPException):
        return shown(http.get_data(cache=True), http.mimetype)
    return "more than may be sent"
