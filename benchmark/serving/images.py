"""Uploads: symbols, pictures in every accepted form, and files that are broken on purpose."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import segno
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def symbol(content: str | bytes, *, scale: int = 4, border: int = 4, **options: Any) -> Pixels:
    """A QR symbol, `(H, W) uint8`, `scale` pixels a module, black on white."""
    modules = segno.make(content, micro=False, **options).matrix_iter(scale=scale, border=border)
    return np.where(np.array([list(row) for row in modules]) > 0, 0, 255).astype(np.uint8)


def pattern(height: int, width: int, *, seed: int = 0) -> Pixels:
    """Smooth colours with edges, `(H, W, 3) uint8`."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (max(height // 8, 2), max(width // 8, 2), 3), np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def encode(pixels: Pixels | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Encode an array or a Pillow image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes, *, crc_error: int = 0) -> bytes:
    """A PNG chunk; `crc_error` is xored into its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ crc_error)


def png_header(width: int, height: int) -> bytes:
    """A PNG of 1 KB with a header for `width` × `height` RGB pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_broken_crc(png: bytes, kind: bytes) -> bytes:
    """The same PNG with one bit of the first `kind` chunk's checksum flipped."""
    start = png.index(kind) - 4
    (length,) = struct.unpack_from(">I", png, start)
    at = start + 8 + length
    return png[:at] + bytes([png[at] ^ 1]) + png[at + 1 :]


def animation(kind: str, frames: int = 3, side: int = 40) -> bytes:
    """An animated GIF, WebP or PNG whose first frame is red and whose others are blue."""
    colours = ["red"] + ["blue"] * (frames - 1)
    first, *rest = (Image.new("RGB", (side, side), colour) for colour in colours)
    # They differ in one pixel, or encoders merge equal frames.
    for index, frame in enumerate(rest):
        frame.putpixel((index, 0), (0, 255, 0))
    return encode(first, kind, save_all=True, append_images=rest, duration=100)
