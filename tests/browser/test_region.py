"""A region of a larger picture: by mouse, finger and keyboard, cut at full resolution."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.page import Visit, axe_violations, focused, status, upload, wait_for_text
from tests.builders.images import symbol
from tests.builders.server import Server

pytestmark = pytest.mark.processes


def photo(angle: int = 1) -> tuple[bytes, Image.Image]:
    """A JPEG with a symbol at (430, 90) as displayed, stored with the EXIF orientation given, and the picture
    as displayed."""
    shown = Image.new("L", (600, 400), 200)
    shown.paste(Image.fromarray(symbol("in the corner", scale=3)), (430, 90))
    stored = shown if angle == 1 else shown.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = angle
    stream = io.BytesIO()
    stored.save(stream, "JPEG", quality=95, exif=exif.tobytes())
    return stream.getvalue(), shown


PIXELS = """() => {
    const image = document.querySelector("#upload");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL();
}"""
"""What was sent, which the page shows as the upload."""


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_region_is_cut_from_the_picture_as_displayed(visit: Visit, quick: Server, orientation: int) -> None:
    data, shown = photo(orientation)
    watched = visit(quick)
    page = watched.open()
    upload(page, data, "photo.jpg", "image/jpeg")
    status(page, "read")
    page.click("#select")
    frame = page.locator("#photo-image").bounding_box()
    factor = frame["width"] / 600
    at = [(frame["x"] + x * factor, frame["y"] + y * factor) for x, y in ((420, 80), (540, 200))]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()
    page.click("#read-region")
    page.wait_for_selector("#whole:visible")
    assert status(page, "read") == "Read"
    assert page.inner_text(".payload") == "in the corner"
    sent = page.evaluate(PIXELS).partition(",")[2]
    crop = Image.open(io.BytesIO(base64.b64decode(sent)))
    width, height = crop.size
    assert abs(width - 120) <= 2
    assert abs(height - 120) <= 2
    # The same pixels as in the picture as displayed, up to the JPEG and a pixel of the pointer's aim.
    x, y = (int(part) for part in page.inner_text("#box-place").partition("at ")[2].split(", "))
    expected = np.asarray(shown.crop((x, y, x + width, y + height)), int)
    got = np.asarray(crop.convert("L"), int)
    assert np.abs(got - expected).mean() < 4
    page.click("#whole")
    wait_for_text(page, "#legend", "600 × 400 → 2400 × 1600 pixels")
    status(page, "read")


def test_a_region_is_selected_by_keyboard(visit: Visit, quick: Server) -> None:
    data, _ = photo()
    page = visit(quick).open()
    upload(page, data, "photo.jpg", "image/jpeg")
    status(page, "read")
    page.focus("#select")
    page.keyboard.press("Enter")
    assert focused(page) == "box"
    assert axe_violations(page) == []
    before = page.inner_text("#box-place")
    assert before == "133 × 133 pixels at 234, 134"
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    for _ in range(6):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    assert page.inner_text("#box-place") == "133 × 141 pixels at 434, 86"
    page.keyboard.press("Alt+ArrowLeft")
    page.keyboard.press("Enter")
    wait_for_text(page, "#legend", "133 × 141 → 532 × 564 pixels")
    assert status(page, "read") == "Read"
    assert focused(page) == "status"


def test_a_region_of_a_photo_too_large_to_enlarge_is_selected_by_touch(
    visit: Visit, released: Server
) -> None:
    watched = visit(released, "phone")
    page = watched.open()
    page.click("text=A whole photo")
    status(page, "unread")
    page.wait_for_selector("#selector:visible")
    watched.picture("phone-light-select")
    frame = page.locator("#photo-image").bounding_box()
    factor = frame["width"] / 1280
    touch = page.context.new_cdp_session(page)
    for kind, x, y in (
        ("touchStart", 680, 668),
        ("touchMove", 750, 730),
        ("touchMove", 812, 800),
        ("touchEnd", 0, 0),
    ):
        point = {"x": frame["x"] + x * factor, "y": frame["y"] + y * factor}
        points = [] if kind == "touchEnd" else [point]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.click("#read-region")
    assert status(page, "read") == "Read"
    assert page.inner_text(".payload") == "https://example.org/flea-market?table=12"
