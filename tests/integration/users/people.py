"""People who are given access: invited, signed in by the mailed link, and looked after."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from local.accounts import Account, create, id_token
from local.stack import Stack
from local.tls import TLS
from tests import sessions
from tests.polling import eventually
from tests.sessions import SignedIn

Json = dict[str, Any]
PASSWORD = "a-new-password"
PROTECTED = "/api/products/stats"


@dataclass(frozen=True, slots=True)
class Office:
    """The administration of users, as a super admin reaches it."""

    stack: Stack
    http: httpx.Client
    me: str

    def invite(self, role: str = "admin", **fields: Any) -> Json:
        email = fields.pop("email", None) or some_address()
        body = {"email": email, "role": role, **fields}
        return good(self.http.post("/api/admin/create-user", json=body), 201)

    def put(self, user: Json, **changes: Any) -> httpx.Response:
        """The answer to a change of what is named, the rest as `user` has it."""
        etag = changes.pop("etag", None)
        headers = {} if etag is None else {"If-Match": etag}
        body = wanted(user) | changes
        return self.http.put(f"/api/admin/users/{user['uid']}", json=body, headers=headers)

    def read(self, uid: str) -> Json:
        return good(self.http.get(f"/api/admin/users/{uid}"))

    def join(self, role: str = "admin") -> "Member":
        """Somebody who has an account with a password already, and is signed in."""
        email = some_address()
        account = Account(email, claims_of(role), "Some Body", PASSWORD)
        uid = create(self.auth_host, account)
        return Member(self.read_after_login(email), email, self.log_in(email), uid)

    def read_after_login(self, email: str) -> Json:
        session = self.log_in(email)
        return self.read(str(session.user["uid"]))

    def log_in(self, email: str) -> SignedIn:
        answer = sessions.send_login(self.stack, self.token(email))
        assert answer.status_code == 200, answer.text
        told = answer.json()
        cookie = answer.cookies[sessions.COOKIE]
        return SignedIn(cookie, told["csrfToken"], told["user"], answer.headers["Set-Cookie"])

    def token(self, email: str, password: str = PASSWORD) -> str:
        return id_token(self.auth_host, email, password)

    def mails(self, email: str) -> list[Json]:
        taken = self.http.get("/__/local/mail").json()["messages"]
        return [mail for mail in taken if mail["to"] == [email]]

    def link(self, email: str) -> str:
        """The link in the latest mail to the address, once it has come."""
        (mail, *_) = eventually(lambda: self.mails(email))
        (link,) = re.findall(r"https?://\S*oobCode\S*", mail["text"])
        return str(link)

    @property
    def auth_host(self) -> str:
        return self.stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"]

    def status_of(self, session: SignedIn) -> int:
        with sessions.new_client(self.stack, session) as http:
            return http.get(PROTECTED).status_code


@dataclass(frozen=True, slots=True)
class Member:
    """One user with a session of theirs."""

    user: Json
    email: str
    session: SignedIn
    uid: str


@contextmanager
def opened(stack: Stack) -> Iterator[Office]:
    session = sessions.log_in(stack, sessions.SUPER_ADMIN)
    with sessions.new_client(stack, session) as http:
        yield Office(stack, http, str(session.user["uid"]))


def set_password(link: str) -> None:
    """Follows the mailed link, as the page behind it does."""
    url = httpx.URL(link).copy_add_param("newPassword", PASSWORD)
    answer = httpx.get(url, trust_env=False, verify=TLS)
    assert answer.is_success, answer.text
    assert "success" in answer.json()["authEmulator"], answer.text


def some_address() -> str:
    return f"{secrets.token_hex(6)}@people.test"


def claims_of(role: str) -> dict[str, bool]:
    return {"admin": {"admin": True}, "super_admin": {"admin": True, "super_admin": True}}.get(
        role, {}
    )


def wanted(user: Json) -> Json:
    role = "super_admin" if user["isSuperAdmin"] else "admin" if user["isAdmin"] else "none"
    return {"role": role} | {name: user[name] for name in ("name", "disabled", "avatar")}


def good(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    told: Json = answer.json()
    return told
