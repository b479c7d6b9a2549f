"""Bodies that are too large, of the wrong type, or made to harm: over real connections."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.stack import Stack
from local.tls import TLS
from shared.edge.declaration import JSON_BODY_BYTES, LARGE_BODY_BYTES
from tests.integration.edge.instance import served
from tests.sessions import SignedIn, log_in, new_client

JSON = {"Content-Type": "application/json"}
LOGIN = "/api/admin/login"
PREVIEW = "/api/products/preview"


@pytest.fixture(scope="module")
def signed_in(stack: Stack) -> SignedIn:
    return log_in(stack)


@pytest.fixture
def http(stack: Stack, signed_in: SignedIn) -> Iterator[httpx.Client]:
    with new_client(stack, signed_in) as client:
        yield client


@pytest.fixture
def direct(stack: Stack, signed_in: SignedIn) -> Iterator[httpx.Client]:
    """At the functions themselves: the gateway buffers, so nothing is chunked behind it."""
    headers = {"Cookie": f"__session={signed_in.cookie}", "X-CSRF-Token": signed_in.csrf}
    with httpx.Client(
        base_url=stack.plan.functions_url, headers=headers, timeout=60, trust_env=False
    ) as client:
        yield client


def padded(size: int) -> bytes:
    """JSON of exactly this size, with a field that nobody knows."""
    frame = b'{"unknown": ""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("function", "limit"),
    [(f"login{LOGIN}", JSON_BODY_BYTES), (f"products_preview{PREVIEW}", LARGE_BODY_BYTES)],
)
def test_a_body_may_be_as_large_as_its_limit_and_no_larger(
    direct: httpx.Client, function: str, limit: int, *, chunked: bool
) -> None:
    for size, status in ((limit, 422), (limit + 1, 413), (limit * 2, 413), (100, 422)):
        body = padded(size)
        answer = direct.post(
            f"/{function}", content=pieces(body) if chunked else body, headers=JSON
        )
        assert answer.status_code == status, (size, answer.text[:300])
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "X-RateLimit-Limit" in answer.headers


def test_the_gateway_passes_the_refusal_on(http: httpx.Client) -> None:
    answer = http.post(LOGIN, content=padded(JSON_BODY_BYTES + 1), headers=JSON)
    assert answer.status_code == 413
    assert str(JSON_BODY_BYTES) in answer.json()["detail"]


def test_a_large_body_without_a_session_is_refused_for_the_session(stack: Stack) -> None:
    url = f"{stack.plan.functions_url}/products_preview{PREVIEW}"
    with httpx.Client(timeout=60, trust_env=False, verify=TLS) as client:
        for _ in range(2):
            answer = client.post(url, content=padded(LARGE_BODY_BYTES * 2), headers=JSON)
            assert answer.status_code == 401


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_no_one_reads_is_limited_too(direct: httpx.Client, *, chunked: bool) -> None:
    body = b"x" * (JSON_BODY_BYTES * 2)
    url = "/product_restore/api/products/absent0edge0test0000/restore"
    answer = direct.post(url, content=pieces(body) if chunked else body)
    assert answer.status_code in (404, 413), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"],
)
def test_another_type_is_415_and_says_which_is_read(
    http: httpx.Client, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = http.post(LOGIN, content=b'{"idToken": "x"}', headers=headers)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_parameters_of_the_type_change_nothing(http: httpx.Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=iso-8859-1"}
    assert http.post(LOGIN, content=b'{"idToken": "x"}', headers=headers).status_code == 401
    latin = '{"idToken": "\u00e9"}'.encode("latin-1")
    assert http.post(LOGIN, content=latin, headers=headers).status_code == 400


def test_a_compressed_body_is_not_opened(http: httpx.Client) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 20_000_000)
    assert http.post(LOGIN, content=bomb, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"[" * 500_000, b'{"a":' * 100_000, b'{"idToken": "\xff"}', b'{"idToken": "\\ud800"}', b""],
    ids=["lists", "objects", "latin", "surrogate", "empty"],
)
def test_what_is_no_json_is_400(http: httpx.Client, body: bytes) -> None:
    answer = http.post(LOGIN, content=body, headers=JSON)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


class TestForms:
    @pytest.fixture
    def form(self, stack: Stack) -> Iterator[Any]:
        with served(stack, "uploads") as client:
            yield client

    def test_a_form_is_read(self, form: Any) -> None:
        answer = send(form, [("file", "a.csv", b"x" * 300_000)])
        assert answer.status_code == 200
        assert answer.get_json() == {"file": 300_000}

    def test_too_many_parts_are_refused(self, form: Any) -> None:
        for count in (21, 5000):
            answer = send(form, [(f"f{n}", "a", b"x") for n in range(count)])
            assert answer.status_code == 413, count
            assert answer.content_type == "application/problem+json"

    def test_a_long_text_field_is_refused(self, form: Any) -> None:
        answer = send(form, [("text", None, b"x" * 600_000)])
        assert answer.status_code == 413

    def test_a_broken_form_is_refused_or_empty(self, form: Any) -> None:
        for body in (b"", b"--b", b"--b\r\n\r\n", b"no boundary", b"--b\r\n" + b"x: y\r\n" * 5000):
            answer = form.post(
                "/uploads",
                data=body,
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )
            assert answer.status_code == 200 or 400 <= answer.status_code < 500, body[:20]

    def test_a_control_character_in_a_field_is_named(self, form: Any) -> None:
        answer = send(form, [("text", None, b"a\x00b")])
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["field"] == "text"

    def test_a_form_over_the_limit_is_refused(self, form: Any) -> None:
        answer = send(form, [("file", "a.csv", b"x" * LARGE_BODY_BYTES)])
        assert answer.status_code == 413


def send(client: Any, parts: list[tuple[str, str | None, bytes]]) -> Any:
    lines = []
    for name, filename, content in parts:
        told = f'; filename="{filename}"' if filename else ""
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'
        lines.append(head.encode() + content + b"\r\n")
    body = b"".join(lines) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return client.post("/uploads", data=body, headers=headers)
