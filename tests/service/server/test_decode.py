"""`/decode`: the JSON form of readings and their points. The readers have tests of their own."""

import base64

import httpx
import numpy as np
import pytest
from PIL import ExifTags, Image

from service.decoding.cascade import AttemptRecord, DecodeResult, Outcome
from service.pipeline.answers import incomplete
from service.pipeline.symbols import Symbol
from tests.builders.images import encode, pattern, symbol
from tests.builders.model import TINY


@pytest.mark.parametrize("path", ["/decode", "/v1/decode"])
def test_a_symbol(client: httpx.Client, path: str) -> None:
    border, scale = 4, 4
    pixels = symbol("HELLO", scale=scale, border=border)
    response = client.post(path, files={"file": ("a.png", encode(pixels))})
    assert response.status_code == 200
    body = response.json()
    assert body["image"] == {"width": pixels.shape[1], "height": pixels.shape[0]}
    assert body["upscaled"] is False
    (found,) = body["symbols"]
    assert set(found) == set(Symbol.model_fields)
    assert found["text"] == "HELLO"
    assert (found["encoding"], found["encoding_source"]) == ("utf-8", "standard")
    assert (found["kind"], found["symbology"], found["version"]) == ("qr", "]Q1", "1")
    assert found["quality"]["pixels_per_module"] == pytest.approx(scale, abs=0.2)
    assert found["symbol"] is None
    assert base64.b64decode(found["payload_base64"]) == b"HELLO"
    low, high = border * scale, pixels.shape[0] - border * scale
    expected = [[low, low], [high, low], [high, high], [low, high]]
    assert np.abs(np.array(found["points"]) - expected).max() <= 2


@pytest.mark.inside
def test_nothing_read_is_no_error(client: httpx.Client) -> None:
    response = client.post("/decode", files={"file": ("a.png", encode(pattern(50, 60)))})
    assert response.status_code == 200
    body = response.json()
    timings = body.pop("timings_ms")
    assert body == {
        "symbols": [],
        "joined": [],
        "image": {"width": 60, "height": 50},
        "upscaled": True,
        "complete": True,
        "incomplete": None,
        "attempts": [
            {"attempt": f"{name}-stub", "outcome": "nothing", "ms": 1.0} for name in ("upload", "sr")
        ],
        "model": {"name": TINY, "version": 1},
    }
    assert list(timings) == [
        *("upload", "wait", "decode_image", "read_upload", "queue", "inference", "upscale", "read_upscaled")
    ]
    assert all(milliseconds >= 0 for milliseconds in timings.values())


def test_the_upscaled_image_is_tried_and_points_are_the_uploads(client: httpx.Client) -> None:
    pixels = np.asarray(Image.fromarray(symbol("HI", scale=12)).resize((40, 40), Image.Resampling.BOX))
    data = encode(pixels)
    body = client.post("/decode", files={"file": ("a.png", data)}).json()
    if not body["symbols"]:
        pytest.skip("the reference reader does not read this one")
    assert np.array(body["symbols"][0]["points"]).max() <= 40


def test_points_are_those_of_the_picture_as_displayed(client: httpx.Client) -> None:
    wide = np.full((132, 300), 255, np.uint8)
    pixels = symbol("HELLO")
    wide[: pixels.shape[0], : pixels.shape[1]] = pixels
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    body = client.post("/decode", files={"file": ("a.png", encode(wide[::-1, ::-1], exif=exif))}).json()
    (found,) = body["symbols"]
    assert np.abs(np.array(found["points"][0]) - [16, 16]).max() <= 2


def test_too_large_to_be_upscaled_is_still_read(client: httpx.Client) -> None:
    large = np.full((800, 1200), 255, np.uint8)
    pixels = symbol("FAR")
    large[600 : 600 + pixels.shape[0], 900 : 900 + pixels.shape[1]] = pixels
    body = client.post("/decode", files={"file": ("a.png", encode(large))}).json()
    assert [found["text"] for found in body["symbols"]] == ["FAR"]
    blank = client.post(
        "/decode", files={"file": ("a.png", encode(np.full((800, 1200), 255, np.uint8)))}
    ).json()
    assert blank["symbols"] == []
    assert blank["upscaled"] is False


@pytest.mark.parametrize(
    ("outcomes", "late", "reason", "retry"),
    [
        (["nothing"], False, None, None),
        (["read"], False, None, None),
        (["nothing", "timeout"], False, "reader_timeout", False),
        (["timeout", "read"], False, "reader_timeout", False),
        (["nothing", "timeout"], True, "reader_timeout", True),
        (["failed"], False, "reader_failed", False),
        (["failed", "read"], False, "reader_failed", False),
        ([], False, "too_long", False),
        (["done"], False, "too_long", False),
    ],
)
def test_an_answer_tells_whether_there_may_be_more(
    outcomes: list[Outcome], late: bool, reason: str | None, retry: bool | None
) -> None:
    records = tuple(AttemptRecord("zxing", 1.0, outcome, 0) for outcome in outcomes)
    found = incomplete(DecodeResult((), records, upscaled=False, timed_out=late))
    assert (found and found.reason, found and found.retry) == (reason, retry)
