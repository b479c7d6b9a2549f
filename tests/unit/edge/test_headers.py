"""Compression by what the client takes, and CORS for one origin."""

import gzip

import brotli
import pytest

from shared.edge import headers
from tests.unit.edge.conftest import Configure

LARGE = b'{"name": "value"}' * 100


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("br; q=0.0, gzip ;q=1", "gzip"),
        ("br;q=0, gzip; q = 0", None),
        ("br;q=0.000", None),
        ("deflate, zstd", None),
        ("", None),
        ("identity", None),
        ("xbr", None),
    ],
)
def test_the_best_encoding_that_is_taken(accepted: str, encoding: str | None) -> None:
    body, named = headers.compressed(LARGE, accepted)
    assert named == encoding
    opened = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding](body)
    assert opened == LARGE
    assert (len(body) < len(LARGE)) == (encoding is not None)


def test_a_small_body_is_sent_as_it_is() -> None:
    assert headers.compressed(b"x" * 1024, "br, gzip") == (b"x" * 1024, None)
    assert headers.compressed(b"x" * 1025, "br, gzip")[1] == "br"


def test_only_the_frontend_may_read_answers(configure: Configure) -> None:
    configure(FRONTEND_ORIGIN="https://admin.example/")
    allowed = headers.cors("https://admin.example")
    assert allowed["Access-Control-Allow-Origin"] == "https://admin.example"
    assert allowed["Access-Control-Allow-Credentials"] == "true"
    others = (None, "", "null", "*", "https://admin.example.evil", "http://admin.example")
    for origin in others:
        assert headers.cors(origin) == {}
        assert headers.preflight(origin, ["GET"]) == {}


def test_a_preflight_names_every_header_that_a_call_may_need(configure: Configure) -> None:
    configure(FRONTEND_ORIGIN="https://admin.example")
    answer = headers.preflight("https://admin.example", ["GET", "PUT"])
    assert answer["Access-Control-Allow-Methods"] == "GET, PUT"
    named = {each.strip().lower() for each in answer["Access-Control-Allow-Headers"].split(",")}
    assert named >= {"content-type", "x-csrf-token", "idempotency-key", "if-match"}
    # A ticket travels as Bearer to a function's own host, which is another origin.
    assert "authorization" in named
