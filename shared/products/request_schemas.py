"""What shoppers ask for, and what the endpoints about it take and answer."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.edge.pages import Cursor, PageSize

RequestStatus = Literal["open", "planned", "done", "rejected"]


class ProductWish(msgspec.Struct, forbid_unknown_fields=True):
    """What a shopper asks for; nothing about the shopper is wanted."""

    name: Annotated[str, Meta(min_length=2, max_length=200)]
    brand: Annotated[str, Meta(max_length=100)] = ""
    size: Annotated[str, Meta(max_length=60)] = ""
    retailer: Annotated[str, Meta(max_length=60)] = ""


class WishView(msgspec.Struct):
    """The request that a wish became part of, and how many asked for it."""

    id: str
    name: str
    status: RequestStatus
    count: int


class ProductRequestView(msgspec.Struct):
    """One request as admins see it, in the words of who asked first."""

    id: str
    name: str
    brand: str
    size: str
    retailer: str
    count: int
    status: RequestStatus
    note: str
    version: int
    created_at: str
    last_asked_at: str


class RequestQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which requests, newest or most asked first."""

    status: RequestStatus | None = None
    sort: Literal["-created_at", "-count"] = "-created_at"
    limit: PageSize = 20
    cursor: Cursor | None = None


class RequestPage(msgspec.Struct):
    """One page of requests."""

    requests: list[ProductRequestView]
    next_cursor: str | None


class RequestChange(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a request; PUT replaces both fields."""

    status: RequestStatus
    note: Annotated[str, Meta(max_length=1000)] = ""
