"""What `/system/status` tells of the providers: those that have a key, and who rests, and why."""

import time

from shared.classification import circuit_rules, circuits, keys
from shared.classification.models import KEYED
from shared.system.schemas import PartState, StatusItem
from shared.system.status_parts import UNMEASURED, Asked


def providers(name: str) -> PartState:
    """Each provider with a key; none is asked. Raises a DependencyError."""
    told = {each.provider: each.source for each in keys.status().keys}
    known = [provider for provider in KEYED if told[provider] != "none"]
    if not known:
        return PartState(name, "off", UNMEASURED, "No provider has a key; local classifies.")
    items = [_item(provider, circuit) for provider, circuit in circuits.read(known).items()]
    resting = [f"{item.name} rests: {item.last_error}" for item in items if item.state != "ok"]
    detail = "; ".join(resting) if resting else None
    return PartState(name, "degraded" if resting else "ok", UNMEASURED, detail, items=items)


def _item(provider: str, circuit: circuit_rules.Circuit) -> StatusItem:
    now = time.time()
    rests = circuit_rules.wait_seconds(circuit, now) > 0
    if rests or circuit_rules.state(circuit, now) != "closed":
        return StatusItem(provider, "paused", last_error=circuit.reason)
    return StatusItem(provider, "ok")


PART = Asked("ai_providers", providers)
