"""Probes, metrics, documentation, headers, log."""

import json
import logging
import re
import time
from pathlib import Path

import httpx
import pytest

from service.logs import JsonFormatter
from tests.builders.images import encode, pattern, symbol
from tests.builders.model import TINY
from tests.builders.server import Server


def test_livez_answers(client: httpx.Client) -> None:
    assert client.get("/livez").json() == {"alive": True}


def test_ready_tells_what_is_really_in_use(client: httpx.Client, server: Server) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    body = response.json()
    assert body["ready"] is True
    assert body["reasons"] == []
    assert body["provider"] == "CPUExecutionProvider"
    assert body["model"]["name"] == TINY
    assert body["model"]["version"] == 1
    assert re.fullmatch("[0-9a-f]{64}", body["model"]["sha256"])
    assert body["decoder"] == {
        "children": 1,
        "restarts": 0,
        "crashes": 0,
        "idle_exits": 0,
        "timeouts": 0,
        "wechat_nets": False,
    }


def test_the_documentation_and_its_schema_are_served(client: httpx.Client) -> None:
    assert "swagger" in client.get("/docs").text.lower()
    schema = client.get("/openapi.json").json()
    for path in ("/v1/decode", "/v1/decode/batch", "/v1/upscale", "/v1/upscale/decode"):
        operation = schema["paths"][path]["post"]
        assert "multipart/form-data" in operation["requestBody"]["content"]
        assert "application/problem+json" in operation["responses"]["413"]["content"]
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)))
    assert references <= set(schema["components"]["schemas"])
    assert "Problem" in references


@pytest.mark.inside
def test_metrics_count_requests_errors_and_stages(client: httpx.Client) -> None:
    def value(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    answered = 'qrsr_requests_total{method="POST",route="/v1/decode",status="200"}'
    refused = 'qrsr_errors_total{code="file_empty"}'
    inferred = 'qrsr_stage_seconds_count{stage="inference"}'
    symbols = 'qrsr_symbols_total{attempt="upload",reader="zxing"}'
    before = [value(name) for name in (answered, refused, inferred, symbols)]
    client.post("/v1/decode", files={"file": ("a", encode(symbol("X")))})
    client.post("/v1/decode", files={"file": ("a", b"")})
    client.post("/v1/upscale", files={"file": ("a", encode(pattern(20, 20)))})
    after = [value(name) for name in (answered, refused, inferred, symbols)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1]
    text = client.get("/metrics").text
    assert re.search(r'qrsr_model_info\{.*provider="CPUExecutionProvider".*version="1"\} 1.0', text)


def test_unknown_paths_do_not_become_labels(client: httpx.Client) -> None:
    client.get("/some/odd/path")
    text = client.get("/metrics").text
    assert "odd" not in text
    assert 'route="unmatched"' in text


def test_request_id_is_kept_where_it_is_sane(client: httpx.Client) -> None:
    assert (
        client.get("/livez", headers={"X-Request-ID": "abc-123_x.Y"}).headers["x-request-id"] == "abc-123_x.Y"
    )
    for odd in ("", "a b", "x" * 65, "a\tb", "é"):
        answered = client.get("/livez", headers={b"X-Request-ID": odd.encode("latin-1")}).headers[
            "x-request-id"
        ]
        assert re.fullmatch("[0-9a-f]{32}", answered)


def test_every_answer_has_an_id_and_a_timing(client: httpx.Client) -> None:
    upscaled = client.post("/upscale", files={"file": ("a", encode(pattern(20, 20)))})
    names = [part.split(";")[0] for part in upscaled.headers["server-timing"].split(", ")]
    assert names == [*("upload", "wait", "decode_image", "queue", "inference", "upscale", "encode", "total")]
    for response in (upscaled, client.get("/nothing"), client.post("/upscale", content=b"")):
        assert response.headers["x-request-id"]
        assert re.search(r"total;dur=\d+\.\d", response.headers["server-timing"])


@pytest.mark.inside
def test_the_log_is_json_with_the_request_id_and_without_the_payload(client: httpx.Client) -> None:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonFormatter().format(record))

    root, keep = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    try:
        files = {"file": ("private-name.png", encode(symbol("TOP-SECRET")))}
        client.post("/decode", files=files, headers={"X-Request-ID": "log-test"})
        # The line is written after the answer is sent.
        end = time.monotonic() + 20
        while not (
            entries := [
                entry for line in lines if (entry := json.loads(line)).get("request_id") == "log-test"
            ]
        ):
            assert time.monotonic() < end, "nothing was logged"
            time.sleep(0.005)
    finally:
        root.removeHandler(keep)
        root.setLevel(level)
    (answered,) = [entry for entry in entries if entry["message"] == "answered"]
    assert answered["route"] == "/decode"
    assert answered["status"] == 200
    assert answered["ms"] > 0
    assert "TOP-SECRET" not in "".join(lines)
    assert "private-name" not in "".join(lines)


def test_json_lines_carry_exceptions_and_extras() -> None:
    try:
        raise ValueError("odd")
    except ValueError as error:
        record = logging.LogRecord(
            "service",
            logging.ERROR,
            __file__,
            1,
            "went %s",
            ("wrong",),
            (ValueError, error, error.__traceback__),
        )
    record.code = "internal"
    line = JsonFormatter().format(record)
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == "went wrong"
    assert entry["level"] == "error"
    assert entry["code"] == "internal"
    assert "ValueError: odd" in entry["exception"]


def test_a_line_is_written_whatever_its_text() -> None:
    record = logging.LogRecord("service", logging.INFO, __file__, 1, "no UTF-8: %s", ("a\udcff",), None)
    record.path = Path("b")
    entry = json.loads(JsonFormatter().format(record))
    assert entry["message"] == "no UTF-8: a\udcff"
    assert entry["path"] == "b"
