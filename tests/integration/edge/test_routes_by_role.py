"""Every verb of every function with every kind of session: what the declarations say is so.

Nothing here names a route. What is called is read from the declarations, with bodies that cannot
be read and with ids that stand for nothing, so that no call does what it asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local.stack import Stack
from shared.edge.declaration import Function, Method
from shared.edge.headers import SECURITY
from shared.edge.paths import parameters
from tests import sessions
from tests.sessions import ADMIN, SUPER_ADMIN, SignedIn, log_in, new_client
from tools.declarations import declared

ABSENT = "absent0edge0test0000"
FUNCTIONS = [each.function for each in declared()]
PUBLIC = [each for each in FUNCTIONS if each.kind == "http" and not each.private]
CASES = [(function, function.methods[verb]) for function in PUBLIC for verb in function.allowed]
CHANGING = [(f, m) for f, m in CASES if m.changes_state and m.csrf]
VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")
# A session that closes itself would be gone for the tests after it.
CLOSES_SESSION = "session.closed"


def name_of(value: object) -> str | None:
    if isinstance(value, Function):
        return value.name
    return value.verb if isinstance(value, Method) else None


@dataclass
class Sessions:
    """One session for each state; what is revoked or forged never works again."""

    admin: SignedIn
    super_admin: SignedIn
    forged: str
    expired: str
    revoked: str


@pytest.fixture(scope="module")
def known(stack: Stack) -> Sessions:
    admin, revoked = log_in(stack), log_in(stack)
    assert sessions.log_out(stack, revoked).status_code == 200
    return Sessions(
        admin=admin,
        super_admin=log_in(stack, SUPER_ADMIN),
        forged=sessions.forged(stack, admin),
        expired=sessions.expired(stack, admin),
        revoked=revoked.cookie,
    )


@pytest.fixture(scope="module")
def anonymous(stack: Stack) -> Iterator[httpx.Client]:
    with new_client(stack) as http:
        yield http


def url_of(function: Function) -> str:
    path = function.path or ""
    for name in parameters(path):
        path = path.replace(f"{{{name}}}", ABSENT)
    return path


def call(http: httpx.Client, function: Function, method: Method, **more: Any) -> httpx.Response:
    """A call that passes every gate and can then do nothing: no such id, or no JSON at all."""
    harmless = method.body is not None or "{" in (function.path or "")
    if method.changes_state and not harmless and method.audit != CLOSES_SESSION:
        pytest.fail(f"{method.verb} {function.path} takes no body and no id: say how to try it")
    headers = more.pop("headers", {})
    if method.body is not None:
        return http.request(
            method.verb,
            url_of(function),
            content=b"{",
            headers={"Content-Type": "application/json"} | headers,
            **more,
        )
    return http.request(method.verb, url_of(function), headers=headers, **more)


def admitted(answer: httpx.Response) -> bool:
    return answer.status_code not in (401, 403, 405) and answer.status_code < 500


def in_case(stack: Stack, method: Method, session: SignedIn) -> SignedIn:
    if method.audit != CLOSES_SESSION:
        return session
    return log_in(stack, SUPER_ADMIN if session.user["isSuperAdmin"] else ADMIN)


@pytest.mark.parametrize(("function", "method"), CASES, ids=name_of)
def test_without_a_live_session_only_public_calls_are_admitted(
    stack: Stack, known: Sessions, function: Function, method: Method
) -> None:
    for cookie in (None, known.forged, known.expired, known.revoked, "not-a-token"):
        with new_client(stack, cookie=cookie) as http:
            answer = call(http, function, method)
        if method.role == "public":
            assert admitted(answer), (cookie, answer.status_code, answer.text)
        else:
            assert answer.status_code == 401, (cookie, answer.text)
            assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("function", "method"), CASES, ids=name_of)
def test_an_admin_is_admitted_unless_it_takes_a_super_admin(
    stack: Stack, known: Sessions, function: Function, method: Method
) -> None:
    with new_client(stack, in_case(stack, method, known.admin)) as http:
        answer = call(http, function, method)
    if method.role == "super_admin":
        assert answer.status_code == 403
    else:
        assert admitted(answer), (answer.status_code, answer.text)
    if method.body is not None and method.role != "super_admin":
        assert answer.status_code == 400


@pytest.mark.parametrize(("function", "method"), CASES, ids=name_of)
def test_a_super_admin_is_admitted_everywhere(
    stack: Stack, known: Sessions, function: Function, method: Method
) -> None:
    with new_client(stack, in_case(stack, method, known.super_admin)) as http:
        answer = call(http, function, method)
    assert admitted(answer), (answer.status_code, answer.text)
    assert (answer.status_code == 400) == (method.body is not None)


@pytest.mark.parametrize(("function", "method"), CHANGING, ids=name_of)
def test_a_change_needs_the_sessions_own_csrf_token(
    stack: Stack, known: Sessions, function: Function, method: Method
) -> None:
    for token in (None, "", "0" * 64, known.admin.csrf, known.super_admin.csrf[:-1], "é"):
        with new_client(stack, cookie=known.super_admin.cookie) as http:
            headers = {} if token is None else {"X-CSRF-Token": token.encode()}
            answer = call(http, function, method, headers=headers)
        assert answer.status_code == 403, (token, answer.text)
        assert "X-CSRF-Token" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("function", "method"), [(f, m) for f, m in CASES if m.changes_state], ids=name_of
)
def test_a_change_from_a_page_of_another_origin_is_refused(
    stack: Stack, known: Sessions, function: Function, method: Method
) -> None:
    with new_client(stack, known.super_admin) as http:
        for origin in ("https://evil.example", "null", f"{stack.plan.origin}.evil.example"):
            answer = call(http, function, method, headers={"Origin": origin})
            assert answer.status_code == 403, answer.text
            assert "Access-Control-Allow-Origin" not in answer.headers
    with new_client(stack, in_case(stack, method, known.super_admin)) as http:
        own = call(http, function, method, headers={"Origin": stack.plan.origin})
    assert admitted(own), own.text


@pytest.mark.parametrize("function", PUBLIC, ids=name_of)
def test_other_verbs_are_405_and_say_which_are_known(
    anonymous: httpx.Client, function: Function
) -> None:
    for verb in set(VERBS) - set(function.methods):
        answer = anonymous.request(verb, url_of(function))
        assert answer.status_code == 405, verb
        assert answer.headers["Allow"] == ", ".join(sorted(function.methods))
        assert_common_headers(answer)
    if "GET" not in function.methods:
        assert anonymous.head(url_of(function)).status_code == 405


@pytest.mark.parametrize(("function", "method"), CASES, ids=name_of)
def test_every_answer_carries_the_common_headers(
    stack: Stack,
    known: Sessions,
    anonymous: httpx.Client,
    function: Function,
    method: Method,
) -> None:
    with new_client(stack, in_case(stack, method, known.super_admin)) as http:
        named = call(http, function, method, headers={"X-Request-Id": "edge-test.0001"})
    assert named.headers["X-Request-Id"] == "edge-test.0001"
    refused = call(anonymous, function, method)
    preflight = anonymous.options(
        url_of(function),
        headers={"Origin": stack.plan.origin, "Access-Control-Request-Method": method.verb},
    )
    for answer in (named, refused, preflight):
        assert_common_headers(answer)
    if refused.status_code >= 400:
        assert refused.json()["instance"] == refused.headers["X-Request-Id"]
    assert refused.headers["X-Request-Id"] != named.headers["X-Request-Id"]


def assert_common_headers(answer: httpx.Response) -> None:
    for name, value in SECURITY.items():
        assert answer.headers[name] == value, name
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert len(answer.headers["X-Request-Id"]) >= 8
    limit = int(answer.headers["X-RateLimit-Limit"])
    assert 0 <= int(answer.headers["X-RateLimit-Remaining"]) <= limit
    assert int(answer.headers["X-RateLimit-Reset"]) > 1_600_000_000


@pytest.mark.parametrize("function", [f for f in PUBLIC if "GET" in f.methods], ids=name_of)
def test_head_is_get_without_the_body(stack: Stack, known: Sessions, function: Function) -> None:
    with new_client(stack, known.super_admin) as http:
        got, head = http.get(url_of(function)), http.head(url_of(function))
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_no_route_is_left_untried(stack: Stack, anonymous: httpx.Client) -> None:
    tried = {(function.path, method.verb.lower()) for function, method in CASES}
    document = anonymous.get("/openapi.json").json()["paths"]
    told = {(path, member) for path, members in document.items() for member in members}
    assert tried == {(path, member) for path, member in told if member != "parameters"}
    served = stack.functions()
    assert {each["name"]: each["kind"] for each in served} == {f.name: f.kind for f in FUNCTIONS}
    public = {each["name"] for each in served if each["kind"] == "http" and not each["private"]}
    assert {function.name for function, _ in CASES} == public
