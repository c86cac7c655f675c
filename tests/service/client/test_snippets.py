"""The snippets of docs/integration.md, run as they stand there, against the real application."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.server.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, symbol
from tests.builders.model import TINY, write_tiny_model
from tests.builders.server import Server, running

pytestmark = pytest.mark.processes


ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
BATCH = "decode_many"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = tmp_path_factory.mktemp("store")
    write_tiny_model(store)
    settings = Settings(model_store=store, model=TINY, device="cpu", tile=64)
    with running(create_app(settings, decoder=lambda _: InProcessDecoder())) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a snippet runs: with a crop, and beside it a file that is none."""
    (tmp_path / "crop.png").write_bytes(encode(symbol("from a snippet")))
    return tmp_path


def snippets(kind: str, server: Server) -> list[str]:
    """Their text, with the address of this server in place of the usual one."""
    found = [text for label, text in SNIPPETS if label == kind]
    assert found
    return [text.replace("http://localhost:8000", f"http://127.0.0.1:{server.port}") for text in found]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def test_every_marked_snippet_is_run_here() -> None:
    assert sorted(kind for kind, _ in SNIPPETS) == [
        "curl",
        "javascript",
        "node",
        "python",
        "python",
        "python",
    ]


def test_curl(server: Server, folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    (command,) = snippets("curl", server)
    answer = json.loads(run(["bash", "-c", command], folder).stdout)
    assert [entry["text"] for entry in answer["symbols"]] == ["from a snippet"]


@contextmanager
def busy_at_first() -> Iterator[tuple[int, list[float]]]:
    """A service that answers 429 with `Retry-After: 1`, then 503, then a symbol: its port, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(time.monotonic())
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = ((429, b'{"code": "overloaded"}'), (503, b"<h1>"), (200, ANSWER))[
                min(len(asked), 3) - 1
            ]
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as stub:
        thread = threading.Thread(target=stub.serve_forever, daemon=True)
        thread.start()
        yield stub.server_address[1], asked
        stub.shutdown()


ANSWER = b'{"symbols": [{"text": "at last"}]}'


def test_curl_waits_as_asked_and_prints_the_answer_alone(folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    (command,) = (text for kind, text in SNIPPETS if kind == "curl")
    with busy_at_first() as (port, asked):
        done = run(["bash", "-c", command.replace("localhost:8000", f"127.0.0.1:{port}")], folder)
    assert done.stdout == ANSWER.decode()
    assert len(asked) == 3
    assert asked[1] - asked[0] >= 1


def test_python(server: Server, folder: Path) -> None:
    one, many, event_loop = snippets("python", server)
    assert run([sys.executable, "-c", one], folder).stdout == "from a snippet\n"
    assert run([sys.executable, "-c", event_loop], folder).stdout == "['from a snippet']\n"
    assert (folder / "crop-x4.png").read_bytes().startswith(b"\x89PNG")
    (folder / "crop-x4.png").unlink()
    (folder / "letter.png").write_bytes(b"no image")
    done = run([sys.executable, "-c", many], folder)
    crop, letter = done.stdout.splitlines()
    assert crop == "crop.png ['from a snippet']"
    assert letter.startswith("letter.png failed: unsupported_image_format")
    assert "100%" in done.stderr
    assert BATCH in many


def test_python_says_why(server: Server, folder: Path) -> None:
    (folder / "crop.png").write_bytes(b"no image")
    one = snippets("python", server)[0]
    assert (
        run([sys.executable, "-c", one], folder).stdout
        == "not an image we can use: unsupported_image_format\n"
    )


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < 18:
        pytest.skip(f"Node {version.strip()} is older than 18")
    return found


def test_node(server: Server, folder: Path) -> None:
    (function,), (use,) = snippets("javascript", server), snippets("node", server)
    assert run([node(), "-e", function + use], folder).stdout == "[ 'from a snippet' ]\n"


def test_node_waits_as_asked(folder: Path) -> None:
    (function,), (use,) = (
        [text for kind, text in SNIPPETS if kind == name] for name in ("javascript", "node")
    )
    with busy_at_first() as (port, asked):
        program = (function + use).replace("localhost:8000", f"127.0.0.1:{port}")
        assert run([node(), "-e", program], folder).stdout == "[ 'at last' ]\n"
    assert len(asked) == 3
    assert asked[1] - asked[0] >= 1


def test_node_does_not_repeat_what_is_final(server: Server, folder: Path) -> None:
    (function,) = snippets("javascript", server)
    use = 'readCode(new Blob(["no image"])).catch(({ code }) => console.log(code));'
    before = server.uvicorn.server_state.total_requests
    assert run([node(), "-e", function + use], folder).stdout == "unsupported_image_format\n"
    assert server.uvicorn.server_state.total_requests == before + 1


def test_node_gives_up_in_time(folder: Path) -> None:
    (function,) = [text for kind, text in SNIPPETS if kind == "javascript"]
    use = 'readCode(new Blob(["x"]), { url: "http://127.0.0.1:9", timeout: 300 }).catch(() => console.log("gave up"));'
    assert run([node(), "-e", function + use], folder).stdout == "gave up\n"
