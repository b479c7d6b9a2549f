"""A gRPC server on loopback whose methods are plain methods on the real clients' messages."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, get_type_hints

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]

# One annotated parameter, `request`, and a message as the answer; None answers with Empty.
Method = Callable[[Any], object]

T = TypeVar("T")
M = TypeVar("M")

_LONGEST_PAGE = 1000


class Refused(Exception):
    """A call that the real service would refuse, with the code it would give."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> Refused:
    """A refusal of what the call says."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> Refused:
    """A refusal because the named thing is not there."""
    return Refused(grpc.StatusCode.NOT_FOUND, message)


def already_exists(message: str) -> Refused:
    """A refusal because the name is taken."""
    return Refused(grpc.StatusCode.ALREADY_EXISTS, message)


def failed_precondition(message: str) -> Refused:
    """A refusal because the present state does not allow the call."""
    return Refused(grpc.StatusCode.FAILED_PRECONDITION, message)


def page(items: Sequence[T], size: int, token: str) -> tuple[Sequence[T], str]:
    """One page of `items` and the token of the next, empty at the end."""
    start = int(token) if token.isdecimal() else 0
    end = start + (min(size, _LONGEST_PAGE) or _LONGEST_PAGE)
    return items[start:end], str(end) if end < len(items) else ""


def merged(kind: Any, known: M, wanted: M, mask: Any) -> M:
    """The message as it is after a change of the fields in the mask, of all where it is empty."""
    if not (mask and mask.paths):
        return kind(wanted)  # type: ignore[no-any-return]
    changed = kind(known)
    mask.MergeMessage(kind.pb(wanted), kind.pb(changed), replace_message_field=True)
    return changed  # type: ignore[no-any-return]


class RpcServer:
    """Serves `methods` as the gRPC service named `service`, on the running event loop."""

    def __init__(self, service: str, methods: Iterable[Method]) -> None:
        self._service = service
        self._methods = tuple(methods)
        self._server: Any = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1, on a free port for 0, and return it; RuntimeError if it is taken."""
        # Without this option a second server on a taken port would silently share it.
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handlers = {_rpc_name(method): _handler(method) for method in self._methods}
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(self._service, handlers),)
        )
        bound: int = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()
        return bound

    async def stop(self) -> None:
        """Stop listening; calls in progress have a moment to end."""
        if self._server is not None:
            await self._server.stop(grace=0.1)


def _rpc_name(method: Method) -> str:
    return "".join(part.capitalize() for part in method.__name__.split("_"))


def _handler(method: Method) -> object:
    request_type = get_type_hints(method)["request"]

    async def call(request: object, context: grpc.aio.ServicerContext) -> object:
        try:
            return method(request)
        except Refused as refused:
            return await context.abort(refused.code, str(refused))

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request_type.deserialize, response_serializer=_serialized
    )


def _serialized(message: Any) -> bytes:
    return b"" if message is None else bytes(type(message).serialize(message))
