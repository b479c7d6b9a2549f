"""What a method takes from the wire: body, query, If-Match and idempotency key."""

from contextlib import suppress
from io import BytesIO
from typing import Any, Final

import flask
from werkzeug.exceptions import HTTPException

from shared.edge import validation
from shared.edge.declaration import Method
from shared.edge.idempotency import HEADER, Key
from shared.edge.request import Actor, Form, UploadedFile
from shared.errors import StaleVersion, TooLarge, UnsupportedMediaType

MAX_FORM_PARTS = 20
_PIECE_BYTES: Final = 64 * 1024


def read_away(http: flask.Request) -> None:
    """Reads what is left of the body, a piece at a time.

    functions-framework does so after each answer, but whole and under the limit that the body
    was refused for: that takes memory, and makes a 500 of the 413.
    """
    http.max_content_length = None
    chunked = http.headers.get("Transfer-Encoding") == "chunked"
    # A client that hangs up ends the reading too.
    with suppress(HTTPException, OSError):
        rest = http.input_stream if chunked else http.stream
        while rest.read(_PIECE_BYTES):
            pass
    http.stream = BytesIO()


def body(method: Method, http: flask.Request) -> Any:
    """The validated body, a Form for multipart, None where the method takes none."""
    if (http.content_length or 0) > method.max_body_bytes:
        raise TooLarge(f"The limit is {method.max_body_bytes} bytes.")
    if method.body is None:
        return None
    if http.content_length is None and len(http.get_data(cache=True)) > method.max_body_bytes:
        raise TooLarge(f"The limit is {method.max_body_bytes} bytes.")
    if http.mimetype == "multipart/form-data" and method.multipart:
        return _form(http)
    if http.mimetype != "application/json" or method.body is Form:
        raise UnsupportedMediaType(f"Send {' or '.join(_types(method))}.")
    return validation.to_type(validation.read_json(http.get_data(cache=True)), method.body)


def query(method: Method, http: flask.Request) -> Any:
    """The validated query arguments."""
    if method.role == "internal":
        return None
    arguments = http.args.to_dict(flat=False)
    if method.query is None:
        validation.no_query(arguments)
        return None
    return validation.to_query(arguments, method.query)


def if_match(method: Method, http: flask.Request) -> int | None:
    """The version that `If-Match` names; raises StaleVersion for what can be none of ours."""
    given = http.headers.get("If-Match", "").strip()
    if not method.if_match or given in ("", "*"):
        return None
    tag = given.removeprefix("W/").strip('"')
    if not tag.isascii() or not tag.isdecimal():
        raise StaleVersion("If-Match names no version of this resource.")
    return int(tag)


def retries(method: Method, http: flask.Request) -> int:
    """How many attempts of Cloud Tasks came before this one."""
    given = http.headers.get("X-CloudTasks-TaskRetryCount", "")
    return int(given) if method.role == "internal" and given.isdecimal() else 0


def idempotency_key(method: Method, http: flask.Request, actor: Actor) -> Key | None:
    """The call's idempotency key, where it carries one and the method takes one."""
    given = http.headers.get(HEADER)
    if given is None or not method.idempotency_key:
        return None
    content = http.get_data(cache=True) if http.mimetype != "multipart/form-data" else _parts(http)
    return Key(given, actor.uid or actor.address, http.path, content)


def _form(http: flask.Request) -> Form:
    http.max_form_parts = MAX_FORM_PARTS
    files = {
        name: UploadedFile(file.filename or "", file.read()) for name, file in http.files.items()
    }
    for file in http.files.values():
        file.seek(0)
    fields = {
        name: validation.normalised(value, name) for name, value in http.form.items(multi=False)
    }
    return Form(fields, files)


def _parts(http: flask.Request) -> bytes:
    parts = [f"{name}={value}".encode() for name, value in sorted(http.form.items())]
    for name, file in sorted(http.files.items()):
        parts.append(f"{name}:{file.filename}".encode() + file.read())
        file.seek(0)
    return b"\n".join(parts)


def _types(method: Method) -> list[str]:
    json = [] if method.body is Form else ["application/json"]
    return [*json, *(["multipart/form-data"] if method.multipart else [])]
