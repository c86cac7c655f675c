"""Uploaded bytes to pixels, pixels to answer bytes. Pure: no I/O, no settings, no state.

What is accepted:
    See `image_formats`. What every browser opens although it is not quite whole is opened: see `image_repair`.
What is done with it:
    EXIF orientation is applied. Animations and pages give the first. Of 16-bit greyscale the 8 upper bits of those
    in use are kept. An alpha channel of BMP that is 0 throughout is unused.
    Palettes, CMYK, YCbCr and the like become RGB. Alpha is kept beside the colours, which are composited over
    white (over black where all that is visible is light, so that a white symbol on transparent ground stays
    visible).
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from PIL import ExifTags
from PIL import Image as Pil

from model_store.contract import Image
from service.errors import ServiceError
from service.image_formats import opened, recognised, shown_name
from service.image_repair import ended_jpegs, ends_as_jpeg, whole_png

Format = Literal["png", "jpeg", "webp"]
MIN_SIDE = 8
"""Shortest side accepted, in pixels: below it there is no symbol and nothing to upscale."""

MAX_OUTPUT_SIDE = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383}
"""Longest side of each format of answer, in pixels: what libjpeg and libwebp can write."""

_PNG_OPTIONS = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
]
"""One fixed filter and the lowest level: a third faster than Pillow's choice of a filter for each row, at the same
size (`python -m benchmark serving modes`)."""
_GREY_MODES = ("1", "L", "LA", "La")
_LIGHT = 192
"""Mean luma of the visible part above which the ground is black."""

_TURNS = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_270,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An upload as it is displayed."""

    pixels: Image
    """`(H, W)` grey or `(H, W, 3)` RGB, composited where there is alpha."""
    alpha: Image | None
    """`(H, W)`, 255 opaque; None when the whole picture is opaque."""

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])


def size_or_picture(data: bytes, *, max_pixels: int, at_once: int) -> tuple[int, int] | Picture:
    """Width and height that the header promises; of an image of no more than `at_once` pixels the picture itself.

    Nearly all uploads are that small, and a second trip to another thread costs more than decoding them.

    Raises:
        ServiceError: as `decode`.
    """
    kind, data = recognised(data)
    with _understood(kind, max_pixels), _whole(data, kind) as image:
        _check_size(*image.size, max_pixels)
        return _loaded(data, kind, image) if image.width * image.height <= at_once else image.size


def decode(data: bytes, *, max_pixels: int) -> Picture:
    """Decode an upload. Nothing larger than `max_pixels` is ever decoded: the size is read from the header.

    Raises:
        ServiceError: `unsupported_image_format`, `damaged_image`, `image_too_small`, `image_too_large`.
    """
    kind, data = recognised(data)
    with _understood(kind, max_pixels), _whole(data, kind) as image:
        _check_size(*image.size, max_pixels)
        return _loaded(data, kind, image)


@contextmanager
def _whole(data: bytes, kind: str) -> Iterator[Pil.Image]:
    """The image with its header read. Checksums are looked at here, since loading skips those of pixel data."""
    with opened(whole_png(data) if kind == "PNG" else data, kind) as image:
        yield image


def _loaded(data: bytes, kind: str, image: Pil.Image) -> Picture:
    """The picture of an image whose header has been read."""
    if kind == "JPEG" and not ends_as_jpeg(data):
        return _endless_jpeg(data)
    image.load()
    return _picture(image, kind)


def _endless_jpeg(data: bytes) -> Picture:
    """A JPEG image without its end marker, where all its pixels are there.

    Raises:
        ValueError: they are not.
    """
    with opened(data, "JPEG") as image:
        try:
            # The marker may stand before something else.
            image.load()
        except OSError:
            pictures = []
            for whole in ended_jpegs(data):
                with opened(whole, "JPEG") as ended:
                    ended.load()
                    pictures.append(_picture(ended, "JPEG"))
            if not np.array_equal(pictures[0].pixels, pictures[1].pixels):
                raise ValueError("pixels are missing") from None
            return pictures[0]
        return _picture(image, "JPEG")


@contextmanager
def _understood(kind: str, max_pixels: int) -> Iterator[None]:
    try:
        yield
    except ServiceError:
        raise
    except (Pil.DecompressionBombError, Pil.DecompressionBombWarning) as error:
        raise ServiceError("image_too_large", f"the image has more than {max_pixels} pixels") from error
    except Exception as error:
        # Pillow's parsers raise what they stumble over (OSError, struct.error, SyntaxError, KeyError,
        # zlib.error, MemoryError, ...). Of an upload it all says the same.
        raise ServiceError(
            "damaged_image", f"the {shown_name(kind)} image is damaged or incomplete"
        ) from error


def check_encodable(height: int, width: int, kind: Format) -> None:
    """Refuse what the format of the answer cannot hold, before anything is computed.

    Raises:
        ServiceError: `image_too_large` when a side is longer than the format allows.
    """
    limit = MAX_OUTPUT_SIDE[kind]
    if max(height, width) > limit:
        raise ServiceError("image_too_large", f"a {kind} image has no side longer than {limit} pixels")


def encode(picture: Picture, kind: Format, *, jpeg_quality: int, webp_quality: int) -> bytes:
    """Encode a picture; alpha is kept in PNG and WebP, and is already composited for JPEG.

    Args:
        kind: the format of the answer.
        jpeg_quality: 1 to 100.
        webp_quality: 1 to 100, or 101 for lossless.
    """
    if kind == "png":
        return _png(picture)
    image = Pil.fromarray(picture.pixels)
    if picture.alpha is not None and kind != "jpeg":
        image.putalpha(Pil.fromarray(picture.alpha))
    stream = io.BytesIO()
    if kind == "jpeg":
        # Chroma is smooth after interpolation: the usual halving of it costs nothing that was there.
        image.save(stream, "JPEG", quality=jpeg_quality)
    else:
        image.save(stream, "WEBP", quality=min(webp_quality, 100), lossless=webp_quality > 100, method=0)
    return stream.getvalue()


def _png(picture: Picture) -> bytes:
    pixels = picture.pixels
    if picture.alpha is not None:
        colours = pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
        pixels = cv2.merge([*cv2.split(colours)[::-1], picture.alpha]).astype(np.uint8, copy=False)
    elif pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
    done, data = cv2.imencode(
        ".png",
        pixels,
        _PNG_OPTIONS,
    )
    if not done:
        raise RuntimeError("OpenCV did not write the PNG image")
    return data.tobytes()


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ServiceError("image_too_large", f"{width}x{height} is more than {max_pixels} pixels")
    if min(width, height) < MIN_SIDE:
        raise ServiceError(
            "image_too_small", f"{width}x{height}: both sides must be {MIN_SIDE} pixels or more"
        )


def _picture(image: Pil.Image, kind: str) -> Picture:
    turn = _TURNS.get(_orientation(image))
    if image.mode[0] in "IF":
        image = Pil.fromarray(_eight_bits(np.asarray(image)))
    grey = image.mode in _GREY_MODES
    opaque = "L" if grey else "RGB"
    image = image.convert("RGBA" if image.has_transparency_data else opaque)
    if turn is not None:
        image = image.transpose(turn)
    if image.mode != "RGBA":
        return Picture(np.asarray(image), None)
    colours, alpha = image.convert(opaque), image.getchannel("A")
    unused = kind == "BMP" and alpha.getextrema() == (0, 0)
    if unused or alpha.getextrema() == (255, 255):
        return Picture(np.asarray(colours), None)
    return Picture(_composite(colours, alpha), np.asarray(alpha))


def _eight_bits(values: np.ndarray[Any, np.dtype[Any]]) -> Image:
    """Grey of more than 8 bits or of floating point: the upper 8 of the bits that cameras use, by the largest value."""
    if values.dtype.kind == "f":
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        scaled = (np.nan_to_num(values) - low) * (255.0 / max(high - low, 1e-12))
        return np.asarray(np.clip(scaled, 0, 255), np.uint8)
    values = np.clip(values, 0, 0xFFFF)
    most = int(values.max(initial=0))
    bits = next((bits for bits in (8, 10, 12) if most < 1 << bits), 16)
    return (values >> (bits - 8)).astype(np.uint8)


def _composite(colours: Pil.Image, alpha: Pil.Image) -> Image:
    visible = np.asarray(alpha)
    weight = int(visible.sum(dtype=np.int64))
    light = int(
        np.einsum("ij,ij->", np.asarray(colours.convert("L")), visible, dtype=np.int64, casting="safe")
    )
    ground = Pil.new(colours.mode, colours.size, "black" if weight and light > _LIGHT * weight else "white")
    ground.paste(colours, mask=alpha)
    return np.asarray(ground)


def _orientation(image: Pil.Image) -> int:
    """EXIF's number, 1 to 8; 1 (upright) where there is none or it cannot be understood."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1
