"""/system/config on the running stack: versions, races, the audit trail, and other functions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from local.stack import Stack
from shared.system.configuration_records import DEFAULTS
from tests.integration.products.support import READS, WRITES, Shop, good
from tests.sessions import SUPER_ADMIN, log_in, new_client

PATH = "/system/config"
AT_ONCE = 4

# Says what another instance takes the threshold for, each time that it is asked to look.
LOOK = """
import sys
from shared.system import configuration
for line in sys.stdin:
    if line.strip() == "later":
        at, stored = configuration._kept
        configuration._kept = (at - configuration.FRESH_SECONDS - 1, stored)
    print(configuration.current().configuration.thresholds.review_confidence, flush=True)
"""


@pytest.fixture
def http(stack: Stack, shop: Shop) -> Iterator[httpx.Client]:
    """A super admin before any change of the settings."""
    shop.database.document("configuration/settings").delete()
    with new_client(stack, log_in(stack, SUPER_ADMIN)) as client:
        good(client.get(PATH))
        yield client


def body(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(DEFAULTS)
    return fields | changes


def review(confidence: int) -> dict[str, Any]:
    return body(thresholds=body()["thresholds"] | {"review_confidence": confidence})


def test_before_any_change_there_are_the_defaults(http: httpx.Client) -> None:
    answer = http.get(PATH)
    assert answer.headers["ETag"] == '"0"'
    assert answer.json() == {**body(), "version": 0, "updated_at": None}
    assert int(answer.headers[READS]) <= 1


def test_a_change_is_kept_and_audited_with_what_it_was(shop: Shop, http: httpx.Client) -> None:
    changed = http.put(PATH, json=review(61), headers={"If-Match": '"0"'})
    assert good(changed)["version"] == 1
    assert changed.headers["ETag"] == '"1"'
    assert int(changed.headers[WRITES]) == 2
    assert good(http.get(PATH)) == changed.json()
    (entry,) = [
        each
        for each in shop.documents("audit_logs").values()
        if each["request_id"] == changed.headers["X-Request-Id"]
    ]
    assert entry["action"] == "configuration.updated"
    assert entry["actor_email"] == SUPER_ADMIN.email
    before, after = review(70)["thresholds"], review(61)["thresholds"]
    assert (entry["before"], entry["after"]) == ({"thresholds": before}, {"thresholds": after})


def test_the_same_again_changes_nothing(http: httpx.Client) -> None:
    first = good(http.put(PATH, json=review(61)))
    again = http.put(PATH, json=review(61), headers={"If-Match": '"1"'})
    assert good(again) == first
    assert int(again.headers[WRITES]) == 0


def test_a_change_of_an_older_version_is_refused(http: httpx.Client) -> None:
    good(http.put(PATH, json=review(61), headers={"If-Match": '"0"'}))
    stale = http.put(PATH, json=review(62), headers={"If-Match": '"0"'})
    assert stale.status_code == 412
    assert good(http.get(PATH))["thresholds"]["review_confidence"] == 61


def test_of_two_changes_at_once_one_is_told_to_look_again(http: httpx.Client) -> None:
    def change(confidence: int) -> int:
        answer = http.put(PATH, json=review(confidence), headers={"If-Match": '"0"'})
        return answer.status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = sorted(pool.map(change, range(10, 10 + AT_ONCE)))
    assert statuses == [200] + [412] * (AT_ONCE - 1)
    assert good(http.get(PATH))["version"] == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"thresholds": {}}, "thresholds.duplicate_confidence"),
        ({"provider_order": ["groq", "groq"]}, "provider_order[1]"),
    ],
)
def test_what_is_wrong_is_named(http: httpx.Client, wrong: dict[str, Any], field: str) -> None:
    answer = http.put(PATH, json=body(**wrong))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_another_instance_knows_a_change_within_its_thirty_seconds(
    shop: Shop, http: httpx.Client
) -> None:
    process = shop.begin(LOOK)

    def look(when: str) -> int:
        process.stdin.write(f"{when}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    assert look("now") == 70
    good(http.put(PATH, json=review(61)))
    assert look("now") == 70
    assert look("later") == 61
    process.communicate()
    assert process.returncode == 0
