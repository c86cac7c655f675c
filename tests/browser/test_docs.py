"""The API's page at `/docs`, with nothing from elsewhere."""

import pytest

from tests.browser.page import Visit
from tests.builders.images import encode, symbol
from tests.builders.server import Server

pytestmark = pytest.mark.processes


def test_swagger_shows_and_tries_the_service(visit: Visit, quick: Server) -> None:
    watched = visit(quick)
    page = watched.open("/docs")
    page.wait_for_selector(".opblock")
    assert "QR Super-Resolution" in page.inner_text("h1, h2 >> nth=0")
    assert page.locator(".opblock").count() >= 4
    watched.picture("desktop-light-docs")
    block = page.locator(".opblock", has=page.locator("[data-path='/v1/decode']"))
    block.locator(".opblock-summary").click()
    block.locator("button:text('Try it out')").click()
    block.locator("input[type=file]").set_input_files(
        {"name": "code.png", "mimeType": "image/png", "buffer": encode(symbol("from the docs"))}
    )
    block.locator("button:text('Execute')").click()
    page.wait_for_selector(".live-responses-table >> text=from the docs")
