"""LOG_LEVEL=DEBUG shows what a call asked and got, and no secret; INFO shows none of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.accounts import ADMIN, id_token
from local.plan import REDIS_TOKEN
from local.stack import Stack
from tests.integration.edge.instance import codebase, served
from tests.integration.products.support import Shop
from tests.sessions import SignedIn, log_in

CANARY = "canary-5d1e7b90c2"
KEY = f"{CANARY}-{'k' * 40}"
DEBUG_LINES = {"Request", "Answer", "Cache asked", "Firestore"}

# What a start at INFO has of all this.
PLAIN = """
import sys
from shared.clients import firestore
from shared.config import settings
from shared import logs
logs.set_up(settings())
firestore.ping()
print([name for name in sys.modules if name.endswith(("firestore_trace", "edge.payloads"))])
"""


@pytest.fixture(scope="module")
def signed_in(stack: Stack, shop: Shop) -> SignedIn:
    # What follows from its emptying would renew the pages between two calls.
    shop.settle()
    return log_in(stack)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def ask(stack: Stack, signed_in: SignedIn, file: Path, level: str) -> list[dict[str, Any]]:
    """The lines of a list that was asked for twice."""
    settings = {"LOG_LEVEL": level, "LOG_FILE": str(file)}
    with served(stack, "products", codebase("products"), **settings) as http:
        headers = {"Cookie": f"__session={signed_in.cookie}", "Authorization": f"Bearer {CANARY}"}
        for _ in range(2):
            path = f"/api/products?retailer=keells&limit=7&cursor={CANARY}"
            assert http.get(path, headers=headers).status_code == 400
            answer = http.get("/api/products?retailer=keells&limit=7", headers=headers)
            assert answer.status_code == 200
    return lines(file)


def test_a_call_shows_its_cache_its_queries_and_its_payloads(
    stack: Stack, signed_in: SignedIn, tmp_path: Path
) -> None:
    told = ask(stack, signed_in, tmp_path / "log", "DEBUG")
    by_message = {
        name: [t["context"] for t in told if t["message"] == name] for name in DEBUG_LINES
    }
    assert [each["page"] for each in by_message["Cache asked"]][1::2] == ["MISS", "HIT"]
    assert by_message["Cache asked"][1]["namespace"] == "products"
    (query,) = [
        each
        for each in by_message["Firestore"]
        if each["call"] == "run_query" and each["collection"] == "products"
    ]
    assert query["limit"] == 7
    assert "retailer EQUAL keells" in query["filters"]
    assert query["documents"] == 0
    assert query["ms"] > 0
    assert by_message["Request"][0]["arguments"]["retailer"] == ["keells"]
    assert json.loads(by_message["Answer"][1]["body"])["products"] == []
    assert {t["request_id"] for t in told if t["message"] in DEBUG_LINES}


def test_at_info_there_is_no_such_line_and_nothing_is_loaded_for_it(
    stack: Stack, shop: Shop, signed_in: SignedIn, tmp_path: Path
) -> None:
    told = ask(stack, signed_in, tmp_path / "log", "INFO")
    assert {each["message"] for each in told} == {"Answered"}
    assert shop.run(PLAIN) == "[]\n"


def test_no_secret_and_no_person_is_shown(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "log"
    settings = {"LOG_LEVEL": "DEBUG", "LOG_FILE": str(file), "SECRET_KEY": KEY}
    token = id_token(stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"], ADMIN.email)
    carried = {
        "Cookie": f"__session={CANARY}; session={CANARY}",
        "Authorization": f"Bearer {CANARY}",
        "X-CSRF-Token": CANARY,
    }
    with served(stack, "login", codebase("users"), **settings) as http:
        answer = http.post("/api/admin/login", json={"idToken": token})
        assert answer.status_code == 200, answer.text
        csrf = answer.get_json()["csrfToken"]
        cookie = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        for body in ({"idToken": CANARY}, {"password": CANARY, "email": f"{CANARY}@a.example"}):
            assert http.post("/api/admin/login", json=body, headers=carried).status_code >= 400
    with served(stack, "session", codebase("users"), **settings) as http:
        told = http.get("/api/admin/session", headers={"Cookie": f"__session={cookie}"})
        assert told.get_json()["valid"]
    text = file.read_text()
    messages = {line["message"] for line in lines(file)}
    assert messages >= DEBUG_LINES
    for secret in (CANARY, KEY, REDIS_TOKEN, token, csrf, cookie, ADMIN.email):
        assert secret not in text
