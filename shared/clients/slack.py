"""Slack: one channel, by the incoming webhook that the settings name."""

from typing import Final

import msgspec

from shared.clients import guarded_http
from shared.config import settings
from shared.errors import DependencyRefused, Invalid

SECONDS: Final = 10.0
# Slack cuts a text off at 40,000 characters, in the middle of whatever stands there.
MOST_CHARACTERS: Final = 39_000
_CUT: Final = "\n…"


def post(text: str) -> bool:
    """Says `text` in the channel; False where no channel is set. Raises a DependencyError.

    What others wrote must have passed `escape`; too long a text is cut at the end of a line.
    """
    url = settings().slack_webhook_url
    if url is None:
        return False
    body = msgspec.json.encode({"text": _shortened(text)})
    try:
        reply = guarded_http.post(
            url, body, {"Content-Type": "application/json"}, seconds=SECONDS, field="Slack"
        )
    except Invalid as error:
        raise DependencyRefused(f"Slack's address cannot be used: {error.detail}.") from error
    guarded_http.check_accepted(reply, "Slack")
    return True


def escape(text: str) -> str:
    """`text` with nothing in it that Slack reads as a link, a mention or a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    lines = text[:MOST_CHARACTERS].rpartition("\n")
    return (lines[0] or lines[2]) + _CUT
