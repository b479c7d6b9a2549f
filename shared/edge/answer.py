"""What a handler may return when the body alone does not say it all."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Answer(msgspec.Struct, Generic[T]):
    """A body with another status, cookies or headers than the declaration's first ones."""

    body: T
    status: int = 200
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    set_cookie: str | None = None


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(body: object) -> bytes:
    """`body` as JSON; bytes and text pass as they are, decimals become exact numbers."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return _encoder.encode(body)
