"""What debug lines show of a body, and what they never show."""

import json

import pytest

from shared.edge.payloads import MOST_BYTES, SHOWN_CHARACTERS, shown, without_persons

CANARY = "canary-7f3a9c"


@pytest.mark.parametrize(
    "body",
    [
        {"password": CANARY},
        {"idToken": CANARY},
        {"deep": [{"webhook_url": f"https://example.com/{CANARY}"}]},
        {"webhook_secret": CANARY},
        {"note": f"Authorization: Bearer {CANARY}"},
        {"email": f"{CANARY}@example.com"},
        {f"{'x' * SHOWN_CHARACTERS}": "", "api_key": CANARY},
    ],
)
def test_secrets_and_persons_are_masked(body: object) -> None:
    told = shown(json.dumps(body).encode(), "application/json")
    assert CANARY not in told
    assert "{" in told


def test_a_problem_document_is_shown() -> None:
    assert shown(b'{"status":422}', "application/problem+json") == '{"status":422}'


def test_a_long_body_is_shortened_after_it_is_masked() -> None:
    body = {"a": "y" * (SHOWN_CHARACTERS - 20), "token": CANARY * 10}
    told = shown(json.dumps(body).encode(), "application/json")
    assert len(told) < SHOWN_CHARACTERS + 60
    assert CANARY[:5] not in told


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"{CANARY} ".encode(), "text/csv"),
        (f'{{"password": "{CANARY}"'.encode(), "application/json"),
        (json.dumps([CANARY] * MOST_BYTES).encode(), "application/json"),
        (f"{CANARY}".encode(), ""),
    ],
)
def test_what_cannot_be_masked_is_not_shown(body: bytes, content_type: str) -> None:
    told = shown(body, content_type)
    assert CANARY not in told
    assert f"{len(body)} bytes" in told


def test_arguments_are_masked_by_name() -> None:
    told = without_persons({"token": [CANARY], "q": ["tea"]})
    assert told == {"token": ["***"], "q": ["tea"]}


def test_nothing_is_shown_as_nothing() -> None:
    assert shown(b"", "application/json") == ""
