"""The log: what the event loop says is written together, what matters at once."""

import asyncio
import io
import json
import logging

import pytest

from service.logs import FLUSH_S, GatheredHandler, JsonFormatter, choose_id


class Written(io.StringIO):
    """Counts its writes."""

    count = 0

    def write(self, text: str) -> int:
        self.count += 1
        return super().write(text)

    def messages(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.getvalue().splitlines()]


@pytest.fixture
def stream() -> Written:
    return Written()


@pytest.fixture
def log(stream: Written) -> logging.Logger:
    handler = GatheredHandler(stream)
    handler.setFormatter(JsonFormatter())
    found = logging.Logger("gathered")
    found.addHandler(handler)
    return found


def test_lines_of_the_event_loop_are_written_together(log: logging.Logger, stream: Written) -> None:
    async def main() -> None:
        for number in range(5):
            log.info("%d", number)
        assert stream.count == 0
        await asyncio.sleep(2 * FLUSH_S)
        assert (stream.count, stream.messages()) == (1, list("01234"))
        log.info("held")
        log.warning("at once")
        assert stream.messages()[5:] == ["held", "at once"]

    asyncio.run(main())


def test_what_a_loop_left_is_written_by_the_next_line_or_at_the_end(
    log: logging.Logger, stream: Written
) -> None:
    async def main() -> None:
        log.info("left")

    asyncio.run(main())
    asyncio.run(main())
    log.info("without a loop")
    assert stream.messages() == ["left", "left", "without a loop"]
    asyncio.run(main())
    log.handlers[0].flush()
    assert stream.messages()[3:] == ["left"]


def test_a_line_that_cannot_be_made_stops_nothing(
    log: logging.Logger, stream: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("%d", "not a number")
    log.info("next")
    assert stream.messages() == ["next"]
    assert "Logging error" in capsys.readouterr().err


def test_ids_differ_and_are_sane() -> None:
    made = {choose_id(None) for _ in range(1000)}
    assert len(made) == 1000
    assert all(choose_id(one) == one for one in made)
    assert choose_id("from-the-client.1") == "from-the-client.1"
    assert len(choose_id("two words")) == 32
