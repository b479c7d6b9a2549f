"""Hooks for schemathesis: most ids and tokens are ones that exist, so that calls succeed."""

import json
import os
from collections import Counter
from typing import Any

import schemathesis

KNOWN: dict[str, Any] = {"If-Match": None, **json.loads(os.environ["KNOWN_VALUES"])}


MORTAL = {"product_id", "uid", "schedule_id"}
# These remove the thing and bring it back; for others there is one that stays.
LIFE_AND_DEATH = (
    ("DELETE", "/api/products/{product_id}"),
    ("POST", "/api/products/{product_id}/restore"),
    ("DELETE", "/api/admin/users/{uid}"),
    ("DELETE", "/api/crawler/schedules/{schedule_id}"),
)
# Each decision has a proposal of its own: the other one would be a conflict.
DECISIONS = (
    "/api/products/pending/{product_id}/approve",
    "/api/products/pending/{product_id}/reject",
)
# What is good as a whole only: the rule on prices by its kind; offers to merge and to part that are
# not those that are to stay as they are; a batch, which has one source of three.
WHOLE = {
    ("kind", "channel"): "alert",
    ("provider", "key"): "provider_key",
    ("decision", "category"): "correction",
    ("type", "timezone"): "schedule",
    ("retailer", "category"): "crawl",
    ("jobs",): "crawls",
    ("start_urls", "listing"): "site",
    ("upload_id",): "upload_id",
    ("filter",): "batch",
    ("duplicate_ids",): "merge",
    ("group_id",): "unmerged_group_id",
}

_asked: Counter[str] = Counter()


def mixed(name: str, made_up: object) -> object:
    """The known value of that name, three times of four; what is made up is often the same."""
    _asked[name] += 1
    return KNOWN[name] if name in KNOWN and _asked[name] % 4 else made_up


@schemathesis.hook
def map_path_parameters(
    context: schemathesis.HookContext,
    path_parameters: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """Known ids beside made-up ones."""
    if not path_parameters:
        return path_parameters
    known = {name: mixed(name, value) for name, value in path_parameters.items()}
    operation = context.operation
    verb, path = ("", "") if operation is None else (operation.method.upper(), operation.path)
    for name in MORTAL & known.keys():
        # schemathesis also takes ids from answers, and would remove what is to stay.
        if known[name] in (KNOWN[name], KNOWN[f"kept_{name}"], *KNOWN["proposed_ids"]):
            known[name] = KNOWN[name if (verb, path) in LIFE_AND_DEATH else f"kept_{name}"]
    if path in DECISIONS and known["product_id"] == KNOWN["kept_product_id"]:
        known["product_id"] = KNOWN["proposed_ids"][DECISIONS.index(path)]
    return known


@schemathesis.hook
def map_headers(
    context: schemathesis.HookContext,  # noqa: ARG001 - the hook's signature
    headers: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """Mostly no version that is expected: a made-up one is the present one by no chance."""
    if not headers or mixed("If-Match", headers) is headers:
        return headers
    return {name: value for name, value in headers.items() if name != "If-Match"}


@schemathesis.hook
def map_body(
    context: schemathesis.HookContext,  # noqa: ARG001 - the hook's signature
    body: Any,
) -> Any:
    """A real ID token and a real upload beside made-up ones."""
    if not isinstance(body, dict):
        return body
    for fields, known in WHOLE.items():
        if set(fields) <= body.keys() and mixed(known, body) is not body:
            whole = KNOWN[known]
            return whole if isinstance(whole, dict) else {fields[0]: whole}
    return {name: mixed(name, value) for name, value in body.items()}
