"""Pictures that were made to harm: refused, or cleaned, within the memory that is stated."""

import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from local.plan import ROOT
from shared.errors import Invalid, TooLarge
from shared.products.picture_reading import (
    LONGEST_SIDE,
    MOST_BYTES,
    MOST_SCANS,
    WIDTHS,
    Pictures,
    fitted,
    read,
)

# What the function's declaration leaves room for, and the decision record states.
STATED_MB = 1200
SECRET = b"SECRET-PLACE"
SIZE = (300, 200)


def packed(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@cache
def scene(mode: str = "RGB") -> Image.Image:
    return Image.effect_mandelbrot(SIZE, (-2, -1, 1, 1), 40).convert("RGB").convert(mode)


def frames(count: int) -> list[Image.Image]:
    return [Image.new("P", (16, 16), number % 250) for number in range(1, count)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes, depth: int = 8, data: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + b"".join(more)
        + chunk(b"IDAT", data or zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def gps() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[2] = (6.0, 55.0, 37.0)
    return exif


def commented() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    return info


def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.html", SECRET)
    return out.getvalue()


def many_scans() -> bytes:
    whole = packed(scene(), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * (MOST_SCANS + 10) + b"\xff\xd9"


def patched(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


def jpeg_of_size(width: int, height: int) -> bytes:
    whole = packed(scene(), "JPEG")
    return patched(whole, whole.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\xff",
    "zero bytes": lambda: b"\0" * 5000,
    "random": lambda: random.Random(1).randbytes(20_000),  # noqa: S311 - the same each time
    "text": lambda: b"hello, I am a picture.jpg",
    "html": lambda: b"<html><script>alert(1)</script>",
    "svg with script": lambda: SVG,
    "svg behind a declaration": lambda: b'<?xml version="1.0"?>' + SVG,
    "svg with entities": lambda: b'<!DOCTYPE s [<!ENTITY a "&#97;">]>' + SVG,
    "pdf": lambda: b"%PDF-1.7\n%%EOF",
    "zip": zipped,
    "executable": lambda: b"\x7fELF" + b"\0" * 100,
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "tiff": lambda: packed(scene(), "TIFF"),
    "bmp": lambda: packed(scene(), "BMP"),
    "ico": lambda: packed(scene(), "ICO"),
    "ppm": lambda: packed(scene(), "PPM"),
    "only a jpeg's beginning": lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "only a png's signature": lambda: b"\x89PNG\r\n\x1a\n",
    "only a gif's signature": lambda: b"GIF89a",
    "only a webp's signature": lambda: b"RIFF\x10\0\0\0WEBP",
    "truncated jpeg": lambda: packed(scene(), "JPEG")[:2000],
    "truncated progressive jpeg": lambda: packed(scene(), "JPEG", progressive=True)[:2000],
    "truncated png": lambda: packed(scene(), "PNG")[:2000],
    "truncated gif": lambda: packed(scene("P"), "GIF")[:2000],
    "truncated webp": lambda: packed(scene(), "WEBP")[:2000],
    "png with a wrong checksum": lambda: patched(packed(scene(), "PNG"), 60, b"\0\1\2\3"),
    "png of 60,000 x 60,000": lambda: png(60_000, 60_000),
    "png of 2**31 - 1 a side": lambda: png(2**31 - 1, 2**31 - 1),
    "png just over the pixels": lambda: png(7072, 7071),
    "png too wide": lambda: png(LONGEST_SIDE + 1, 1),
    "png too high": lambda: png(1, LONGEST_SIDE + 1),
    "png without pixels": lambda: png(0, 0),
    "png whose data ends early": lambda: png(5000, 5000),
    "png that unpacks for ever": lambda: png(9000, 9000, data=zlib.compress(b"\0" * 200_000_000)),
    "png with a text bomb": lambda: png(
        9, 9, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 80_000_000))
    ),
    "png with a profile bomb": lambda: png(
        9, 9, chunk(b"iCCP", b"k\0\0" + zlib.compress(b"x" * 80_000_000))
    ),
    "jpeg of 65,000 x 65,000": lambda: jpeg_of_size(65_000, 65_000),
    "gif of 65,535 x 65,535": lambda: patched(packed(scene("P"), "GIF"), 6, b"\xff\xff\xff\xff"),
    "jpeg of many scans": many_scans,
}
CLEANED: dict[str, Callable[[], bytes]] = {
    "jpeg with a place": lambda: packed(scene(), "JPEG", exif=gps(), comment=SECRET),
    "png with a place": lambda: packed(scene(), "PNG", exif=gps(), pnginfo=commented()),
    "webp with a place": lambda: packed(scene(), "WEBP", exif=gps(), xmp=SECRET),
    "gif with a comment": lambda: packed(scene("P"), "GIF", comment=SECRET),
    "jpeg with an archive behind it": lambda: packed(scene(), "JPEG") + zipped(),
    "png with a page behind it": lambda: packed(scene(), "PNG") + b"<script>" + SECRET,
    "gif that is a script too": lambda: packed(scene("P"), "GIF") + b"=1;alert('" + SECRET,
    "jpeg with a profile": lambda: packed(
        scene(),
        "JPEG",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ),
    "jpeg with a broken profile": lambda: packed(scene(), "JPEG", icc_profile=SECRET * 50),
    "jpeg in cmyk": lambda: packed(scene("CMYK"), "JPEG"),
    "jpeg in grey": lambda: packed(scene("L"), "JPEG"),
    "png of one bit": lambda: packed(scene("1"), "PNG"),
    "png of 16 bits": lambda: packed(scene("L").convert("I;16"), "PNG"),
    "png with a palette": lambda: packed(scene("P"), "PNG"),
    "png with a palette seen through": lambda: packed(scene("P"), "PNG", transparency=0),
    "png seen through": lambda: packed(scene("RGBA"), "PNG"),
    "png in grey seen through": lambda: packed(scene("LA"), "PNG"),
    "animated png": lambda: packed(
        scene(), "PNG", save_all=True, append_images=[scene().rotate(90)]
    ),
    "animated webp": lambda: packed(
        scene(), "WEBP", save_all=True, append_images=[scene().rotate(90)]
    ),
    "gif of 10,000 frames": lambda: packed(
        Image.new("P", (16, 16)), "GIF", save_all=True, append_images=frames(10_000)
    ),
    "one pixel": lambda: packed(Image.new("RGB", (1, 1)), "PNG"),
    "a line": lambda: packed(Image.new("RGB", (LONGEST_SIDE, 1)), "PNG"),
    "a pole": lambda: packed(Image.new("RGB", (1, LONGEST_SIDE)), "PNG"),
}
# The peak in MB of a process that reads files, each behind its length, one after another.
COSTLY = """
import sys
from contextlib import suppress
from shared.errors import Invalid
from shared.products.picture_reading import read
from tests.memory import peak_mb
while head := sys.stdin.buffer.read(8):
    content = sys.stdin.buffer.read(int.from_bytes(head, "big"))
    with suppress(Invalid):
        read(content, "file")
print(peak_mb())
"""
LARGEST = (7071, 7071)
LARGE: dict[str, Callable[[], bytes]] = {
    "png": lambda: packed(Image.new("RGBA", LARGEST, "#1234"), "PNG", compress_level=1),
    "palette": lambda: packed(Image.new("P", LARGEST), "PNG", transparency=0),
    "16 bits": lambda: packed(Image.new("I;16", LARGEST), "PNG", compress_level=1),
    "gif": lambda: packed(Image.new("P", LARGEST), "GIF", transparency=0),
    "webp": lambda: packed(Image.new("RGBA", LARGEST, "#1234"), "WEBP", lossless=True, method=0),
    "progressive": lambda: packed(Image.new("RGB", LARGEST), "JPEG", progressive=True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_picture_is_refused_with_the_field_named(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(REFUSED[name](), "file")
    assert [error.field for error in caught.value.errors] == ["file"]


def test_more_bytes_than_allowed_are_too_large() -> None:
    with pytest.raises(TooLarge):
        read(packed(scene(), "PNG") + b"\0" * MOST_BYTES, "file")


@pytest.mark.parametrize("name", CLEANED)
def test_what_can_be_shown_is_shown_and_carries_nothing_else(name: str) -> None:
    check_clean(read(CLEANED[name](), "file"))


def check_clean(pictures: Pictures) -> None:
    assert tuple(pictures.by_width) == WIDTHS
    for width, content in pictures.by_width.items():
        assert SECRET not in content
        with Image.open(BytesIO(content)) as stored:
            assert stored.format == "WEBP"
            assert stored.width <= width
            assert stored.height <= 2 * width
            assert getattr(stored, "n_frames", 1) == 1
            assert not set(stored.info) & {"exif", "icc_profile", "xmp"}


def peak_mb(*files: bytes) -> int:
    """What it takes to read them, refused or not."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", COSTLY],
        input=b"".join(len(content).to_bytes(8, "big") + content for content in files),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(float(done.stdout))


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_pictures_stay_within_the_stated_memory(name: str) -> None:
    # Each is really decoded: none is refused for its size.
    assert 100 < peak_mb(LARGE[name]()) < STATED_MB


def test_what_is_hostile_stays_within_the_stated_memory() -> None:
    hostile = [make() for files in (REFUSED, CLEANED) for make in files.values()]
    assert len(hostile) >= 30
    assert peak_mb(*hostile) < STATED_MB


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    half = Image.new("RGB", (40, 20), "blue")
    half.paste("red", (0, 0, 20, 10))
    turned = read(packed(half, "PNG", exif=exif), "file")
    assert (turned.width, turned.height) == ((20, 40) if orientation > 4 else (40, 20))
    with Image.open(BytesIO(turned.by_width[1200])) as stored:
        corners = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]
        seen = [
            stored.getpixel((int(x * stored.width), int(y * stored.height))) for x, y in corners
        ]
    red = [index for index, colour in enumerate(seen) if colour[0] > 150]  # type: ignore[index]
    # Which corner of the picture the camera's first one is, as EXIF numbers it.
    assert red == [{1: 0, 2: 1, 3: 2, 4: 3, 5: 0, 6: 1, 7: 2, 8: 3}[orientation]]


def test_deep_grey_keeps_its_shades() -> None:
    deep = Image.new("I;16", (8, 8), 128 * 257)
    with Image.open(BytesIO(read(packed(deep, "PNG"), "file").by_width[160])) as stored:
        assert abs(stored.convert("L").getpixel((4, 4)) - 128) < 4  # type: ignore[operator]


def test_what_is_seen_through_stays_so() -> None:
    glass = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    with Image.open(BytesIO(read(packed(glass, "PNG"), "file").by_width[160])) as stored:
        assert stored.convert("RGBA").getpixel((4, 4))[3] == 0  # type: ignore[index]


def test_the_same_pixels_are_the_same_picture_however_they_were_packed() -> None:
    plain = read(packed(scene(), "PNG"), "file")
    assert plain == read(packed(scene(), "PNG", exif=gps(), compress_level=9), "file")
    assert plain == read(packed(scene(), "WEBP", lossless=True), "file")
    assert plain.digest != read(packed(scene().rotate(180), "PNG"), "file").digest


@given(st.integers(1, LONGEST_SIDE), st.integers(1, LONGEST_SIDE), st.sampled_from(WIDTHS))
def test_a_picture_fits_in_its_proportions_and_is_never_enlarged(
    w: int, h: int, width: int
) -> None:
    shown = fitted((w, h), width)
    assert 1 <= shown[0] <= min(w, width)
    assert 1 <= shown[1] <= min(h, 2 * width)
    assert shown == (w, h) or width in shown or 2 * width in shown


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        ["jpeg with a place", "png with a palette", "animated webp", "gif with a comment"]
    ),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=20),
    st.floats(0.3, 1.0),
)
def test_damaged_bytes_are_refused_or_cleaned(
    name: str, changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(sample(name))
    for where, value in changes:
        content[int(where * len(content))] = value
    try:
        pictures = read(bytes(content[: int(kept * len(content)) + 1]), "file")
    except Invalid:
        return
    check_clean(pictures)


@cache
def sample(name: str) -> bytes:
    return CLEANED[name]()
