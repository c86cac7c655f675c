"""The symbol given back: drawn anew, with its damage, in other kinds, and in its own place in the picture."""

import base64
import io

import cv2
import httpx
import numpy as np
import pytest
import segno
from numpy.typing import NDArray
from PIL import Image

from service.decoding.zxing import read_zxing
from tests.builders.images import encode, symbol
from tests.service.decoding.coded import Part, matrix
from tests.service.decoding.symbols import picture
from tests.service.server.test_bad_input import assert_problem

MODULES = matrix((Part("byte", b"given back"),), error="M", mask=5)
UPLOAD = encode(symbol("UPLOAD"))
ROWS = ["".join(map(str, row)) for row in MODULES]


def drawn(client: httpx.Client, image: NDArray[np.uint8], query: str) -> dict[str, object]:
    body = client.post(f"/v1/decode?{query}", files={"file": encode(image)}).json()
    found: dict[str, object] = body["symbols"][0]["symbol"]
    return found


def test_matrix_is_the_identical_symbol(client: httpx.Client) -> None:
    found = drawn(client, picture(MODULES), "symbol=matrix")
    assert found["matrix"] == ROWS
    assert (found["svg"], found["png_base64"], found["damaged"], found["unsure"]) == (None, None, None, None)


def test_png_is_the_identical_symbol_with_its_quiet_zone(client: httpx.Client) -> None:
    found = drawn(client, picture(MODULES), "symbol=png")
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(str(found["png_base64"])))).convert("L"))
    assert np.array_equal(image, picture(MODULES, module=8, quiet=4))


def test_svg_is_the_identical_symbol(client: httpx.Client) -> None:
    """Its path is filled by a rasterizer of our own: rectangles of `M x y h w v 1 h -w z`."""
    svg = str(drawn(client, picture(MODULES), "symbol=svg")["svg"])
    side = len(MODULES) + 8
    assert f'viewBox="0 0 {side} {side}"' in svg
    canvas = np.zeros((side, side), np.uint8)
    path = svg.split('<path fill="#000" d="')[1].split('"')[0]
    for rectangle in path.strip("M").split("M"):
        start, _, rest = rectangle.partition("h")
        x, y = (int(number) for number in start.split())
        canvas[y, x : x + int(rest.partition("v")[0])] = 1
    assert np.array_equal(canvas, np.pad(MODULES, 4))


def test_damage_is_told_where_it_is_asked_for(client: httpx.Client) -> None:
    damaged = MODULES.copy()
    damaged[-1, -1] ^= 1
    damaged[10, 12] ^= 1
    found = drawn(client, picture(damaged), "symbol=svg&damage=true")
    n = len(MODULES)
    assert found["damaged"] == [[10, 12], [n - 1, n - 1]]
    assert "#d33" in str(found["svg"])
    assert "#d33" not in str(drawn(client, picture(damaged), "symbol=svg")["svg"])


def test_nothing_is_drawn_where_it_is_not_asked_for(client: httpx.Client) -> None:
    body = client.post("/v1/decode", files={"file": encode(picture(MODULES))}).json()
    assert body["symbols"][0]["symbol"] is None


@pytest.mark.parametrize(
    "query",
    [
        "symbol=gif",
        "damage=perhaps",
        "formats=",
        "formats=qr,",
        "formats=aztec",
        "formats=qr;rmqr",
        "symbols=svg",
    ],
)
def test_a_query_that_is_not_understood_is_refused(client: httpx.Client, query: str) -> None:
    response = client.post(f"/v1/decode?{query}", files={"file": UPLOAD})
    assert_problem(response, 422, "invalid_query")
    assert response.json()["errors"][0]["field"] == query.partition("=")[0]


def test_a_value_given_twice_is_refused(client: httpx.Client) -> None:
    response = client.post("/v1/decode?symbol=svg&symbol=png", files={"file": UPLOAD})
    assert_problem(response, 422, "invalid_query")


def test_micro_qr_is_read_where_it_is_asked_for(client: httpx.Client) -> None:
    small = np.array([list(row) for row in segno.make_micro("micro-qr 4").matrix], np.uint8)
    upload = {"file": encode(picture(small))}
    assert client.post("/v1/decode", files=upload).json()["symbols"] == []
    for formats in ("micro_qr", "qr,micro_qr,rmqr"):
        (found,) = client.post(f"/v1/decode?formats={formats}&symbol=matrix", files=upload).json()["symbols"]
        assert (found["text"], found["kind"], found["version"]) == ("micro-qr 4", "micro_qr", "M4")
        assert found["symbol"]["matrix"] == ["".join(map(str, row)) for row in small]


def aslant(modules: NDArray[np.uint8], *, dark: float = 40, light: float = 200) -> NDArray[np.uint8]:
    """A blurred picture of a symbol in perspective on a grey ground."""
    crisp = picture(modules, module=10).astype(np.float32)
    n = crisp.shape[0]
    corners = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32)
    target = np.array([[12, 8], [108, 18], [100, 112], [6, 100]], np.float32)
    matrix_ = cv2.getPerspectiveTransform(corners, target)
    shade = dark + (light - dark) * crisp / 255
    placed = cv2.warpPerspective(shade, matrix_, (120, 120), flags=cv2.INTER_AREA, borderValue=(120.0,))
    return np.asarray(cv2.GaussianBlur(placed, (0, 0), 0.6), np.uint8)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("colour", [False, True])
def test_restoring_draws_the_symbol_in_its_own_place(
    client: httpx.Client, mirrored: bool, colour: bool
) -> None:
    image = aslant(MODULES.T.copy() if mirrored else MODULES)
    shown = np.dstack([image, image // 2 + 60, image // 3]) if colour else image
    plain = client.post("/v1/upscale", files={"file": encode(shown)})
    answer = client.post("/v1/upscale?restore=true", files={"file": encode(shown)})
    assert "x-restored" not in plain.headers
    assert answer.headers["x-restored"] == "1"
    before, after = (
        np.asarray(Image.open(io.BytesIO(found.content)).convert("L")) for found in (plain, answer)
    )
    (reading,) = read_zxing(after, "restored")
    assert reading.payload == b"given back"
    assert reading.symbol is not None
    assert reading.symbol.mirrored is mirrored
    assert reading.symbol.modules is not None
    assert reading.symbol.modules.corrected == 0
    # What is outside the corners, and not beside them, is as it was.
    outside = np.ones(after.shape, np.uint8)
    cv2.fillConvexPoly(outside, np.array(reading.points, np.int32), (0,))
    far = cv2.erode(outside, np.ones((25, 25), np.uint8)).astype(bool)
    assert np.array_equal(before[far], after[far])
    assert not np.array_equal(before, after)


def test_restoring_says_that_it_did_in_json_too(client: httpx.Client) -> None:
    body = client.post("/v1/upscale/decode?restore=true", files={"file": encode(aslant(MODULES))}).json()
    assert body["restored"] == 1
    blank = {"file": encode(np.full((64, 64), 128, np.uint8))}
    assert client.post("/v1/upscale/decode?restore=true", files=blank).json()["restored"] == 0
    assert client.post("/v1/upscale?restore=true", files=blank).headers["x-restored"] == "0"


def test_jpg_is_jpeg(client: httpx.Client) -> None:
    upload = {"file": UPLOAD}
    answer = client.post("/v1/upscale?format=jpg", files=upload)
    assert answer.headers["content-type"] == "image/jpeg"
    assert client.post("/v1/upscale/decode?format=jpg", files=upload).json()["format"] == "jpeg"


def test_an_image_goes_by_the_name_that_the_client_accepts(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/upscale", files={"file": UPLOAD}, headers={"accept": "application/octet-stream"}
    )
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content.startswith(b"\x89PNG")


def test_colours_of_equal_luma_are_read(client: httpx.Client) -> None:
    """BT.601 weights: red 0.299, green 0.587."""
    dark = picture(MODULES) < 128
    image = np.zeros((*dark.shape, 3), np.uint8)
    image[dark] = (200, 0, 0)
    image[~dark] = (0, 102, 0)
    body = client.post("/v1/decode", files={"file": encode(image)}).json()
    assert [found["text"] for found in body["symbols"]] == ["given back"]


@pytest.mark.parametrize("path", ["/decode/", "/v1/decode/", "/v1/upscale/", "/nowhere"])
def test_a_path_that_is_none_is_not_found(client: httpx.Client, path: str) -> None:
    response = client.post(path, files={"file": UPLOAD}, follow_redirects=False)
    assert_problem(response, 404, "not_found")
    assert ("slash" in response.json()["detail"]) == path.endswith("/")


@pytest.mark.parametrize(
    "path", ["/decode", "/v1/decode", "/v1/decode/batch", "/v1/upscale", "/v1/upscale/decode"]
)
def test_another_method_is_told_what_to_send(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"
    assert "POST" in response.json()["detail"]
    assert "curl" in response.json()["detail"]


def test_a_path_that_takes_get_says_so(client: httpx.Client) -> None:
    response = client.post("/livez")
    assert_problem(response, 405, "method_not_allowed")
    assert response.json()["detail"] == "this path takes GET"
