"""Upload and result side by side: divider, zoom, outline; and payloads as they are shown."""

import numpy as np
import pytest

from tests.browser.page import Visit, status, upload, wait_for_text
from tests.builders.images import encode, symbol
from tests.builders.server import Server

pytestmark = pytest.mark.processes


def test_an_upload_is_compared_and_zoomed(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol("zoom me", scale=2)))
    status(page, "read")
    divider = page.locator("#divider")
    divider.wait_for()
    divider.focus()
    page.keyboard.press("Home")
    assert divider.get_attribute("aria-valuenow") == "0"
    page.keyboard.press("PageUp")
    assert divider.get_attribute("aria-valuenow") == "10"
    box = page.locator("#scroll").bounding_box()
    grip = page.locator(".grip").bounding_box()
    page.mouse.move(grip["x"] + 18, grip["y"] + 18)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, grip["y"], steps=4)
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "75"
    before = page.locator("#plane").bounding_box()["width"]
    page.click("#zoom-in")
    width = page.locator("#plane").bounding_box()["width"]
    assert width > before
    assert width % 58 == 0  # 29 modules of two pixels and the quiet zone: whole screen pixels
    page.click("#zoom-fit")
    assert page.locator("#plane").bounding_box()["width"] == before
    page.click("#outline")
    assert page.locator("#outlines").is_hidden()
    natural = page.evaluate(
        "[document.querySelector('#upload'), document.querySelector('#result')].map(i => i.naturalWidth)"
    )
    assert natural == [58, 232]


def test_zooming_in_goes_to_the_symbol_and_the_mouse_moves_the_picture(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    corner = symbol("far away", scale=3)
    picture = np.full((900, 1100), 200, np.uint8)
    picture[-corner.shape[0] :, -corner.shape[1] :] = corner
    upload(page, encode(picture))
    status(page, "read")
    page.wait_for_selector("#divider:visible")
    for _ in range(4):
        page.click("#zoom-in")
    view = page.locator("#scroll").bounding_box()
    outline = page.locator("#outlines polygon >> nth=0").bounding_box()
    assert view["x"] < outline["x"] + outline["width"] / 2 < view["x"] + view["width"]
    assert view["y"] < outline["y"] + outline["height"] / 2 < view["y"] + view["height"]
    page.mouse.move(view["x"] + 40, view["y"] + 40)
    page.mouse.down()
    page.mouse.move(view["x"] + 140, view["y"] + 90, steps=3)
    page.mouse.up()
    moved = page.locator("#outlines polygon >> nth=0").bounding_box()
    assert (round(moved["x"] - outline["x"]), round(moved["y"] - outline["y"])) == (100, 50)
    # The cut stays under the divider wherever the picture goes.
    places = page.evaluate(
        """() => {
            const plane = document.querySelector("#plane");
            const cut = parseFloat(getComputedStyle(plane).getPropertyValue("--cut"));
            const divider = document.querySelector("#divider").getBoundingClientRect();
            return [plane.getBoundingClientRect().left + cut, divider.left + divider.width / 2];
        }"""
    )
    assert abs(places[0] - places[1]) < 1


def test_links_are_shown_and_never_opened(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol("https://example.org\u202e/gro.elpmaxe")))
    status(page, "read")
    assert page.inner_text(".payload") == "https://example.orgU+202E/gro.elpmaxe"
    upload(page, encode(symbol("javascript:alert(1)")))
    wait_for_text(page, ".payload", "javascript:alert(1)")
    assert page.locator("#symbols a").count() == 0
    upload(page, encode(symbol("https://example.org/a")))
    page.wait_for_selector("#symbols a")
    assert page.get_attribute("#symbols a", "rel") == "noopener noreferrer"
    assert len(page.context.pages) == 1
