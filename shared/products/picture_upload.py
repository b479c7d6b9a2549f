"""A product's picture, from what was sent or from the address that was given."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.clients import guarded_http
from shared.edge.request import Actor, Form
from shared.errors import DependencyFailed, Invalid, TooLarge
from shared.products import catalogue, picture_reading, pictures
from shared.products.models import Product

FETCH_SECONDS: Final = 15.0
MOST_REDIRECTS: Final = 3
_OK: Final = 200


class PictureAddress(msgspec.Struct, forbid_unknown_fields=True):
    """Where the picture is to be fetched from."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]


def replace(
    product_id: str, body: PictureAddress | Form, expected: int | None, by: Actor
) -> Product:
    """The product with its new picture; raises NotFound, StaleVersion, TooLarge or Invalid."""
    # Before anything is fetched or decoded for a product that cannot have it.
    catalogue.check_changeable(product_id, expected)
    if isinstance(body, PictureAddress):
        content, field = _fetched(body.url), "url"
    else:
        content, field = _sent(body), "file"
    folder = pictures.keep(picture_reading.read(content, field))
    return catalogue.set_picture(product_id, folder, expected, by)


def remove(product_id: str, expected: int | None, by: Actor) -> Product:
    """The product without a picture; a second removal changes nothing. Raises as `replace`."""
    return catalogue.set_picture(product_id, None, expected, by)


def _sent(form: Form) -> bytes:
    unknown = set(form.fields) | (set(form.files) - {"file"})
    if unknown:
        raise Invalid.one(min(unknown), "is not known")
    if "file" not in form.files:
        raise Invalid.one("file", "is required")
    return form.files["file"].content


def _fetched(url: str) -> bytes:
    reply = guarded_http.get(
        url,
        most_bytes=picture_reading.MOST_BYTES,
        most_redirects=MOST_REDIRECTS,
        seconds=FETCH_SECONDS,
        field="url",
    )
    if reply.status >= 500:  # noqa: PLR2004 - the other side's own failure
        raise DependencyFailed(f"The address answered {reply.status}.")
    if reply.status != _OK:
        raise Invalid.one("url", f"answers {reply.status}, not a picture")
    if not reply.whole:
        raise TooLarge(f"A picture may have up to {picture_reading.MOST_BYTES} bytes.")
    return reply.content
