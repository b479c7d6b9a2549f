"""What the crawler's endpoints take and answer."""

import msgspec

from shared.crawling.recipes import Site


class RetailerView(Site, frozen=True, kw_only=True):
    """A retailer's recipe as the console reads it."""

    retailer: str
    version: int
    updated_at: str


class RetailerList(msgspec.Struct):
    """Every retailer, in order of name."""

    retailers: list[RetailerView]
