"""A local cloud for tests, which fails them at its end if production would refuse their queries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from local.meter import SHAPES_NAME
from local.plan import ROOT, Plan
from local.ports import HOST, Ports, free_port
from local.prepare import prepare
from local.stack import Stack
from tools.index_check import read_indexes, read_shapes, unserved


def provider_urls(models: str) -> dict[str, str]:
    """Every provider's address at one llmock, which a test may start there, or nothing be."""
    return {
        "GROQ_BASE_URL": f"{models}/groq",
        "GOOGLE_BASE_URL": f"{models}/gemini",
        "CEREBRAS_BASE_URL": f"{models}/v1",
        "OPENROUTER_BASE_URL": f"{models}/v1",
    }


@contextmanager
def running_stack(
    folder: Path, *, triggers: bool = True, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Stack]:
    """A cloud with queues, jobs and accounts on free ports, whose rate limits never bite.

    Its jobs run where a test forces them: a sweep in between would do what events are lost for.
    """
    known = {
        "RATE_LIMIT_SCALE": "1000",
        "FETCH_LOOPBACK": "1",
        # The emulator scans where Firestore has an index: a busy machine takes its time for that.
        "FIRESTORE_TIMEOUT_SECONDS": "50",
        "AI_TIMEOUT_SECONDS": "10",
        # In the cloud one that answers no sooner is as good as away; here it may wait for its turn.
        "REDIS_TIMEOUT_SECONDS": "2",
        **provider_urls(f"http://{HOST}:{free_port()}"),
        **settings,
    }
    plan = Plan(Ports.free(), folder, settings=known, triggers=triggers, schedules=False)
    with Stack(plan) as stack:
        prepare(stack)
        yield stack
        # The emulator answers any query.
        recorded = stack.plan.state / SHAPES_NAME
        shapes = read_shapes(recorded) if recorded.exists() else set()
        assert unserved(shapes, read_indexes(ROOT / "firestore.indexes.json")) == []
