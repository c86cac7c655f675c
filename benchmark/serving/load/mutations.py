"""Uploads spoilt on purpose: truncated, flipped and spliced files, files with false headers, and spoilt forms."""

import random
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from benchmark.serving import images
from benchmark.serving.load.client import CONTENT_TYPE, form

_LENGTHS = (0, 1, 7, 8, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)


def seeds() -> list[bytes]:
    """Small files of every accepted format and kind, and some of others."""
    pixels = images.pattern(24, 32)
    grey = Image.fromarray(pixels).convert("L")
    symbol = images.symbol("https://example.org/seed", scale=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = [images.encode(pixels, kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]
    found += [images.encode(symbol, kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]
    found += [images.encode(grey.convert(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGBA", "I;16")]
    found += [images.encode(grey.convert("CMYK"), "JPEG"), images.encode(pixels, "JPEG", progressive=True)]
    found += [images.encode(pixels, "JPEG", exif=exif), images.encode(pixels, "PNG", exif=exif)]
    found += [
        images.encode(pixels, "WEBP", lossless=True),
        images.encode(pixels, "TIFF"),
        images.encode(pixels, "PPM"),
    ]
    found += [images.animation(kind, side=16) for kind in ("GIF", "WEBP", "PNG")]
    found += [images.png_header(30_000, 30_000), images.png_header(4000, 3000), b"<svg/>", b"%PDF-1.4"]
    return found


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _noise(data: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(data))
    length = min(rng.choice((1, 2, 4, 32)), len(data) - start)
    data[start : start + length] = rng.randbytes(length)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(1, len(data) + 1)]


def _drop(data: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 2, 8, 100))]
    return data or bytearray(b"\0")


def _repeat(data: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.choice((1, 4, 64, 500))]
    return data[:start] + piece * rng.choice((2, 3, 40)) + data[start:]


def _number(data: bytearray, rng: random.Random) -> bytearray:
    """Put another number where a length or a dimension may be."""
    start = rng.randrange(min(len(data), 64))
    form_ = rng.choice((">I", "<I", ">H", "<H"))
    value = rng.choice(_LENGTHS) % (1 << (8 * struct.calcsize(form_)))
    data[start : start + struct.calcsize(form_)] = struct.pack(form_, value)
    return data


def _header(data: bytearray, rng: random.Random) -> bytearray:
    """A PNG with a false header and a matching checksum, so that it passes the checksum test."""
    if data[:4] != b"\x89PNG" or len(data) < 33:
        return _number(data, rng)
    width, height = rng.choice((1, 8, 31, 64, 4000)), rng.choice((1, 8, 23, 64, 5000))
    fields = struct.pack(
        ">IIBBBBB", width, height, rng.choice((1, 2, 8, 16)), rng.randrange(8), 0, 0, rng.randrange(3)
    )
    data[16:29] = fields
    data[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + fields))
    return data


def _splice(data: bytearray, rng: random.Random) -> bytearray:
    other = rng.choice(SEEDS)
    return data[: rng.randrange(1, len(data) + 1)] + other[rng.randrange(len(other)) :]


_FILES: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    _flip,
    _flip,
    _noise,
    _cut,
    _drop,
    _repeat,
    _number,
    _header,
    _splice,
)
SEEDS = seeds()


def spoilt_file(rng: random.Random) -> bytes:
    """A seed after one to four mutations."""
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(_FILES)(data, rng)
    return bytes(data)


_PATHS = (
    *("/decode", "/v1/decode", "/upscale", "/v1/upscale") * 4,
    *(
        "/upscale?format=jpeg",
        "/upscale?format=webp",
        "/upscale?decode=true",
        "/upscale?format=tiff",
        "/decode?x=1",
    ),
    *("/upscale?decode=%00", "/upscale?format=png&format=jpeg", "/decode/", "//decode", "/v1"),
)
_TYPES = (
    *("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other"),
    *("application/json", "text/plain; charset=\xff", "multipart/mixed; boundary=3f2c9e1b7a5d", "*/*", ""),
)


def spoilt_request(rng: random.Random) -> bytes:
    """A whole request: mostly a spoilt file in a good form, sometimes a spoilt form, type, path or header."""
    body, kind, path = form(spoilt_file(rng)), CONTENT_TYPE, rng.choice(_PATHS)
    headers: list[str] = []
    draw = rng.random()
    if draw < 0.15:
        mutable = bytearray(body)
        # The head of the form, with the names of the fields and the boundary.
        part = rng.choice(_FILES)(mutable[:140], rng) + mutable[140:]
        body = bytes(part)
    elif draw < 0.2:
        kind = rng.choice(_TYPES)
    elif draw < 0.25:
        body = body.replace(
            b'name="file"', rng.choice((b"name=file", b'name=""', b'name="files"', b"", b'name="f\0le"'))
        )
    elif draw < 0.28:
        headers.append(
            rng.choice(
                (
                    *("X-Request-ID: a\tb", "X-API-Key: \xff", "Expect: 100-continue", "Accept: \x7f/*"),
                    "Connection: Upgrade\r\nUpgrade: h2c",
                )
            )
        )
    elif draw < 0.3:
        body = body * rng.choice((2, 18))
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body
