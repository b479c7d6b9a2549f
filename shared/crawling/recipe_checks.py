"""What no schema can say of a recipe: selectors and addresses that nothing can be done with."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from shared.crawling import selectors
from shared.crawling.recipes import Fields, Listing, Site
from shared.errors import FieldError

_LOOPBACK: Final = "127.0.0.1"


def problems(site: Site) -> list[FieldError]:
    """Each field of the recipe that a pod could do nothing with."""
    return [
        *_addresses(site),
        *_selectors("listing", site.listing),
        *(_selectors("fields", site.fields) if site.fields is not None else ()),
        *_paths(site),
    ]


def _selectors(name: str, chosen: Listing | Fields) -> Iterator[FieldError]:
    for field, selector in msgspec.structs.asdict(chosen).items():
        if selector is not None and (trouble := selectors.trouble(selector)):
            yield FieldError(f"{name}.{field}", trouble)


def _addresses(site: Site) -> Iterator[FieldError]:
    for category, starts in site.start_urls.items():
        for number, url in enumerate(starts):
            if not _is_address(url):
                field = f"start_urls.{category}[{number}]"
                yield FieldError(field, "is no address that begins with https://")
    if site.local_origin is not None and not _is_local_origin(site.local_origin):
        yield FieldError("local_origin", f"is not http://{_LOOPBACK}:<port>")


def _paths(site: Site) -> Iterator[FieldError]:
    for number, path in enumerate(site.javascript):
        if not path.startswith("/"):
            yield FieldError(f"javascript[{number}]", "is no beginning of a path, such as /app/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_local_origin(url: str) -> bool:
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return bool(port) and url == f"http://{_LOOPBACK}:{port}"
