"""A real browser before the real service. Skipped where there is no Chromium or no Playwright."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from service.server.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.model import TINY, write_tiny_model
from tests.builders.server import Server, running

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "browser"
"""Where screenshots are kept, to be looked at."""
VIEWPORTS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
_REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What Chromium itself writes about every refused request."""


@dataclass
class Watched:
    """A page and what it did that it should not have."""

    page: Any
    origin: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Any:
        """Go to a path of the service, and wait for the samples."""
        self.page.goto(self.origin + path)
        if path == "/":
            self.page.wait_for_selector(".sample")
        return self.page

    def picture(self, name: str) -> None:
        """Keep a screenshot of the whole page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        # A container's root has no user namespaces for Chromium's own sandbox.
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def released() -> Iterator[Server]:
    """The released generator and all readers."""
    with running(create_app(Settings(model_store=ROOT / "model_store", device="cpu", decoders=1))) as server:
        yield server


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Any]:
    """Starts a service with a tiny generator and other settings."""
    write_tiny_model(tmp_path)

    def start(decoder: InProcessDecoder | None = None, **options: Any) -> Any:
        settings = Settings(model_store=tmp_path, model=TINY, device="cpu", tile=64, **options)
        return running(create_app(settings, decoder=lambda _: decoder or InProcessDecoder()))

    return start


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with a tiny generator, for what has nothing to do with reading well."""
    store = tmp_path_factory.mktemp("store")
    write_tiny_model(store)
    settings = Settings(model_store=store, model=TINY, device="cpu", tile=64)
    with running(create_app(settings, decoder=lambda _: InProcessDecoder())) as server:
        yield server


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Watched]]:
    """Opens pages; at the end none of them may have logged an error or asked another origin."""
    opened: list[tuple[Any, Watched]] = []

    def new(server: Server, kind: str = "desktop", *, scheme: str = "light", stops: bool = False) -> Watched:
        context = browser.new_context(
            **VIEWPORTS[kind], color_scheme=scheme, reduced_motion="reduce", accept_downloads=True
        )
        watched = Watched(context.new_page(), f"http://127.0.0.1:{server.port}")
        watched.page.set_default_timeout(60_000)

        def on_console(message: Any) -> None:
            expected = message.text.startswith(_REFUSED) or (stops and "net::ERR" in message.text)
            if message.type in ("error", "warning") and not expected:
                watched.errors.append(message.text)

        def on_request(request: Any) -> None:
            if not request.url.startswith((watched.origin + "/", "blob:", "data:")):
                watched.foreign.append(request.url)

        watched.page.on("console", on_console)
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on("request", on_request)
        opened.append((context, watched))
        return watched

    yield new
    for context, watched in opened:
        context.close()
        assert watched.errors == []
        assert watched.foreign == []
