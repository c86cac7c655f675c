"""Where images come from: files, the camera, the clipboard, what is dropped; and what is no image."""

import json
from pathlib import Path

import pytest

from tests.browser.page import Visit, give, status, upload, wait_for_text
from tests.builders.images import encode, symbol
from tests.builders.server import Server

pytestmark = pytest.mark.processes


def test_the_same_file_may_be_chosen_again(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    for text in ("once", "twice"):
        with page.expect_file_chooser() as chooser:
            page.click("label[for=file]")
        chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": encode(symbol(text))})
        wait_for_text(page, ".payload", text)


def test_a_phone_takes_a_photo(visit: Visit, quick: Server) -> None:
    page = visit(quick, "phone").open()
    assert page.locator("label[for=camera]").is_visible()
    assert page.get_attribute("#camera", "capture") == "environment"
    upload(page, encode(symbol("by camera")), to="#camera")
    wait_for_text(page, ".payload", "by camera")


def test_a_desktop_offers_no_camera(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    assert page.locator("label[for=camera]").is_hidden()
    assert page.locator("label[for=file]").is_visible()


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped(visit: Visit, quick: Server, kind: str) -> None:
    page = visit(quick).open()
    give(page, kind, encode(symbol(f"by {kind}")))
    wait_for_text(page, ".payload", f"by {kind}")


def test_the_paste_button_takes_the_clipboards_picture(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open()
    page.evaluate("navigator.clipboard.writeText('no picture')")
    page.click("#paste")
    wait_for_text(
        page, "#notice", "There is no picture on the clipboard. Copy an image or a screenshot first."
    )
    page.evaluate(
        """async (numbers) => navigator.clipboard.write(
            [new ClipboardItem({ "image/png": new Blob([new Uint8Array(numbers)], { type: "image/png" }) })])""",
        list(encode(symbol("by button"))),
    )
    page.click("#paste")
    wait_for_text(page, ".payload", "by button")
    assert page.locator("#notice").is_hidden()


def test_what_is_no_picture_leaves_the_answer_alone(visit: Visit, quick: Server) -> None:
    page = visit(quick).open()
    upload(page, encode(symbol("stays")))
    wait_for_text(page, ".payload", "stays")
    for kind, words in (
        ("paste", "There is no picture on the clipboard. Copy an image or a screenshot first."),
        ("drop", "That was no file. Save the image first, and drop the file."),
    ):
        give(page, kind)
        wait_for_text(page, "#notice", words)
        assert page.inner_text(".payload") == "stays"


@pytest.mark.shared
@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_photographs_are_read(visit: Visit, released: Server, shared: Path, kind: str) -> None:
    """Not how many, which the benchmark says: that a page with a real photograph is whole."""
    lines = (shared / "photos" / "index.jsonl").read_text(encoding="utf-8").splitlines()
    largest = max((json.loads(line) for line in lines), key=lambda entry: entry["size"][0] * entry["size"][1])
    watched = visit(released, kind)
    page = watched.open()
    page.set_input_files("#file", shared / "photos" / largest["path"])
    assert status(page, "read") == "Read"
    assert page.inner_text(".payload") == largest["payload"]
    assert page.inner_text("#legend").startswith("{} × {} pixels".format(*largest["size"]))
    assert page.locator("#outlines polygon").count() == 2  # a line, and a wider one under it
