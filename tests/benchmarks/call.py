"""A request as it crosses from the benchmark to the process that serves it."""

import base64
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `signature` is functions-framework's word for how the function takes it.

    `until` is what the answer must hold once its last byte is there; without it the first will do.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    signature: str = "http"
    until: str = ""

    def packed(self) -> dict[str, Any]:
        """The call as JSON can carry it."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"body": base64.b64encode(self.body).decode()}

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> "Call":
        """The call that was packed."""
        return cls(**packed | {"body": base64.b64decode(packed["body"])})
