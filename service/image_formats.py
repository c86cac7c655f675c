"""Which image formats are taken, how they are recognised, and by which decoder they are opened.

What is accepted: PNG, JPEG, WebP, BMP, GIF and TIFF, and, where their decoders are installed, HEIC and AVIF. They are
recognised by their first bytes, whatever the name or declared type.
"""

import io
from typing import Final

from PIL import Image as Pil
from PIL import features

from service.errors import ServiceError

_SIGNATURES: Final = (
    ("PNG", b"\x89PNG\r\n\x1a\n", 0),
    ("JPEG", b"\xff\xd8\xff", 0),
    ("WEBP", b"WEBP", 8),
    ("GIF", b"GIF87a", 0),
    ("GIF", b"GIF89a", 0),
    ("BMP", b"BM", 0),
    ("TIFF", b"II*\0", 0),
    ("TIFF", b"MM\0*", 0),
    ("TIFF", b"II+\0", 0),
    ("TIFF", b"MM\0+", 0),
)
_BRANDS: Final = {
    "HEIF": frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}),
    "AVIF": frozenset({b"avif", b"avis"}),
}
"""Of ISO base media files (ISO/IEC 23008-12, annex B; AV1 Image File Format, section 6)."""
_NAMES: Final = {"HEIF": "HEIC"}
"""What people call a format, where Pillow calls it otherwise."""
_OTHERS: Final = (
    ("PDF", b"%PDF"),
    ("SVG", b"<svg"),
    ("XML or SVG", b"<?xml"),
    ("HTML", b"<!DOCTYPE"),
    ("HTML", b"<html"),
    ("JPEG XL", b"\xff\x0a"),
    ("JPEG XL", b"\0\0\0\x0cJXL "),
    ("JPEG 2000", b"\0\0\0\x0cjP  "),
    ("ICO", b"\0\0\1\0"),
    ("PSD", b"8BPS"),
    ("ZIP", b"PK\x03\x04"),
    ("base64", b"iVBORw0KGgo"),
    ("base64", b"/9j/"),
    ("a data URL", b"data:image/"),
)
"""What is not taken, named so that whoever sent it knows."""
_JUNK: Final = 4096
"""Bytes that may stand before a JPEG image, as the headers of a stream of images do."""
ACCEPTED: Final = "PNG, JPEG, WebP, BMP, GIF, TIFF, HEIC or AVIF"


def _heif() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    # One thread: a decoder process has one CPU to work on, and its address space is bounded.
    pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False)
    return True


HAS_HEIC: Final = _heif()
"""Whether HEIC images can be decoded (the extra `heif`)."""
HAS_AVIF: Final = bool(features.check("avif"))
KINDS: Final = (
    *dict.fromkeys(name for name, _, _ in _SIGNATURES),
    *(("HEIF",) if HAS_HEIC else ()),
    *(("AVIF",) if HAS_AVIF else ()),
)
"""Pillow's names of the formats that are accepted."""


def recognised(data: bytes) -> tuple[str, bytes]:
    """Pillow's name of the format, and the image without what stands before it.

    Raises:
        ServiceError: `unsupported_image_format`.
    """
    for name, signature, offset in _SIGNATURES:
        if data[offset : offset + len(signature)] == signature:
            return name, data
    for name, brands in _BRANDS.items():
        if data[4:8] == b"ftyp" and brands.intersection(_brands(data)):
            if name not in KINDS:
                raise ServiceError(
                    "unsupported_image_format",
                    f"this is {_NAMES.get(name, name)}, and this server was started without its decoder; "
                    "send JPEG or PNG",
                )
            return name, data
    begins = data.find(b"\xff\xd8\xff", 0, _JUNK)
    if begins > 0:
        return "JPEG", data[begins:]
    raise ServiceError("unsupported_image_format", _unknown(data))


def shown_name(kind: str) -> str:
    """What people call a format of `KINDS`."""
    return _NAMES.get(kind, kind)


def opened(data: bytes, kind: str) -> Pil.Image:
    """The image with its header read, and its pixels not yet."""
    return Pil.open(io.BytesIO(data), formats=[kind])


def _brands(data: bytes) -> list[bytes]:
    """Major and compatible brands of an ISO base media file."""
    size = int.from_bytes(data[:4])
    major, compatible = data[8:12], data[16 : min(size, 256)]
    # HEIC and AVIF share `mif1`; the major brand decides where it is one of them.
    others = [compatible[at : at + 4] for at in range(0, len(compatible) - 3, 4)]
    known = frozenset.union(*_BRANDS.values())
    return [major] if major in known - {b"mif1", b"msf1"} else [major, *others]


def _unknown(data: bytes) -> str:
    for name, signature in _OTHERS:
        if data.lstrip()[: len(signature)].lower() == signature.lower():
            return f"this is {name}, not a {ACCEPTED} image"
    return f"not a {ACCEPTED} image"
