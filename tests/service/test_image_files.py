"""Files that are not quite what their format says, and the formats of phones: what is opened, and what it shows."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from service import image_formats
from service.errors import ServiceError
from service.imaging import decode
from tests.builders import images

LIMIT = 1_000_000
GREY: NDArray[np.uint8] = images.pattern(40, 56)[..., 0]


def pixels(data: bytes) -> NDArray[np.uint8]:
    return decode(data, max_pixels=LIMIT).pixels


def chunk(kind: bytes, content: bytes, *, wrong: bool = False) -> bytes:
    checksum = zlib.crc32(kind + content) ^ wrong
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunk(data: bytes, made: bytes) -> bytes:
    """`made` behind the header of a PNG image."""
    return data[:33] + made + data[33:]


def code_of(data: bytes) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        decode(data, max_pixels=LIMIT)
    return caught.value.code, caught.value.detail


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iCCP", b"eXIf", b"prVt"])
def test_png_with_a_wrong_checksum_beside_its_pixels_is_opened(kind: bytes) -> None:
    data = with_chunk(images.encode(GREY), chunk(kind, b"Title\0\0nothing", wrong=True))
    assert np.array_equal(pixels(data), GREY)


@pytest.mark.parametrize("kept", [-12, -8, -4, -1])
def test_png_without_its_end_is_opened(kept: int) -> None:
    assert np.array_equal(pixels(images.encode(GREY)[:kept]), GREY)


def test_png_without_its_last_pixels_is_not() -> None:
    assert code_of(images.encode(GREY)[:-40])[0] == "damaged_image"


def test_orientation_survives_what_is_mended() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = images.encode(GREY, exif=exif)[:-12]
    assert np.array_equal(pixels(data), np.rot90(GREY, -1))


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_without_its_end_marker_is_opened(progressive: bool) -> None:
    data = images.encode(GREY, "JPEG", quality=95, progressive=progressive)
    assert np.array_equal(pixels(data[:-2]), pixels(data))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [20, 100, 400])
def test_jpeg_without_its_last_pixels_is_not(progressive: bool, missing: int) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (64, 64), dtype=np.uint8)
    data = images.encode(noise, "JPEG", quality=90, progressive=progressive)
    assert code_of(data[:-missing])[0] == "damaged_image"


@pytest.mark.parametrize("tail", [b"\0" * 100, b"\r\n", b"trailer of a camera"])
def test_jpeg_with_something_behind_it_is_opened(tail: bytes) -> None:
    data = images.encode(GREY, "JPEG", quality=95)
    assert np.array_equal(pixels(data + tail), pixels(data))


@pytest.mark.parametrize("junk", [b"\0", b"--frame\r\nContent-Type: image/jpeg\r\n\r\n", b"\xef\xbb\xbf"])
def test_jpeg_with_junk_before_it_is_opened(junk: bytes) -> None:
    data = images.encode(GREY, "JPEG", quality=95)
    assert np.array_equal(pixels(junk + data), pixels(data))


def bmp_with_alpha(alpha: int) -> bytes:
    """32 bits a pixel with masks for all four channels (BITMAPV4HEADER)."""
    height, width = GREY.shape
    rows = np.dstack([GREY, GREY, GREY, np.full_like(GREY, alpha)])[::-1].tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(rows), 2835, 2835, 0, 0)
    header = info + masks + b"BGRs" + bytes(48)
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(rows), 0, 0, 14 + len(header)) + header + rows


def test_bmp_whose_alpha_is_nothing_but_zero_is_opaque() -> None:
    picture = decode(bmp_with_alpha(0), max_pixels=LIMIT)
    assert picture.alpha is None
    assert np.array_equal(picture.pixels[..., 0], GREY)


def test_bmp_whose_alpha_is_in_use_keeps_it() -> None:
    alpha = decode(bmp_with_alpha(128), max_pixels=LIMIT).alpha
    assert alpha is not None
    assert (alpha == 128).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_sixteen_bit_grey_is_taken_by_the_bits_in_use(bits: int) -> None:
    wide = (np.arange(1024, dtype=np.uint32).reshape(32, 32) * ((1 << bits) - 1) // 1023).astype(np.uint16)
    assert np.array_equal(pixels(images.encode(Image.fromarray(wide))), (wide >> (bits - 8)).astype(np.uint8))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "group4"])
def test_tiff_gives_its_first_page(compression: str | None) -> None:
    bilevel = compression == "group4"
    first = np.where(GREY > 100, 255, 0).astype(np.uint8) if bilevel else GREY
    pages = [Image.fromarray(page).convert("1" if bilevel else "L") for page in (first, 255 - first)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], compression=compression)
    assert np.array_equal(pixels(stream.getvalue()), first)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_images_of_phones_are_opened(kind: str) -> None:
    if kind not in image_formats.KINDS:
        pytest.skip(f"no decoder of {kind} is installed")
    smooth = np.linspace(30, 220, 64 * 80).reshape(64, 80).astype(np.uint8)
    data = images.encode(np.dstack([smooth] * 3), kind, quality=90)
    assert abs(pixels(data)[..., 0].astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_damaged_image_of_a_phone_is_refused(kind: str) -> None:
    if kind not in image_formats.KINDS:
        pytest.skip(f"no decoder of {kind} is installed")
    data = images.encode(images.pattern(64, 64), kind)
    assert code_of(data[: len(data) // 2])[0] == "damaged_image"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF"),
    ],
)
def test_a_missing_decoder_is_named(monkeypatch: pytest.MonkeyPatch, data: bytes, name: str) -> None:
    monkeypatch.setattr(image_formats, "KINDS", ("PNG", "JPEG"))
    code, detail = code_of(data)
    assert code == "unsupported_image_format"
    assert detail.startswith(f"this is {name}, and this server was started without its decoder")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\n<svg xmlns=''/>", "SVG"),
        (b"iVBORw0KGgoAAAANSUhEUg", "base64"),
        (b"/9j/4AAQSkZJRg", "base64"),
        (b"data:image/png;base64,iVBOR", "a data URL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    ],
)
def test_what_was_sent_instead_is_named(data: bytes, name: str) -> None:
    code, detail = code_of(data)
    assert code == "unsupported_image_format"
    assert detail.startswith(f"this is {name}, not ")
