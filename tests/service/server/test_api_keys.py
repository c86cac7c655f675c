"""API keys, origins, headers."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.server.api_keys import KeysError, load_keys
from service.server.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, symbol
from tests.builders.server import running

FIRST, SECOND = "first-key-0123456789", "second-key-012345678"
FILES = {"file": ("a.png", encode(symbol("HELLO")))}
PAGE = "https://example.org"


@pytest.fixture(scope="module")
def locked(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service with one key in the environment, one in a file, and one origin."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"# comment\n\n  {SECOND}  \n")
    chosen = settings.model_copy(
        update={
            "api_keys": type(settings.api_keys)(FIRST),
            "api_keys_file": str(path),
            "cors_origins": f"{PAGE}, https://example.com",
            "metrics_need_key": True,
        }
    )
    with (
        running(create_app(chosen, decoder=lambda _: InProcessDecoder())) as server,
        server.client() as client,
    ):
        yield client


@pytest.mark.parametrize("route", ["/decode", "/upscale", "/v1/decode", "/v1/upscale"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {FIRST}"},
        {"authorization": f"Bearer {FIRST}x"},
        {"x-api-key": FIRST[:-1]},
        {"x-api-key": "é" * 20},
    ],
)
def test_without_a_key_there_is_no_work(locked: httpx.Client, route: str, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = locked.post(route, files=FILES, headers=raw)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "unauthorized"
    assert FIRST[:-1] not in response.text


@pytest.mark.parametrize(
    "headers",
    [{"authorization": f"Bearer {FIRST}"}, {"authorization": f"bearer {SECOND}"}, {"x-api-key": SECOND}],
)
def test_every_key_opens(locked: httpx.Client, headers: dict[str, str]) -> None:
    body = locked.post("/decode", files=FILES, headers=headers).json()
    assert [found["text"] for found in body["symbols"]] == ["HELLO"]


def test_probes_are_open_and_metrics_are_as_set(locked: httpx.Client, client: httpx.Client) -> None:
    assert locked.get("/livez").status_code == 200
    assert locked.get("/readyz").status_code == 200
    assert locked.get("/metrics").status_code == 401
    shown = locked.get("/metrics", headers={"x-api-key": FIRST})
    assert 'qrsr_rejected_total{reason="unauthorized"}' in shown.text
    assert FIRST not in shown.text
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "no API key"), ("# nothing\n", "no API key"), ("short\n", "fewer than"), ("ü" * 30, "read")],
)
def test_a_file_without_usable_keys_is_refused(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content, "utf-8")
    with pytest.raises(KeysError, match=told):
        load_keys(Settings(api_keys_file=str(path)))


def test_a_missing_file_is_refused_and_none_named_is_open(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="cannot be read"):
        load_keys(Settings(api_keys_file=str(tmp_path / "none")))
    assert load_keys(Settings(api_keys_file="")) == ()


def test_keys_are_not_shown_with_the_settings() -> None:
    settings = Settings(api_keys=FIRST)  # type: ignore[arg-type]
    assert FIRST not in repr(settings)
    assert FIRST not in settings.model_dump_json()


def test_pages_of_allowed_origins_may_call(locked: httpx.Client) -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-api-key",
    }
    preflight = locked.options("/decode", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert "x-api-key" in preflight.headers["access-control-allow-headers"].lower()
    answer = locked.post("/decode", files=FILES, headers={"origin": PAGE, "x-api-key": FIRST})
    assert answer.headers["access-control-allow-origin"] == PAGE
    other = locked.post(
        "/decode", files=FILES, headers={"origin": "https://evil.example", "x-api-key": FIRST}
    )
    assert "access-control-allow-origin" not in other.headers


def test_pages_may_not_call_unless_that_is_set(client: httpx.Client) -> None:
    answer = client.post("/decode", files=FILES, headers={"origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_has_the_security_headers(client: httpx.Client, locked: httpx.Client) -> None:
    for response in (
        client.post("/decode", files=FILES),
        client.post("/upscale", files=FILES),
        client.post("/decode"),
        client.get("/livez"),
        client.get("/nothing"),
        locked.post("/decode", files=FILES),
    ):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "server" not in response.headers or "uvicorn" in response.headers["server"]


def test_nothing_in_the_service_unpickles() -> None:
    folder = Path(__file__).resolve().parents[3] / "service"
    sources = {path.relative_to(folder): path.read_text() for path in folder.rglob("*.py")}
    assert len(sources) > 30
    unpickles = re.compile(
        r"^\s*(import|from) (pickle|shelve|dill|cloudpickle|marshal)|allow_pickle=True", re.MULTILINE
    )
    assert [path for path, text in sources.items() if unpickles.search(text)] == []
    # `multiprocessing` pickles as well; what serves HTTP and looks at strangers' images does without.
    spawns = re.compile(r"^\s*(import|from) multiprocessing", re.MULTILINE)
    serving = {path: text for path, text in sources.items() if path.parts[0] not in ("bulk", "cli", "ray")}
    assert [path for path, text in serving.items() if spawns.search(text)] == []
