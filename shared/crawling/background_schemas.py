"""What the crawler's tasks and its pods are told and tell."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.crawling.hosts import MOST_HOSTS, HostShare, HostWord
from shared.crawling.lifecycle import Result
from shared.crawling.models import Status
from shared.crawling.recipes import Job, Recipe, Token
from shared.crawling.results import Detail, Progress


class LaunchCrawl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which crawl is to have a pod, and under which fencing token."""

    job_id: str
    token: int


class PodReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the pod that holds `token` says.

    With `order` it asks for its order; `result` and `failed` are its last words, of which the
    first tells of a manifest that is stored and the second of a crawl that could not be begun.
    `hosts` are those that it asks.
    """

    token: Token
    order: bool = False
    progress: Progress | None = None
    result: Result | None = None
    failed: Detail | None = None
    hosts: Annotated[list[HostWord], Meta(max_length=MOST_HOSTS)] = []


class Order(msgspec.Struct, frozen=True):
    """All that a pod reads: what to crawl, and how."""

    job: Job
    recipe: Recipe


class PodAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a pod has to know: whether to stop, and how long it may be silent.

    `hosts` tells of each that it asks who else does, this pod among them.
    """

    status: Status
    stop: bool
    lease_seconds: float
    order: Order | None = None
    hosts: dict[str, HostShare] = {}
