"""Training the matcher on the catalogue and on what people decided, once a night.

What it reads and learns from is capped. Of a larger catalogue it takes runs of neighbours in the
order of names, from places drawn at random: what may be one product stands together there, and
a sample of single products would hold hardly any two offers of one. Pairs are matched anew by
the new model as their products are written, or all of them by a full re-match.
"""

import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec.structs import asdict

from shared.clients import firestore, storage
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.products import catalogue, decisions, match_models, postings
from shared.products.match_models import Model
from shared.products.matching import Offer
from shared.products.models import from_document
from shared.system import audit

log = logging.getLogger(__name__)

MOST_OFFERS: Final = 20_000
MOST_DECISIONS: Final = 2_000
RUN_OFFERS: Final = 500
# Fewer offers say nothing about what is usual.
FEWEST_OFFERS: Final = 50
KEPT_MODELS: Final = 5
FILES_PAGE: Final = 100
_LONG_SECONDS: Final = firestore.LONG_TIMEOUT_SECONDS

Offers = dict[str, Offer]
Decisions = list[tuple[str, str, bool]]


def retrain(by: Actor, clock: Clock = utc_now, most_offers: int = MOST_OFFERS) -> Model | None:
    """The model that is current from now on, None where there is too little to learn from.

    The artefact is stored before it is named; one that was cut off is named by nobody. Raises a
    DependencyError.
    """
    decided = _decisions()
    offers = _sample(most_offers)
    offers |= _by_id({each for a, b, _ in decided for each in (a, b)} - set(offers))
    if len(offers) < FEWEST_OFFERS:
        log.info("Too few offers to train on", extra={"context": {"offers": len(offers)}})
        return None
    labels = [(a, b, same) for a, b, same in decided if a in offers and b in offers]
    began = time.monotonic()
    artefact = match_models.trained(list(offers.values()), labels)
    seconds = round(time.monotonic() - began, 1)
    now = clock()
    # Sorted by name they are sorted by age.
    version = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    model = Model(version, now, len(offers), len(labels), seconds)
    storage.put(
        match_models.object_name(version), artefact, "application/octet-stream", "private, no-store"
    )
    _name(model, by)
    _forget_old(version)
    log.info("Trained the matcher", extra={"context": {**asdict(model), "bytes": len(artefact)}})
    return model


def _name(model: Model, by: Actor) -> None:
    former = match_models.read()
    batch = firestore.client().batch()
    batch.set(match_models.pointer(), asdict(model))
    before = _told(former) if former else None
    resource = f"{match_models.COLLECTION}/current"
    batch.create(*audit.entry(by, resource, before, _told(model)))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _told(model: Model) -> dict[str, Any]:
    return {"version": model.version, "offers": model.offers, "decisions": model.decisions}


def _forget_old(current: str) -> None:
    """The last few stay: an instance may be about to fetch the one before."""
    names = sorted(
        each.name for page in storage.pages(match_models.FOLDER, FILES_PAGE) for each in page
    )
    for name in names[:-KEPT_MODELS]:
        if name != match_models.object_name(current):
            storage.remove(name)


def _decisions() -> Decisions:
    """The newest decisions: one read each."""
    newest = (
        firestore.client()
        .collection(decisions.COLLECTION)
        .order_by("decided_at", direction="DESCENDING")
        .limit(MOST_DECISIONS)
    )
    with firestore.errors_mapped():
        found = [s.to_dict() or {} for s in newest.stream(**firestore.limits(_LONG_SECONDS))]
    return [(*fields["products"], fields["same"]) for fields in found]


def _sample(most: int) -> Offers:
    """Up to `most` listed offers; the whole catalogue if it has no more."""
    with firestore.errors_mapped():
        known = firestore.count(_listed().limit(most + 1), _LONG_SECONDS)
    if known <= most:
        return _run(None, most)
    offers: Offers = {}
    # Each run begins elsewhere; that some overlap must not make this endless.
    for _ in range(2 * most // RUN_OFFERS):
        if len(offers) + RUN_OFFERS > most:
            break
        offers |= _run(_anywhere(), RUN_OFFERS)
    return offers


def _run(name_key: str | None, most: int) -> Offers:
    """Listed offers in the order of their names, from a name on."""
    query = _listed().order_by("name_key").order_by("__name__")
    offers: Offers = {}
    if name_key is not None:
        query = query.start_at({"name_key": name_key})
    while len(offers) < most:
        asked = min(RUN_OFFERS, most - len(offers))
        with firestore.errors_mapped():
            found = list(query.limit(asked).stream(**firestore.limits(_LONG_SECONDS)))
        offers |= _offers(found)
        if len(found) < asked:
            break
        query = query.start_after(found[-1])
    return offers


def _anywhere() -> str | None:
    """The name of some listed product: ids are random, so any id is a place drawn at random."""
    draw = secrets.token_hex(10)
    query = _listed().order_by("__name__").start_at({"__name__": catalogue.reference(draw)})
    with firestore.errors_mapped():
        found = list(query.limit(1).stream(**firestore.limits()))
    return str(found[0].get("name_key")) if found else None


def _listed() -> Any:
    from google.cloud.firestore import FieldFilter

    products = firestore.client().collection(catalogue.COLLECTION)
    return products.where(filter=FieldFilter("listed", "==", True))


def _by_id(ids: Iterable[str]) -> Offers:
    """The offers of decided pairs, as long as they are known."""
    offers: Offers = {}
    for some in _portions(sorted(ids), RUN_OFFERS):
        references = [catalogue.reference(each) for each in some]
        with firestore.errors_mapped():
            found = firestore.client().get_all(references, **firestore.limits(_LONG_SECONDS))
            offers |= _offers([snapshot for snapshot in found if snapshot.exists])
    return offers


def _offers(found: Iterable[Any]) -> Offers:
    products = (from_document(s.id, s.to_dict() or {}) for s in found)
    return {product.id: postings.offer_of(product) for product in products}


def _portions(ids: list[str], most: int) -> Iterator[list[str]]:
    for at in range(0, len(ids), most):
        yield ids[at : at + most]
