"""Schedule: train the matcher anew, once a night."""

import msgspec

from shared.edge import Request, schedule


@schedule(__name__, memory_mb=2048, timeout_seconds=1200)
def retrain_matcher(request: Request) -> None:
    """Learns from the catalogue and from what people decided of pairs."""
    from shared.products import retraining

    retraining.retrain(msgspec.structs.replace(request.actor, action="matcher.trained"))
