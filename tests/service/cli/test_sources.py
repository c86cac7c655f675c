"""`read --watch` and `read --url`: what comes into a folder, and what is fetched because it was named."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.cli.arrivals import arrivals
from service.cli.web import fetched, is_url
from service.files import FileError
from service.settings import Settings


def test_each_image_comes_once_when_it_is_whole_and_again_when_it_has_changed(tmp_path: Path) -> None:
    async def watch() -> list[list[str]]:
        looks: list[list[str]] = []
        (tmp_path / "old.png").write_bytes(b"1")
        (tmp_path / "notes.txt").write_bytes(b"1")
        (tmp_path / ".hidden.png").write_bytes(b"1")
        async with aclosing(arrivals(str(tmp_path), every_s=0.0)) as found:
            for step in range(7):
                looks.append(await anext(found))
                if step == 1:
                    (tmp_path / "new.JPG").write_bytes(b"1")
                if step == 2:
                    # Still being written.
                    (tmp_path / "new.JPG").write_bytes(b"12")
                if step == 4:
                    os.utime(tmp_path / "old.png", ns=(1, 1))
        return looks

    old, new = str(tmp_path / "old.png"), str(tmp_path / "new.JPG")
    assert asyncio.run(watch()) == [[], [old], [], [], [new], [], [old]]


def test_it_ends_with_the_folder(tmp_path: Path) -> None:
    async def watch() -> list[list[str]]:
        return [look async for look in arrivals(str(tmp_path / "gone"))]

    assert asyncio.run(watch()) == []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/image")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(b"x" * (100_000 if self.path == "/large" else 3))

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_fetched_and_redirects_are_followed(web: str) -> None:
    settings = Settings()
    assert fetched(f"{web}/image", settings) == fetched(f"{web}/moved", settings) == b"xxx"


@pytest.mark.parametrize(
    ("path", "code"), [("/none", "file_not_found"), ("/large", "file_too_large"), (":0/", "file_unreadable")]
)
def test_what_cannot_be_fetched_is_an_error_of_that_source(web: str, path: str, code: str) -> None:
    with pytest.raises(FileError) as caught:
        fetched(
            web.rpartition(":")[0] + path if path == ":0/" else web + path, Settings(max_body_bytes=65536)
        )
    assert caught.value.code == code


@pytest.mark.parametrize(("source", "expected"), [("https://a/b", True), ("http.png", False), ("-", False)])
def test_paths_are_no_addresses(source: str, expected: bool) -> None:
    assert is_url(source) is expected
