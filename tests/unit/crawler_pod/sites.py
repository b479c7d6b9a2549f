"""A small site on a free port of loopback, which notes what it was asked."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.ports import HOST


@contextmanager
def served(
    site: type[http.server.BaseHTTPRequestHandler],
) -> Iterator[http.server.ThreadingHTTPServer]:
    """A server whose handlers share one list `seen`."""
    handler = type("OneSite", (site,), {"seen": []})
    server = http.server.ThreadingHTTPServer((HOST, 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
