"""Bytes to pixels and back, against values known from how the upload was made."""

import io
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from service.errors import ServiceError
from service.imaging import Picture, check_encodable, decode, encode
from tests.builders import images

LIMIT = 1_000_000


def test_grey_stays_grey_and_colour_stays_colour() -> None:
    grey, colour = images.pattern(20, 30)[..., 0], images.pattern(20, 30)
    assert np.array_equal(decode(images.encode(grey), max_pixels=LIMIT).pixels, grey)
    assert np.array_equal(decode(images.encode(colour), max_pixels=LIMIT).pixels, colour)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP"])
def test_lossless_formats_give_the_same_pixels(kind: str) -> None:
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[4:9, 5:20] = (255, 0, 0)
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = decode(images.encode(pixels, kind, **options), max_pixels=LIMIT)
    assert np.array_equal(picture.pixels, pixels)
    assert picture.alpha is None


@pytest.mark.parametrize(
    ("orientation", "displayed"),
    [
        # EXIF 2.32, 4.6.4, tag 0x0112: where row 0 and column 0 of the stored picture are displayed.
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: a.swapaxes(0, 1)[::-1, ::-1]),
        (8, lambda a: np.rot90(a, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation: int, displayed: object, kind: str) -> None:
    stored = images.pattern(12, 20)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = images.encode(stored, kind, exif=exif, **options)
    assert np.array_equal(decode(data, max_pixels=LIMIT).pixels, displayed(stored))  # type: ignore[operator]


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    data = images.encode(images.pattern(12, 20), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert decode(data, max_pixels=LIMIT).width == 20


def test_sixteen_bit_grey_keeps_its_upper_byte() -> None:
    wide = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    picture = decode(images.encode(Image.fromarray(wide)), max_pixels=LIMIT)
    assert np.array_equal(picture.pixels, (wide // 256).astype(np.uint8))


def test_palette_and_bilevel() -> None:
    flags = np.indices((16, 16)).sum(0) % 2 == 0
    bilevel = decode(images.encode(Image.fromarray(flags)), max_pixels=LIMIT)
    assert np.array_equal(bilevel.pixels, np.where(flags, 255, 0))
    palette = Image.fromarray(flags.astype(np.uint8), mode="P")
    palette.putpalette([10, 20, 30, 200, 210, 220])
    assert decode(images.encode(palette), max_pixels=LIMIT).pixels[0, 0].tolist() == [200, 210, 220]


def test_cmyk_becomes_rgb() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    pixel = decode(images.encode(red, "JPEG", quality=100), max_pixels=LIMIT).pixels[8, 8]
    assert np.abs(pixel.astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animations_give_their_first_frame(kind: str) -> None:
    pixel = decode(images.animation(kind), max_pixels=LIMIT).pixels[20, 20]
    assert np.abs(pixel.astype(int) - [255, 0, 0]).max() <= 8


def test_a_dark_symbol_on_transparent_ground_is_put_on_white() -> None:
    symbol = images.symbol("A")
    rgba = np.zeros((*symbol.shape, 4), np.uint8)
    rgba[..., 3] = 255 - symbol
    picture = decode(images.encode(rgba), max_pixels=LIMIT)
    assert np.array_equal(picture.pixels, np.repeat(symbol[..., None], 3, axis=2))
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, 255 - symbol)


def test_a_light_symbol_on_transparent_ground_is_put_on_black() -> None:
    symbol = images.symbol("A")
    grey_alpha = np.stack([np.full_like(symbol, 255), 255 - symbol], axis=-1)
    picture = decode(images.encode(Image.fromarray(grey_alpha, "LA")), max_pixels=LIMIT)
    assert np.array_equal(picture.pixels, 255 - symbol)


def test_half_transparent_is_mixed() -> None:
    rgba = np.full((16, 16, 4), (100, 0, 0, 51), np.uint8)
    assert decode(images.encode(rgba), max_pixels=LIMIT).pixels[0, 0].tolist() == [224, 204, 204]


def test_alpha_that_is_opaque_throughout_is_dropped() -> None:
    rgba = np.dstack([images.pattern(16, 16), np.full((16, 16), 255, np.uint8)])
    assert decode(images.encode(rgba), max_pixels=LIMIT).alpha is None


def test_the_limit_itself_is_accepted() -> None:
    data = images.encode(images.pattern(10, 20))
    assert decode(data, max_pixels=200).width == 20
    with pytest.raises(ServiceError) as caught:
        decode(data, max_pixels=199)
    assert caught.value.code == "image_too_large"


@pytest.mark.parametrize(("kind", "tolerance"), [("png", 0), ("jpeg", 12), ("webp", 12)])
@pytest.mark.parametrize("colour", [True, False])
def test_encoding(kind: Literal["png", "jpeg", "webp"], tolerance: int, colour: bool) -> None:
    pixels = np.asarray(Image.fromarray(images.pattern(4, 4)).resize((64, 48), Image.Resampling.BICUBIC))
    pixels = pixels if colour else pixels[..., 0]
    data = encode(Picture(pixels, None), kind, jpeg_quality=95, webp_quality=95)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == kind.upper()
        back = np.asarray(image.convert("RGB" if colour else "L")).astype(int)
    assert np.abs(back - pixels).mean() <= tolerance


def test_alpha_is_kept_where_the_format_can() -> None:
    alpha = images.pattern(16, 16)[..., 0]
    picture = Picture(images.pattern(16, 16), alpha)
    kinds: tuple[tuple[Literal["png", "jpeg", "webp"], bool], ...]
    kinds = (("png", True), ("webp", True), ("jpeg", False))
    for kind, kept in kinds:
        data = encode(picture, kind, jpeg_quality=90, webp_quality=101)
        with Image.open(io.BytesIO(data)) as image:
            assert image.has_transparency_data == kept
            if kept:
                assert np.array_equal(np.asarray(image.getchannel("A")), alpha)


def test_sides_that_a_format_cannot_hold() -> None:
    check_encodable(16_383, 8, "webp")
    for kind in ("webp", "jpeg"):
        with pytest.raises(ServiceError) as caught:
            check_encodable(8, 65_501, kind)
        assert caught.value.code == "image_too_large"


SEEDS = [
    images.encode(images.pattern(24, 24), "PNG"),
    images.encode(images.pattern(24, 24), "JPEG"),
    images.encode(images.pattern(24, 24), "WEBP"),
    images.encode(images.pattern(24, 24), "BMP"),
    images.animation("GIF"),
    images.animation("WEBP"),
    images.encode(Image.fromarray(images.pattern(24, 24)).convert("LA")),
]


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mutated_files_are_read_or_refused(data: st.DataObject) -> None:
    seed = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 8))):
        seed[data.draw(st.integers(0, len(seed) - 1))] = data.draw(st.integers(0, 255))
    upload = bytes(seed[: data.draw(st.integers(1, len(seed)))])
    try:
        picture = decode(upload, max_pixels=LIMIT)
    except ServiceError as error:
        assert error.status in (415, 422)  # noqa: PT017 - refusing is one of the two good outcomes
    else:
        assert picture.pixels.dtype == np.uint8
        assert picture.height * picture.width <= LIMIT
