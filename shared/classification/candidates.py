"""Which providers a call may ask, in which order, with which models."""

from collections.abc import Sequence

from shared.classification import keys, local_provider, providers
from shared.classification.failover import Candidate
from shared.classification.models import LOCAL, Categories
from shared.errors import Conflict, Invalid


def chosen(
    order: Sequence[str], preferred: str | None, model: str | None, categories: Categories
) -> list[Candidate]:
    """Those that can be asked, in order; raises Invalid for a model that is not allowed.

    Raises Conflict where nobody can be asked.
    """
    first = preferred or (_owner(model, order) if model else None)
    if first is not None:
        # Before anything is read or called.
        providers.model_of(first, model)
    names = providers.order(order, first)
    ready = keys.credentials([name for name in names if name != LOCAL]).by_provider
    found = [
        _candidate(name, model if name == first else None, ready.get(name), categories)
        for name in names
        if name == LOCAL or name in ready
    ]
    if not found:
        raise Conflict("No AI provider can be asked: set a key, or put local into the order.")
    return found


def on_trial(
    provider: str, model: str | None, key: str | None, categories: Categories
) -> Candidate:
    """The one provider, for categories of a trial; raises Invalid for a model not allowed."""
    if provider == LOCAL:
        return _local(model, local_provider.untaught(categories))
    return _candidate(provider, model, key, categories)


def _candidate(
    provider: str, model: str | None, key: str | None, categories: Categories
) -> Candidate:
    if provider == LOCAL:
        return _local(model, local_provider.ready(categories))
    return Candidate(
        provider, providers.model_of(provider, model), providers.keyed(provider, key or "")
    )


def _local(model: str | None, ask: providers.Ask) -> Candidate:
    wanted = providers.model_of(LOCAL, model)
    return Candidate(LOCAL, wanted, ask, has_circuit=False, takes_many=False)


def _owner(model: str, order: Sequence[str]) -> str:
    for provider in (*order, *providers.known()):
        if any(each.name == model for each in providers.models_of(provider)):
            return provider
    raise Invalid.one("model", "is not on the allow-list of any provider")
