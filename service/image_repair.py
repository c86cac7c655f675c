"""Image files that are not quite whole, mended as far as every browser overlooks it.

Only what holds no pixels is mended: whether all pixels are there is found out afterwards.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
"""Chunks that pixels are made of."""
_END_OF_IMAGE: Final = b"\xff\xd9"


def whole_png(data: bytes) -> bytes:
    """The image as it is where all its checksums are right and it has an end. Otherwise the chunks that pixels are made
    of and an end, without texts, profiles and the like, whose checksums may be wrong.

    Raises:
        ValueError: the checksum of a chunk that pixels are made of is wrong.
    """
    chunks = list(_chunks(data))
    sound = [zlib.crc32(kind + content) == checksum for kind, content, checksum in chunks]
    if all(sound) and chunks and chunks[-1][0] == b"IEND":
        return data
    parts = [PNG_SIGNATURE]
    for (kind, content, checksum), right in zip(chunks, sound, strict=True):
        if kind in _PIXELS and not right:
            raise ValueError("a checksum is wrong")
        if kind in _PIXELS or (kind == b"eXIf" and right):
            parts += [struct.pack(">I", len(content)), kind, content, struct.pack(">I", checksum)]
    parts += [struct.pack(">I", 0), b"IEND", struct.pack(">I", zlib.crc32(b"IEND"))]
    return b"".join(parts)


def ended_jpegs(data: bytes) -> tuple[bytes, bytes]:
    """A JPEG image that lacks its end marker, in two forms: where all pixels are there, both give the same picture.

    Decoders pass over what stands between the last pixel and the end marker. But where pixels are missing, they take it
    for them, and the two forms differ in it.
    """
    return data + _END_OF_IMAGE, data + b"\x5a\xa5\x3c\x99" * 64 + _END_OF_IMAGE


def ends_as_jpeg(data: bytes) -> bool:
    """Whether there is an end marker behind all else that is no padding."""
    return data.rstrip(b"\0\r\n ").endswith(_END_OF_IMAGE)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, content and checksum of every chunk up to the end; a last one that is cut off is given a checksum."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        content, checksum = data[at + 8 : at + 8 + length], data[at + 8 + length : at + 12 + length]
        right = struct.unpack(">I", checksum)[0] if len(checksum) == 4 else zlib.crc32(kind + content)
        yield kind, content, right
        at += 12 + length
        if kind == b"IEND":
            return
