"""Whether something on loopback answers."""

import http.client
import socket

from local.ports import HOST

_TIMEOUT_SECONDS = 2
_SERVER_ERRORS = 500


def answers_http(port: int, path: str = "/") -> bool:
    """Whether a GET of `path` is answered without a server error."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < _SERVER_ERRORS
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def answers_ping(port: int) -> bool:
    """Whether a Redis-like server answers PING."""
    try:
        with socket.create_connection((HOST, port), _TIMEOUT_SECONDS) as connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            connection.sendall(b"PING\r\n")
            return connection.recv(5) == b"+PONG"
    except OSError:
        return False


def answers_tcp(port: int) -> bool:
    """Whether something accepts connections."""
    try:
        socket.create_connection((HOST, port), _TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True
