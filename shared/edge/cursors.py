"""Cursors: the position of the last row, signed and bound to the filter and the sort."""

import hashlib
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from shared.config import settings
from shared.errors import BadRequest


def write_cursor(position: list[Any], bound_to: str) -> str:
    """A cursor at `position` (JSON values) that fits the list described by `bound_to` only."""
    return str(_serializer().dumps([_digest(bound_to), position]))


def read_cursor(cursor: str, bound_to: str) -> list[Any]:
    """The position in a cursor; raises BadRequest for a forged or foreign one."""
    try:
        digest, position = _serializer().loads(cursor)
    except (BadSignature, ValueError, TypeError):
        raise BadRequest("The cursor is not valid.") from None
    if digest != _digest(bound_to) or not isinstance(position, list):
        raise BadRequest("The cursor belongs to another list.")
    return position


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt="cursor")


def _digest(bound_to: str) -> str:
    return hashlib.sha256(bound_to.encode()).hexdigest()[:16]
