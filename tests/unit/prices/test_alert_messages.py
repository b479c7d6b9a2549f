"""How a crossing reads."""

import pytest

from shared.clients import webhooks
from shared.clients.slack import escape
from shared.prices.alert_messages import Told, change_percent, money, slack_text

# What `printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_x` says.
OPENSSL = "be8cb8325f2202445260a855532f967e30ad2a9394ce28da66ee02880ddcb661"


def told(**fields: object) -> Told:
    usual: dict[str, object] = {
        "id": "n",
        "alert_id": "a",
        "alert": "Rice",
        "kind": "down",
        "product_id": "p",
        "product": "Samba 5kg",
        "retailer": "keells",
        "price": money(123_456, "LKR"),
        "compared_with": money(150_000, "LKR"),
        "currency": "LKR",
        "change_percent": change_percent(123_456, 150_000),
        "timestamp": "2026-03-01T10:00:00.000000Z",
    }
    return Told(**(usual | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "• Samba 5kg at keells fell by 17.7 % from LKR 1,500.00 to LKR 1,234.56 (Rice)"),
        (
            {"kind": "up", "change_percent": 12.0},
            "• Samba 5kg at keells rose by 12 % from LKR 1,500.00 to LKR 1,234.56 (Rice)",
        ),
        (
            {"kind": "below"},
            "• Samba 5kg at keells costs LKR 1,234.56, below LKR 1,500.00 (Rice)",
        ),
        (
            {"kind": "below", "alert": "<@U1>", "product": "a & b", "retailer": "<x>"},
            "• a &amp; b at &lt;x&gt; costs LKR 1,234.56, below LKR 1,500.00 (&lt;@U1&gt;)",
        ),
    ],
    ids=str,
)
def test_a_crossing_is_one_line(fields: dict[str, object], line: str) -> None:
    assert slack_text([told(**fields)], escape) == f"*Price alert*\n{line}"


def test_what_may_be_told_twice_says_so() -> None:
    heading, doubt, line = slack_text([told()], escape, again=True).splitlines()
    assert heading == "*Price alert*"
    assert "told before" in doubt
    assert line.startswith("•")


def test_many_crossings_are_counted() -> None:
    heading, *lines = slack_text([told(), told()], escape).splitlines()
    assert heading == "*2 price alerts*"
    assert len(lines) == 2


def test_a_signature_is_over_the_timestamp_and_the_body() -> None:
    signed = webhooks.signature("whsec_x", "1700000000", b"{}")
    assert signed == "v1=" + OPENSSL
    assert webhooks.signature("whsec_x", "1700000001", b"{}") != signed
    assert webhooks.signature("whsec_y", "1700000000", b"{}") != signed
