"""The playground as people use it, in Chromium."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import ROOT, Watched
from tests.builders.images import encode, symbol
from tests.builders.server import Server

Visit = Callable[..., Watched]
SAMPLES = ROOT / "service" / "static" / "samples"
FILE = "#file"


def upload(page: Any, data: bytes, name: str = "code.png", kind: str = "image/png") -> None:
    page.set_input_files(FILE, {"name": name, "mimeType": kind, "buffer": data})


def status(page: Any, state: str) -> str:
    """The headline, once the page is in that state."""
    page.wait_for_selector(f"#verdict[data-state={state}]")
    return str(page.inner_text("#status"))


def wait_for_text(page: Any, selector: str, text: str) -> None:
    """`page.wait_for_function` would need what the page's own policy forbids, which is evaluating strings."""
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.locator(selector)).to_have_text(text, timeout=60_000)


def axe_violations(page: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    return [
        f"{entry['id']}: {[node['html'] for node in entry['nodes']]}"
        for entry in axe.run(page).response["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_the_first_click_reads_a_hard_sample(visit: Visit, released: Server, kind: str, scheme: str) -> None:
    watched = visit(released, kind, scheme=scheme)
    page = watched.open()
    assert axe_violations(page) == []
    watched.picture(f"{kind}-{scheme}-start")
    page.click(".sample >> nth=0")
    assert status(page, "read") == "Read"
    assert page.inner_text(".payload") == "https://example.org/qr-super-resolution"
    page.wait_for_selector("#divider:visible")
    # The readers gave up on the upload, and the last attempt is the one that read it.
    assert "nothing" in page.inner_text("#attempts li >> nth=0")
    assert "read it" in page.inner_text("#attempts li >> nth=-1")
    assert page.locator("#facts dt", has_text="Network").count() >= 1
    assert "qr_sr_x4 version" in page.inner_text("#facts")
    points = page.get_attribute("#outlines polygon", "points").split()
    assert len(points) == 4
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_violations(page) == []
    watched.picture(f"{kind}-{scheme}-read")


def test_every_sample_is_read(visit: Visit, released: Server) -> None:
    page = visit(released).open()
    for entry in json.loads((SAMPLES / "index.json").read_text()):
        page.click(f".sample:has(img[src$='{entry['file']}'])")
        if entry["file"] == "poster.jpg":
            status(page, "unread")
        else:
            page.wait_for_selector(f"#download[download^='{Path(entry['file']).stem}']")
            assert status(page, "read") == "Read"
            assert page.locator(".payload").inner_text()


def test_binary_payloads_are_hex_and_are_copied(visit: Visit, released: Server) -> None:
    watched = visit(released)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open()
    page.click("text=Binary token")
    status(page, "read")
    assert page.inner_text(".payload") == "8f 3a c1 00 7e 55 d2 01 9c 44 ab 00 f1 e7"
    page.click("text=Copy as hex")
    page.wait_for_selector("button:text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == "8f3ac1007e55d2019c44ab00f1e7"


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


def test_a_picture_is_pasted_and_dropped(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open()
    give = """([data, kind]) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "image.png", { type: "image/png" }));
        const event = kind === "paste"
            ? new ClipboardEvent(kind, { clipboardData: transfer, bubbles: true })
            : new DragEvent(kind, { dataTransfer: transfer, bubbles: true });
        document.body.dispatchEvent(event);
    }"""
    for kind in ("paste", "drop"):
        data = base64.b64encode(encode(symbol(f"by {kind}"))).decode()
        page.evaluate(give, [data, kind])
        wait_for_text(page, ".payload", f"by {kind}")
    page.evaluate("navigator.clipboard.writeText('no picture')")
    page.click("#paste")
    assert status(page, "error") == "There is no picture on the clipboard."


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
    assert page.evaluate("document.activeElement.id") == "box"
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
    assert page.evaluate("document.activeElement.id") == "status"


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


REFUSALS = [
    (b"\x00\x00\x00\x18ftypheic" + bytes(64), "photo.heic", "That is no image this service takes."),
    (b"", "empty.png", "That file is empty."),
    (encode(np.full((6, 30), 90, np.uint8)), "thin.png", "That image is too small."),
    (encode(symbol("cut"))[:120], "half.png", "That image is damaged."),
    (encode(symbol("long")) + bytes(70_000), "long.png", "That file is too large."),
    (encode(np.zeros((300, 400), np.uint8)), "large.png", "That image has too many pixels."),
]


def test_each_refusal_has_a_clear_message(visit: Visit, small: Any) -> None:
    with small(max_body_bytes=65_536, max_decode_pixels=90_000, max_upscale_pixels=60_000) as server:
        watched = visit(server)
        page = watched.open()
        for data, name, title in REFUSALS:
            upload(page, data, name)
            wait_for_text(page, "#verdict[data-state=error] #status", title)
            assert page.inner_text("#hint")
        assert axe_violations(page) == []
        watched.picture("desktop-light-error")
        upload(page, encode(np.full((90, 90), 128, np.uint8)))
        assert status(page, "unread") == "Not read"


def test_a_service_that_stops_is_told_and_can_be_tried_again(visit: Visit, small: Any) -> None:
    with small() as server:
        watched = visit(server, stops=True)
        page = watched.open()
        upload(page, encode(symbol("once")))
        status(page, "read")
    upload(page, encode(symbol("twice")))
    assert status(page, "error") == "The service does not answer."
    assert page.locator("#retry").is_visible()
    watched.picture("desktop-light-stopped")


def test_a_key_is_asked_for_and_kept_in_the_page_only(visit: Visit, small: Any) -> None:
    secret = "-".join(["a", "key", "for", "this", "test"])
    with small(api_keys=secret) as server:
        page = visit(server).open()
        page.wait_for_selector("#key-form:visible")
        upload(page, encode(symbol("locked")))
        assert status(page, "error") == "This service wants an API key."
        assert page.evaluate("document.activeElement.id") == "key"
        page.keyboard.type(secret)
        page.keyboard.press("Enter")
        assert status(page, "read") == "Read"
        page.wait_for_selector("#divider:visible")
        stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert secret not in stored
        page.reload(wait_until="networkidle")  # or the server ends before the page has everything
        assert page.input_value("#key") == ""


def test_swagger_works_without_another_origin(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    page = watched.open("/docs")
    page.wait_for_selector("#operations-images-decode_upload_v1_decode_post, .opblock")
    assert "QR Super-Resolution" in page.inner_text("h1, h2 >> nth=0")
    assert page.locator(".opblock").count() >= 4
    watched.picture("desktop-light-docs")
