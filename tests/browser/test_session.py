"""What the page keeps and shows besides one answer: several files, history, fields, the request, the camera."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.page import Visit, axe_violations, status, upload, wait_for_text
from tests.builders.images import encode, symbol
from tests.builders.server import Server

pytestmark = pytest.mark.processes


CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
    const bytes = new Uint8Array(PICTURE);
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    const draw = () => {
        context.fillStyle = "white";
        context.fillRect(0, 0, 640, 480);
        context.drawImage(image, 320 - image.width / 2, 240 - image.height / 2);
    };
    draw();
    setInterval(draw, 50);
    return canvas.captureStream(20);
};"""
"""A canvas in place of a camera."""


def files(*texts: str) -> list[dict[str, Any]]:
    return [
        {"name": f"{at}.png", "mimeType": "image/png", "buffer": encode(symbol(text))}
        for at, text in enumerate(texts)
    ]


def test_several_files_are_read_one_after_the_other_and_saved(
    visit: Visit, quick: Server, tmp_path: Path
) -> None:
    page = visit(quick).open()
    page.set_input_files("#file", files("first", "=1+1", "third"))
    wait_for_text(page, "#entries li >> nth=0", "2.pngthird")
    assert page.locator("#entries li").count() == 3
    with page.expect_download() as saved:
        page.click("#save-json")
    saved.value.save_as(tmp_path / "a.json")
    rows = json.loads((tmp_path / "a.json").read_text())
    assert [(row["file"], row["text"]) for row in rows] == [
        ("0.png", "first"),
        ("1.png", "=1+1"),
        ("2.png", "third"),
    ]
    with page.expect_download() as saved:
        page.click("#save-csv")
    saved.value.save_as(tmp_path / "a.csv")
    # A spreadsheet must not take what was read for a formula.
    assert '"\'=1+1"' in (tmp_path / "a.csv").read_text()
    page.click("#entries li >> nth=2 >> button")
    wait_for_text(page, ".payload >> nth=0", "first")
    assert axe_violations(page) == []
    page.click("#forget")
    assert page.locator("#history").is_hidden()


def test_all_payloads_are_copied(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open()
    page.set_input_files("#file", files("one", "two"))
    wait_for_text(page, "#entries li >> nth=0", "1.pngtwo")
    page.click("#copy-all")
    page.wait_for_selector("#copy-all:text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == "one\ntwo"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            r"WIFI:T:WPA;S:Caf\;e;P:harvest moon;;",
            ["Network", "Caf;e", "Security", "WPA", "Password", "•••••••• Show"],
        ),
        (
            "BEGIN:VCARD\nVERSION:3.0\nFN:Ada Example\nTEL;TYPE=cell:+15550123\nEND:VCARD",
            ["Name", "Ada Example", "Phone", "+15550123"],
        ),
        (
            "BCD\n002\n1\nSCT\nBPOTBEB1\nRed Cross\nBE72000000001616\nEUR1\n\n\nGift",
            [
                "To",
                "Red Cross",
                "Account",
                "BE72000000001616",
                "Bank",
                "BPOTBEB1",
                "Amount",
                "EUR1",
                "Text",
                "Gift",
            ],
        ),
        (
            "BEGIN:VEVENT\nSUMMARY:Lunch\nDTSTART:20260101T120000Z\nLOCATION:Yard\nEND:VEVENT",
            ["What", "Lunch", "From", "20260101T120000Z", "Where", "Yard"],
        ),
        (
            "otpauth://totp/Ada?secret=JBSWY3DP&issuer=Example",
            ["Account", "Ada", "secret", "•••••••• Show", "issuer", "Example"],
        ),
        ("MECARD:N:Example,Ada;TEL:+15550123;;", ["Name", "Example, Ada", "Phone", "+15550123"]),
    ],
)
def test_what_a_code_says_is_shown_in_parts(
    visit: Visit, quick: Server, payload: str, expected: list[str]
) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol(payload, scale=2)))
    status(page, "read")
    # Some label and its value stand in cells of their own.
    cells = [text.strip() for text in page.locator(".fields dt, .fields dd").all_inner_texts()]
    told = dict(zip(cells[::2], cells[1::2], strict=True))
    wanted = dict(zip(expected[::2], expected[1::2], strict=True))
    assert wanted.items() <= told.items()


def test_a_secret_is_shown_on_request_alone(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol("WIFI:T:WPA;S:Guest;P:harvest moon;;", scale=2)))
    status(page, "read")
    assert "harvest moon" not in page.inner_text("#verdict")
    page.click("button[aria-label='Show password']")
    assert "harvest moon" in page.inner_text(".fields")
    assert axe_violations(page) == []


def test_the_request_is_shown_as_it_can_be_sent(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    page = watched.open()
    upload(page, encode(symbol("x")), name="it's.png")
    status(page, "read")
    page.click("#request summary")
    assert f"-F file=@'it'\\''s.png' {watched.origin}/v1/decode" in page.inner_text("#curl")
    assert f'with Client("{watched.origin}") as client:' in page.inner_text("#python")
    assert axe_violations(page) == []


def test_several_symbols_are_numbered_and_linked_to_their_outlines(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    one, two = symbol("left", scale=4), symbol("right", scale=4)
    upload(page, encode(np.hstack([one, two])))
    status(page, "read")
    assert page.locator(".symbol .number").all_inner_texts() == ["1", "2"]
    assert page.locator("#outlines text").all_text_contents() == ["1", "2"]
    page.hover(".symbol >> nth=1")
    assert set(
        page.locator("#outlines .looked-at").evaluate_all("all => all.map(x => x.dataset.number)")
    ) == {"2"}


def test_the_wheel_zooms_at_the_pointer(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol("wheel", scale=2)))
    status(page, "read")
    page.wait_for_selector("#divider:visible")
    before = page.locator("#plane").bounding_box()
    page.mouse.move(before["x"] + before["width"] * 0.3, before["y"] + before["height"] * 0.3)
    page.mouse.wheel(0, -120)
    page.wait_for_function(
        "() => document.querySelector('#zoom-fit').getAttribute('aria-pressed') === 'false'"
    )
    assert page.locator("#plane").bounding_box()["width"] > before["width"]


def test_a_picture_cannot_be_dragged_off_the_page(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol("drag", scale=2)))
    status(page, "read")
    page.wait_for_selector("#divider:visible")
    prevented = page.evaluate(
        """() => !document.querySelector("#upload").dispatchEvent(
            new DragEvent("dragstart", { bubbles: true, cancelable: true }))"""
    )
    assert prevented is True
    grip = page.locator(".grip").bounding_box()
    page.mouse.move(grip["x"] + 18, grip["y"] + 18)
    page.mouse.down()
    page.mouse.move(grip["x"] - 300, grip["y"] + 200)
    page.mouse.up()
    assert page.locator("#notice").is_hidden()
    assert page.locator("body.dragging").count() == 0


def test_the_camera_is_looked_through_until_a_code_is_read(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    picture = list(encode(symbol("through the camera", scale=6)))
    watched.page.add_init_script(CAMERA.replace("PICTURE", json.dumps(picture)))
    page = watched.open()
    page.click("#live-open")
    wait_for_text(page, ".payload >> nth=0", "through the camera")
    assert page.locator("#live").is_hidden()
    assert page.evaluate("document.querySelector('#video').srcObject") is None


def test_without_a_camera_the_page_says_so(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    watched.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));"
    )
    page = watched.open()
    page.click("#live-open")
    wait_for_text(page, "#live-state", "There is no camera, or this page may not use it.")
    assert axe_violations(page) == []
    page.click("#live-close")
    assert page.locator("#live").is_hidden()
