"""The log: one JSON object a line, with the request's id, whatever a line is made of."""

import io
import json
import logging

import pytest

from service.logs import JsonFormatter, choose_id, request_id


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> logging.Logger:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    found = logging.Logger("lines")
    found.addHandler(handler)
    return found


def test_a_line_has_its_message_its_extras_and_the_id_of_its_request(
    log: logging.Logger, stream: io.StringIO
) -> None:
    token = request_id.set("abc")
    log.warning("%d of %d", 1, 2, extra={"status": 200})
    request_id.reset(token)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning", "logger": "lines", "message": "1 of 2", "request_id": "abc", "status": 200,
    }  # fmt: skip


def test_a_line_that_cannot_be_made_stops_no_other(
    log: logging.Logger, stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    log.warning("%d", "not a number")
    log.warning("next")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["next"]
    assert "Logging error" in capsys.readouterr().err


def test_ids_differ_and_are_sane() -> None:
    made = {choose_id(None) for _ in range(1000)}
    assert len(made) == 1000
    assert all(choose_id(one) == one for one in made)
    assert choose_id("from-the-client.1") == "from-the-client.1"
    assert len(choose_id("two words")) == 32
