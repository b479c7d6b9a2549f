"""GET /classify/providers: who can be asked, and how each has fared of late."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, cast

from shared.ai_models import Model
from shared.classification import circuit_rules, circuits, keys, providers, spending
from shared.classification.circuit_rules import Circuit
from shared.classification.models import KEYED, LOCAL, Provider
from shared.classification.schemas import ModelView, ProviderList, ProviderView
from shared.clock import rfc3339
from shared.system import configuration

_MICROS: Final = Decimal(1_000_000)


def read() -> ProviderList:
    """Every provider; asks none of them."""
    order = providers.order(configuration.read().configuration.provider_order, None)
    known = circuits.read(KEYED)
    spent = spending.today(KEYED)
    # Whether a stored key can still be opened is part of the answer.
    ready = keys.credentials().by_provider
    names = [*order, *(name for name in providers.known() if name not in order)]
    views = []
    for name in names:
        configured = name == LOCAL or name in ready
        micros = None if spent is None else spent.get(name, 0)
        views.append(_view(name, configured, known.get(name, Circuit()), micros))
    return ProviderList(views, cast("list[Provider]", order))


def _view(name: str, configured: bool, circuit: Circuit, micros: int | None) -> ProviderView:  # noqa: FBT001 - a fact of the view
    now = time.time()
    wait = circuit_rules.wait_seconds(circuit, now)
    state = circuit_rules.state(circuit, now)
    return ProviderView(
        name=cast("Provider", name),
        configured=configured,
        healthy=configured and state == "closed" and not wait,
        circuit=state,
        reason=circuit.reason if wait or state != "closed" else None,
        retry_at=rfc3339(datetime.fromtimestamp(now + wait, UTC)) if wait else None,
        models=[_model(model) for model in providers.models_of(name)],
        latency_ms=circuit_rules.latency_ms(circuit),
        error_percent=circuit_rules.error_percent(circuit),
        spend_today=None if micros is None else micros / _MICROS,
    )


def _model(model: Model) -> ModelView:
    return ModelView(model.name, model.input_micros / _MICROS, model.output_micros / _MICROS)
