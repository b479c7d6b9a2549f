"""Google's metadata server, as a pod of ours asks it who it is."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
_LIFETIME_SECONDS = 3600


class MetadataServer:
    """Knows one account, the pods'; `sign` makes a token for an audience."""

    def __init__(self, sign: Callable[[str], str]) -> None:
        self._sign = sign

    def routes(self) -> list[Route]:
        """Identity for our functions, and access to Storage, which here takes anybody."""
        return [
            Route(f"{_ACCOUNT}/identity", self._identity),
            Route(f"{_ACCOUNT}/token", self._token),
        ]

    async def _identity(self, request: Request) -> Response:
        if (refused := _refusal(request)) is not None:
            return refused
        return PlainTextResponse(self._sign(request.query_params["audience"]))

    async def _token(self, request: Request) -> Response:
        if (refused := _refusal(request)) is not None:
            return refused
        told = {"access_token": "local", "expires_in": _LIFETIME_SECONDS, "token_type": "Bearer"}
        return JSONResponse(told)


def _refusal(request: Request) -> Response | None:
    """What a page of a browser cannot send keeps pages from asking."""
    if request.headers.get("Metadata-Flavor") == "Google":
        return None
    return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403)
