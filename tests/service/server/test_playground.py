"""The pages without a browser: headers, policy, and that nothing they name is missing."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from service.decoding.cascade import ATTEMPTS, CHANNELS
from service.errors import STATUS
from service.settings import Settings
from tests.builders.model import TINY

STATIC = Path(__file__).resolve().parents[3] / "service" / "server" / "static"
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in (STATIC / "js").glob("*.js")}


class Page(HTMLParser):
    """What the policy is about: the resources a page names, and whatever is written into it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.resources: list[str] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        self._script = tag in ("script", "style")
        source = given.get("src") or (given.get("href") if tag == "link" else None)
        if source:
            self.resources.append(source)

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_have_a_strict_policy_and_need_nothing_else(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in response.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    if path == "/":
        assert policy["style-src"] == "'self'"
    page = Page(response.text)
    assert page.inline == []
    assert page.resources
    for resource in page.resources:
        assert resource.startswith("static/")
        assert client.get(f"/{resource}").status_code == 200


def test_swagger_ui_comes_from_its_package_and_is_revalidated(client: httpx.Client) -> None:
    for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        answer = client.get(f"/static/swagger/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == "no-cache"
        assert len(answer.content) > 100_000
    assert client.get("/static/swagger/../core.py").status_code == 404
    assert client.get("/static/swagger/%2e%2e/core.py").status_code == 404


def test_modules_import_what_is_there(client: httpx.Client) -> None:
    for name, text in SCRIPTS.items():
        for imported in re.findall(r'from "\./([\w.]+)"', text):
            assert imported in SCRIPTS, name
        answer = client.get(f"/static/js/{name}")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-cache"
        again = client.get(f"/static/js/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        own = text.replace('"http://www.w3.org/2000/svg"', "")  # a name, not an address
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://[a-z]", own), (
            name
        )


@pytest.mark.parametrize(
    "path", ["/static/", "/static/none.js", "/static/../main.py", "/static/%2e%2e/app.py"]
)
def test_only_static_files_are_served(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_the_page_learns_limits_and_model(client: httpx.Client, settings: Settings) -> None:
    assert client.get("/playground.json").json() == {
        "model": {"name": TINY, "version": 1},
        "needs_key": False,
        "max_body_bytes": settings.max_body_bytes,
        "max_decode_pixels": settings.max_decode_pixels,
        "max_upscale_pixels": settings.max_upscale_pixels,
        "patience_s": settings.upload_timeout_s + settings.deadline_s + 10,
    }


def test_every_problem_and_every_attempt_has_words() -> None:
    text = SCRIPTS["messages.js"]
    problems = text.partition("PROBLEMS = {")[2].partition("\n};")[0]
    assert set(re.findall(r"^  (\w+): \[", problems, re.MULTILINE)) == set(STATUS)
    readers = set(re.findall(r"(\w+):", text.partition("READERS = {")[2].partition("}")[0]))
    variants = set(re.findall(r"(\w+):", text.partition("VARIANTS = {")[2].partition("}")[0]))
    pictures = set(re.findall(r"(\w+):", text.partition("PICTURES = {")[2].partition("}")[0]))
    for attempt in (*ATTEMPTS, CHANNELS):
        assert set(attempt.name.split("-")) <= readers | variants | pictures, attempt.name


def test_samples_are_listed_and_small(client: httpx.Client) -> None:
    listed = json.loads(client.get("/static/samples/index.json").text)
    assert {entry["file"] for entry in listed} == {
        path.name for path in (STATIC / "samples").iterdir() if path.suffix in (".png", ".jpg")
    }
    for entry in listed:
        assert entry["title"]
        assert entry["note"]
        assert len(client.get(f"/static/samples/{entry['file']}").content) < 100_000
