"""The first click: samples that come with the service, in both schemes, on a desktop and on a phone."""

import json
from pathlib import Path

import pytest

from tests.browser.page import SAMPLES, Visit, axe_violations, focused, status, tab_to, wait_for_text
from tests.builders.server import Server

pytestmark = pytest.mark.processes


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
    # What was read is in view without scrolling.
    assert page.locator(".payload").bounding_box()["y"] < page.viewport_size["height"]
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
            # A payload with a secret is folded away.
            assert page.locator(".payload").text_content()


def test_the_last_of_several_quick_clicks_counts(visit: Visit, released: Server) -> None:
    page = visit(released).open()
    page.evaluate("for (const at of [0, 1, 2]) document.querySelectorAll('.sample')[at].click()")
    wait_for_text(page, ".payload", "tel:+15550100")
    page.wait_for_selector("#download[download^='screen']")
    assert page.get_attribute(".sample >> nth=2", "aria-pressed") == "true"
    assert page.locator(".sample[aria-pressed=true]").count() == 1


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


def test_everything_is_done_by_keyboard(visit: Visit, released: Server) -> None:
    watched = visit(released)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the playground"
    page.keyboard.press("Enter")
    tab_to(page, "Forwarded twice")
    page.keyboard.press("Enter")
    status(page, "read")
    page.wait_for_selector("#divider:visible")
    tab_to(page, "file")
    # What has the focus shows it: the label stands for the file chooser, which is not seen.
    assert (
        page.evaluate("getComputedStyle(document.querySelector('label[for=file]')).outlineStyle") == "solid"
    )
    tab_to(page, "Copy")
    page.keyboard.press("Space")
    page.wait_for_selector("button:text('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "https://example.org/forwarded?by=a+messenger&twice=yes"
    tab_to(page, "zoom-in")
    before = page.inner_text("#zoom-level")
    page.keyboard.press("Enter")
    assert page.inner_text("#zoom-level") != before
    tab_to(page, "scroll")
    tab_to(page, "divider")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#divider", "aria-valuenow") == "52"
    tab_to(page, "download")
    watched.picture("desktop-light-keyboard")
