"""`/upscale`: sizes, formats, colours, alpha, and JSON with symbols."""

import base64
import io

import httpx
import numpy as np
import pytest
from PIL import ExifTags, Image

from tests.builders.images import encode, pattern, symbol

SIZES = [(8, 8), (9, 11), (63, 65), (64, 64), (201, 130), (8, 500), (640, 300)]


def upscale(client: httpx.Client, data: bytes, query: str = "") -> httpx.Response:
    response = client.post(f"/upscale{query}", files={"file": ("a.png", data)})
    assert response.status_code == 200, response.text
    return response


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_exactly_four_times_the_size(client: httpx.Client, width: int, height: int, mode: str) -> None:
    upload = Image.fromarray(pattern(height, width)).convert(mode)
    image = opened(upscale(client, encode(upload)).content)
    assert image.size == (4 * width, 4 * height)
    assert image.mode == mode
    # The tiny generator interpolates, so this must be the upload interpolated, with all tiles in place.
    expected = upload.resize(image.size, Image.Resampling.BICUBIC)
    difference = np.abs(np.asarray(image, float) - np.asarray(expected, float))
    assert difference.mean() < 2


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_every_format_of_answers_is_decodable_and_four_times_as_large(
    client: httpx.Client, kind: str
) -> None:
    response = upscale(client, encode(pattern(20, 30)), f"?format={kind}")
    assert response.headers["content-type"] == f"image/{kind}"
    image = opened(response.content)
    assert image.format == kind.upper()
    assert image.size == (120, 80)


@pytest.mark.parametrize(("kind", "kept"), [("png", True), ("webp", True), ("jpeg", False)])
def test_alpha_is_kept_in_png_and_webp_and_composited_in_jpeg(
    client: httpx.Client, kind: str, kept: bool
) -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[8:24, 8:24] = (255, 0, 0, 255)
    image = opened(upscale(client, encode(rgba), f"?format={kind}").content)
    assert image.has_transparency_data == kept
    if kept:
        alpha = np.asarray(image.getchannel("A"))
        assert alpha[2, 2] == 0
        assert alpha[64, 64] == 255
    else:
        corner = np.asarray(image)[2, 2]
        assert corner.min() > 240


def test_the_answer_has_the_orientation_of_the_displayed_image(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    plain = pattern(16, 40)
    turned = opened(upscale(client, encode(plain, exif=exif)).content)
    assert turned.size == (64, 160)
    expected = Image.fromarray(np.rot90(plain, -1)).resize((64, 160), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(turned, float) - np.asarray(expected, float)).mean() < 2
    assert turned.getexif().get(ExifTags.Base.Orientation, 1) == 1


def test_decode_true_answers_json(client: httpx.Client) -> None:
    content = "HELLO *4"
    body = upscale(client, encode(symbol(content)), "?decode=true&format=webp").json()
    image = opened(base64.b64decode(body["image_base64"]))
    side = symbol(content).shape[0]
    assert image.format == "WEBP"
    assert body["format"] == "webp"
    assert image.size == (4 * side, 4 * side)
    assert body["size"] == {"width": 4 * side, "height": 4 * side}
    assert body["image"] == {"width": side, "height": side}
    assert [base64.b64decode(found["payload_base64"]) for found in body["symbols"]] == [content.encode()]


def test_a_side_too_long_for_webp_is_refused(client: httpx.Client) -> None:
    data = encode(pattern(8, 4100))
    response = client.post("/upscale?format=webp", files={"file": ("a.png", data)})
    assert response.status_code == 422
    assert response.json()["code"] == "image_too_large"
    assert opened(upscale(client, data).content).size == (16400, 32)


def test_both_paths_give_the_same(client: httpx.Client) -> None:
    data = encode(pattern(30, 30))
    files = {"file": ("a.png", data)}
    assert client.post("/v1/upscale", files=files).content == client.post("/upscale", files=files).content
