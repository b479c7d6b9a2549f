"""The sink in the running stack: what is said to Slack is shown beside the console."""

import httpx
import pytest

from local.stack import Stack
from shared.clients import slack
from shared.errors import DependencyTimeout, DependencyUnavailable
from tests.integration.edge.instance import instance


def test_what_is_said_to_slack_is_shown_on_the_gateways_port(stack: Stack) -> None:
    with instance(stack.environment()):
        assert slack.post("said by a test of the sink")
    page = httpx.get(f"{stack.plan.origin}/__/local/slack", trust_env=False).json()
    assert "said by a test of the sink" in [each.get("text") for each in page["messages"]]


def test_slack_away_is_a_failure_to_try_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{stack.plan.control_url}/sink/broken"
    monkeypatch.setattr(slack, "SECONDS", 0.2)
    with instance(stack.environment(), SLACK_WEBHOOK_URL=address):
        stack.control.disturb_sink("broken", status=500, times=1)
        with pytest.raises(DependencyUnavailable):
            slack.post("hello")
        stack.control.disturb_sink("broken", delay_seconds=1, times=1)
        with pytest.raises(DependencyTimeout):
            slack.post("hello")
        assert slack.post("hello")
    stack.control.empty_sink("broken")
