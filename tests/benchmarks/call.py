"""A request as it crosses from the benchmark to the process that serves it."""

import base64
import io
import sys
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `signature` is functions-framework's word for how the function takes it."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    signature: str = "http"

    def packed(self) -> dict[str, Any]:
        """The call as JSON can carry it."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"body": base64.b64encode(self.body).decode()}

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> "Call":
        """The call that was packed."""
        return cls(**packed | {"body": base64.b64decode(packed["body"])})

    def environ(self) -> dict[str, Any]:
        """The call as a WSGI server hands it on; werkzeug's own builder would cost a start."""
        headers = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in self.headers.items()}
        content_type = headers.pop("HTTP_CONTENT_TYPE", "")
        return headers | {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(self.body)),
            "HTTP_HOST": "127.0.0.1:8080",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
