"""Eventarc's document events: protobuf in, plain values out."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from google.events.cloud.firestore import DocumentEventData

from shared import logs
from shared.clock import epoch_micros
from shared.config import settings
from shared.edge.background import DocumentChange
from shared.edge.declaration import Function
from shared.edge.paths import match

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

log = logging.getLogger(__name__)


def receive(
    declaration: Function, handler: Callable[[DocumentChange], None], event: "CloudEvent"
) -> None:
    """Hands one event to its handler; an exception is logged and raised, which loses the event."""
    logs.set_up(settings())
    logs.request_fields.set({"request_id": event["id"], "function": declaration.name})
    change = read(declaration.document or "", event)
    try:
        handler(change)
    except Exception:
        log.exception("Trigger failed", extra={"context": {"event": event["id"]}, "risk": "high"})
        raise


def read(template: str, event: "CloudEvent") -> DocumentChange:
    """The change that a CloudEvent in binary mode carries; raises ValueError for another path."""
    data = DocumentEventData.deserialize(event.data)
    name = data.value.name or data.old_value.name
    parameters = match(template, name.partition("/documents/")[2])
    if parameters is None:
        raise ValueError(f"The event is not about {template}.")
    return DocumentChange(
        parameters=parameters,
        before=_fields(data.old_value.fields) if data.old_value.name else None,
        after=_fields(data.value.fields) if data.value.name else None,
        commit_micros=_micros(data.value.update_time if data.value.name else event["time"]),
        event_id=event["id"],
    )


def _micros(moment: Any) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return epoch_micros(moment)


def _fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    kind = value._pb.WhichOneof("value_type")  # noqa: SLF001 - proto-plus has no such question
    if kind == "null_value":
        return None
    if kind == "map_value":
        return _fields(value.map_value.fields)
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    return getattr(value, kind)
