"""One job as the product orders it: asked for, crawled while it is ours, told."""

import asyncio
from contextlib import closing

import aiohttp
import msgspec

from crawler_pod.backend import Backend
from crawler_pod.cloud_storing import Bucket, StoringFailed
from crawler_pod.metadata import Identity
from crawler_pod.running import Around, Refusal, run_job
from shared.crawling.results import Manifest


class Addresses(msgspec.Struct, frozen=True):
    """Whom a pod tells, as whom, and where its result goes."""

    report_url: str
    audience: str
    bucket: str
    storage_url: str
    metadata_url: str


async def run_order(
    addresses: Addresses, token: int, stop: asyncio.Event, *, local: bool
) -> Manifest:
    """Runs the job; raises Superseded, Unreachable, Refusal, HandedOver, StoringFailed."""
    async with aiohttp.ClientSession() as http:
        identity = Identity(http, addresses.audience, addresses.metadata_url)
        backend = Backend(http, addresses.report_url, token, identity, stop)
        order = await backend.order()
        with closing(
            Bucket(addresses.bucket, addresses.storage_url, addresses.metadata_url)
        ) as store:
            around = Around(
                store,
                backend,
                stop,
                local=local,
                pace=backend.pace,
                beat_seconds=backend.beat_seconds,
            )
            try:
                return await backend.while_held(run_job(order.recipe, order.job, around))
            except (Refusal, StoringFailed) as trouble:
                await backend.failed(str(trouble))
                raise
