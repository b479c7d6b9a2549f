"""Links to stored results: signed by IAM, for one object and a quarter of an hour.

Storage's own check is played by the rules that Google publishes for V4 signatures.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client, _signing

from shared.clients import storage
from shared.crawling.ingestion import results
from shared.crawling.ingestion.models import Ingestion

ACCOUNT = "shopple-crawler@project.iam.gserviceaccount.com"
BUCKET, HOST = "the-bucket", "storage.googleapis.com"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROWS = "crawls/a-job/000000000001/rows-1.ndjson.gz"
Check = Callable[[str, datetime], str]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey) -> Check:
    """What Storage says to a link at a moment; the function's account signs by `key`."""

    def sign(message: Any, access_token: str, email: str, *_: Any) -> str:
        assert (access_token, email) == ("a-token", ACCOUNT)
        blob = message.encode() if isinstance(message, str) else message
        return base64.b64encode(key.sign(blob, padding.PKCS1v15(), hashes.SHA256())).decode()

    account = SimpleNamespace(valid=True, token="a-token", service_account_email=ACCOUNT)
    client = Client(project="project", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    monkeypatch.setattr(_signing, "_sign_message", sign)
    monkeypatch.setattr(_signing, "_NOW", lambda _: NOW)
    monkeypatch.setattr(storage, "settings", lambda: SimpleNamespace(storage_emulator=None))
    monkeypatch.setattr(storage, "bucket", lambda: client.bucket(BUCKET))
    monkeypatch.setattr(storage, "_credentials", lambda: account)
    return lambda url, at: answered(url, at, key)


def answered(url: str, at: datetime, key: rsa.RSAPrivateKey) -> str:
    parts, query = urlsplit(url), dict(parse_qsl(urlsplit(url).query))
    signature = bytes.fromhex(query.pop("X-Goog-Signature"))
    day = query["X-Goog-Date"][:8]
    scope = f"{day}/auto/storage/goog4_request"
    if query["X-Goog-Credential"] != f"{ACCOUNT}/{scope}" or parts.hostname != HOST:
        return "AccessDenied"
    canonical = "&".join(
        f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sorted(query.items())
    )
    asked = ["GET", parts.path, canonical, f"host:{HOST}", "", "host", "UNSIGNED-PAYLOAD"]
    digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()
    signed = "\n".join(["GOOG4-RSA-SHA256", query["X-Goog-Date"], scope, digest])
    try:
        key.public_key().verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return "SignatureDoesNotMatch"
    begun = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%S%z")
    lasting = timedelta(seconds=int(query["X-Goog-Expires"]))
    return "OK" if begun <= at < begun + lasting else "ExpiredToken"


def link_of_rows() -> str:
    known = Ingestion(
        id="a-job",
        retailer="corner",
        category="tea",
        job_status="completed",
        seen_at=NOW,
        finished_at=NOW,
        object=ROWS,
        rows=1,
    )
    link = results._link(known)
    assert link is not None
    return link


def test_a_link_to_a_result_refuses_once_its_quarter_of_an_hour_is_over(check: Check) -> None:
    link = link_of_rows()
    assert check(link, NOW) == "OK"
    assert check(link, NOW + timedelta(minutes=15, seconds=-1)) == "OK"
    assert check(link, NOW + timedelta(minutes=15)) == "ExpiredToken"
    assert timedelta(minutes=15) == results.LINK_LIFETIME


@pytest.mark.parametrize(
    ("signed", "tampered"),
    [
        ("X-Goog-Expires=900", "X-Goog-Expires=604800"),
        ("X-Goog-Date=20260301T120000Z", "X-Goog-Date=20260301T235900Z"),
        ("crawls/a-job", "crawls/b-job"),
        ("a-job.ndjson.gz", "b-job.ndjson.gz"),
    ],
)
def test_nobody_makes_a_link_last_longer_or_lead_elsewhere(
    check: Check, signed: str, tampered: str
) -> None:
    link = link_of_rows()
    assert signed in link
    assert check(link.replace(signed, tampered), NOW) == "SignatureDoesNotMatch"
