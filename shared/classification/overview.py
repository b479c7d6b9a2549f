"""GET /classify/providers: who can be asked, and how each has fared of late."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, cast

import msgspec

from shared.ai_models import Model
from shared.classification import circuit_rules, circuits, keys, providers, spent
from shared.classification.circuit_rules import Circuit
from shared.classification.models import KEYED, LOCAL, Provider
from shared.classification.schemas import ModelView, ProviderList, ProviderView
from shared.classification.spent import Used
from shared.clock import rfc3339
from shared.system import configuration

_MICROS: Final = Decimal(1_000_000)
_SMALL_TOKENS: Final = 1000


def read() -> ProviderList:
    """Every provider; asks none of them."""
    configured_now = configuration.read().configuration
    order = providers.order(configured_now.provider_order, None)
    known = circuits.read(KEYED)
    spent_today = spent.today()
    # Whether a stored key can still be opened is part of the answer.
    ready = keys.credentials().by_provider
    names = [*order, *(name for name in providers.known() if name not in order)]
    views = []
    for name in names:
        configured = name == LOCAL or name in ready
        money = None
        if name != LOCAL:
            dollars = getattr(configured_now.daily_budget_dollars, name)
            money = _Money(spent_today.get(name, Used()), dollars)
        views.append(_view(name, configured, known.get(name, Circuit()), money))
    return ProviderList(views, cast("list[Provider]", order))


class _Money(msgspec.Struct, frozen=True):
    used: Used
    dollars: int

    def is_spent(self, name: str) -> bool:
        """Whether even a small call of the default model finds no room."""
        least = providers.model_of(name, None).cost_micros(_SMALL_TOKENS, _SMALL_TOKENS)
        return not self.used.has_room(self.dollars * int(_MICROS), least)


def _view(name: str, configured: bool, circuit: Circuit, money: _Money | None) -> ProviderView:  # noqa: FBT001 - a fact of the view
    now = time.time()
    wait = circuit_rules.wait_seconds(circuit, now)
    state = circuit_rules.state(circuit, now)
    models = providers.models_of(name)
    is_spent = bool(models) and money is not None and money.is_spent(name)
    reason = circuit.reason if wait or state != "closed" else None
    return ProviderView(
        name=cast("Provider", name),
        configured=configured,
        healthy=configured and state == "closed" and not wait and not is_spent,
        circuit=state,
        reason="budget" if is_spent else reason,
        retry_at=rfc3339(datetime.fromtimestamp(now + wait, UTC)) if wait else None,
        models=[_model(model) for model in models],
        latency_ms=circuit_rules.latency_ms(circuit),
        error_percent=circuit_rules.error_percent(circuit),
        spend_today=Decimal(money.used.settled if money else 0) / _MICROS,
        daily_budget=Decimal(money.dollars) if money else None,
    )


def _model(model: Model) -> ModelView:
    return ModelView(model.name, model.input_micros / _MICROS, model.output_micros / _MICROS)
