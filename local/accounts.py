"""The accounts of the local cloud, made and used through the Auth emulator's own interface."""

import json
from dataclasses import dataclass

import httpx

from local.plan import PROJECT
from local.tls import TLS

PASSWORD = "shopple-demo"  # noqa: S105 - printed at start, for this machine only
_OWNER = {"Authorization": "Bearer owner"}
_API = "identitytoolkit.googleapis.com/v1"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can log in, with the claims that their token carries."""

    email: str
    claims: dict[str, bool]
    name: str
    password: str = PASSWORD


ADMIN = Account("admin@shopple.test", {"admin": True}, "Demo Admin")
SUPER_ADMIN = Account(
    "super@shopple.test", {"admin": True, "super_admin": True}, "Demo Super Admin"
)
DEMO = (ADMIN, SUPER_ADMIN)


def create(auth_host: str, account: Account) -> str:
    """The id of the account at the emulator `auth_host` (host:port), made if it is not there."""
    users = f"http://{auth_host}/{_API}/projects/{PROJECT}/accounts"
    with httpx.Client(headers=_OWNER, trust_env=False, verify=TLS) as http:
        found = http.post(f"{users}:lookup", json={"email": [account.email]})
        found.raise_for_status()
        if known := found.json().get("users"):
            return str(known[0]["localId"])
        made = http.post(
            users,
            json={
                "email": account.email,
                "password": account.password,
                "displayName": account.name,
                "emailVerified": True,
            },
        )
        made.raise_for_status()
        uid = str(made.json()["localId"])
        claims = {"localId": uid, "customAttributes": json.dumps(account.claims)}
        http.post(f"{users}:update", json=claims).raise_for_status()
    return uid


def id_token(auth_host: str, email: str, password: str = PASSWORD) -> str:
    """An ID token, as the browser's SDK gets it for a password."""
    answer = httpx.post(
        sign_in_url(auth_host),
        json={"email": email, "password": password, "returnSecureToken": True},
        trust_env=False,
        verify=TLS,
    )
    answer.raise_for_status()
    return str(answer.json()["idToken"])


def sign_in_url(auth_host: str) -> str:
    """Where the emulator takes an e-mail and a password; it accepts any API key."""
    return f"http://{auth_host}/{_API}/accounts:signInWithPassword?key=local"
