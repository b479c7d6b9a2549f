"""Google's identity servers on loopback: reached through a proxy, under their own names, by TLS.

The code under test is not touched: it is told of the proxy and of a certificate authority by the
environment variables that every such client reads.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOSTS = ("www.googleapis.com", "identitytoolkit.googleapis.com", "oauth2.googleapis.com")


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def certificate(key: rsa.RSAPrivateKey, name: str, hosts: tuple[str, ...] = ()) -> str:
    """A self-signed certificate in PEM, as a server's own where hosts are named."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


class Google(ThreadingHTTPServer):
    """Answers as the three hosts; what it publishes and knows can be changed while it runs."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        key = new_key()
        self.bundle = folder / "authority.pem"
        self.bundle.write_text(certificate(key, "loopback", HOSTS))
        key_file = folder / "key.pem"
        key_file.write_text(private_pem(key))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.bundle, key_file)
        self.certificates: dict[str, str] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.away = False

    def environment(self) -> dict[str, str]:
        return {
            # In capitals only: gRPC would send the emulators' calls here as well.
            "HTTPS_PROXY": f"http://127.0.0.1:{self.server_port}",
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(self.bundle),
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Google

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        self.server.asked.append(host)
        reachable = host in HOSTS and not self.server.away
        self.send_response(200 if reachable else 502)
        self.end_headers()
        if not reachable:
            self.close_connection = True
            return
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        assert self.path.endswith("/securetoken@system.gserviceaccount.com")
        self._answer(self.server.certificates)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            self._answer({"access_token": "loopback", "expires_in": 3600, "token_type": "Bearer"})
            return
        assert self.path.endswith("/accounts:lookup")
        assert self.headers["Authorization"] == "Bearer loopback"
        known = [self.server.users.get(uid) for uid in json.loads(body)["localId"]]
        self._answer({"users": [user for user in known if user]})

    def _answer(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: what was asked is kept in `asked`."""


@contextmanager
def google(folder: Path) -> Iterator[Google]:
    with Google(folder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
