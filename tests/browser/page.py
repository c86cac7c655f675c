"""What tests do with the playground, and what they ask of it."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import ROOT, Watched

Visit = Callable[..., Watched]
SAMPLES = ROOT / "service" / "server" / "static" / "samples"


def upload(
    page: Any, data: bytes, name: str = "code.png", kind: str = "image/png", to: str = "#file"
) -> None:
    """Choose a file."""
    page.set_input_files(to, {"name": name, "mimeType": kind, "buffer": data})


def give(page: Any, kind: str, *pictures: bytes) -> None:
    """Paste or drop pictures; none at all is text."""
    script = """([kind, pictures]) => {
        const transfer = new DataTransfer();
        for (const data of pictures) {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], "image.png", { type: "image/png" }));
        }
        if (!pictures.length) transfer.setData("text/plain", "no picture");
        const event = kind === "paste"
            ? new ClipboardEvent(kind, { clipboardData: transfer, bubbles: true })
            : new DragEvent(kind, { dataTransfer: transfer, bubbles: true });
        document.body.dispatchEvent(event);
    }"""
    page.evaluate(script, [kind, [base64.b64encode(picture).decode() for picture in pictures]])


def status(page: Any, state: str) -> str:
    """The headline, once the page is in that state."""
    page.wait_for_selector(f"#verdict[data-state={state}]")
    return str(page.inner_text("#status"))


def wait_for_text(page: Any, selector: str, text: str) -> None:
    """`page.wait_for_function` would need what the page's own policy forbids, which is evaluating strings."""
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.locator(selector)).to_have_text(text, timeout=60_000)


def focused(page: Any) -> str:
    """The id of the element that keys go to, or its text where it has none."""
    return str(page.evaluate("document.activeElement.id || document.activeElement.innerText"))


def tab_to(page: Any, wanted: str, most: int = 40) -> None:
    """Press Tab until the focus is on what `focused` calls so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page).startswith(wanted):
            return
    raise AssertionError(f"{wanted} was not reached by {most} presses of Tab")


def axe_violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it is now."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    return [
        f"{entry['id']}: {[node['html'] for node in entry['nodes']]}"
        for entry in axe.run(page).response["violations"]
    ]
