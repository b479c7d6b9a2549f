"""Uploaded bytes into WebP pictures that carry nothing but their pixels.

What is decoded is bounded before it is decoded: bytes, format by content, pixels, sides, and for
JPEG the scans, each of which costs a pass over the whole picture. Only the first frame of an
animation is ever decoded, so that the number of frames costs nothing.
"""

import hashlib
import threading
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Final

import msgspec

from shared.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTHS: Final = (160, 480, 1200)
# A picture is scaled to fit its width and this many times it in height.
TALLEST: Final = 2
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
# WebP's own limit.
LONGEST_SIDE: Final = 16_383
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
MOST_SCANS: Final = 40
QUALITY: Final = 82
_START_OF_SCAN: Final = b"\xff\xda"
_JPEG: Final = b"\xff\xd8\xff"
_DEEP: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
# EXIF's orientations as Pillow's transpositions; 1 is upright.
_ORIENTATION: Final = 0x0112
_TURNED: Final = (5, 6, 7, 8)

# Decoding one picture may take most of an instance's memory.
_one_at_a_time = threading.Lock()


class Pictures(msgspec.Struct, frozen=True):
    """One picture in its widths as WebP; `digest` names its pixels, however they were packed."""

    digest: str
    width: int
    height: int
    by_width: dict[int, bytes]


def read(content: bytes, field: str) -> Pictures:
    """The picture in `content`; raises TooLarge, or Invalid naming `field`."""
    if len(content) > MOST_BYTES:
        raise TooLarge(f"A picture may have up to {MOST_BYTES} bytes.")
    if content.startswith(_JPEG) and content.count(_START_OF_SCAN) > MOST_SCANS:
        raise Invalid.one(field, "is a JPEG of too many scans")
    with _one_at_a_time:
        try:
            upright = _scaled(content, field)
        except Invalid:
            raise
        except Exception as error:  # a decoder may fail in any way on bytes that were made to harm
            raise Invalid.one(field, "is damaged, or not a picture that can be read") from error
        return _packed(upright)


def _scaled(content: bytes, field: str) -> "Image":
    """The first frame as RGB or RGBA in sRGB, upright, at the largest width that is stored."""
    image = _opened(content, field)
    orientation = _orientation(image)
    turned = orientation in _TURNED
    shown = (image.height, image.width) if turned else image.size
    wanted = fitted(shown, WIDTHS[-1])
    stored = (wanted[1], wanted[0]) if turned else wanted
    image.draft(None, stored)
    image.load()
    profile = image.info.get("icc_profile")
    small = _resized(_plain(image), stored)
    return _upright(_in_srgb(small, profile), orientation)


def _opened(content: bytes, field: str) -> "Image":
    from PIL import Image, ImageFile, UnidentifiedImageError

    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Pillow refuses by itself what has twice as many; the exact limit is checked below.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        # Reads all checksums of a PNG; a picture that was verified has to be opened again.
        Image.open(BytesIO(content), formats=FORMATS).verify()
        image = Image.open(BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise Invalid.one(field, "must be a JPEG, PNG, WebP or GIF picture") from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(field) from None
    if image.width * image.height > MOST_PIXELS or max(image.size) > LONGEST_SIDE:
        raise _too_many_pixels(field)
    return image


def _too_many_pixels(field: str) -> Invalid:
    most = MOST_PIXELS // 1_000_000
    return Invalid.one(
        field, f"must have at most {most} million pixels, and {LONGEST_SIDE} on a side"
    )


def fitted(size: Sequence[int], width: int) -> tuple[int, int]:
    """The size at which a picture fits `width`, in its proportions and never enlarged."""
    scale = min(1.0, width / size[0], width * TALLEST / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _orientation(image: "Image") -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - whatever is wrong with what a camera says, the pixels count
        return 1


def _plain(image: "Image") -> "Image":
    """The picture in a mode that can be scaled, without losing what is seen through."""
    if image.mode in _DEEP:
        return _eight_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _eight_bits(image: "Image") -> "Image":
    """Deep greys with their whole range kept, where Pillow's own conversion may cut it off."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _resized(image: "Image", size: tuple[int, int]) -> "Image":
    from PIL.Image import Resampling

    if image.size == size:
        return image
    return image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(image: "Image", profile: object) -> "Image":
    """The colours that the embedded profile means; a profile that cannot be read is left out."""
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and profile:
        from PIL import ImageCms

        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=target,
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert(target)


def _upright(image: "Image", orientation: int) -> "Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _packed(image: "Image") -> Pictures:
    digest = hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes())
    return Pictures(
        digest=digest.hexdigest()[:40],
        width=image.width,
        height=image.height,
        by_width={width: _webp(_resized(image, fitted(image.size, width))) for width in WIDTHS},
    )


def _webp(image: "Image") -> bytes:
    packed = BytesIO()
    # Empty rather than absent: what the source carried must not come along.
    image.save(packed, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return packed.getvalue()
