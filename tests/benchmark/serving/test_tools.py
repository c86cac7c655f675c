"""The load tools tell the truth: what is lost, wrong, late or another's is counted as such."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmark.serving import results, verdicts
from benchmark.serving.load import corpus, mutations, steadiness
from benchmark.serving.load.client import Answer, Call, Tally, closed_loop, form, open_loop, request
from benchmark.serving.rows import fuzz_imaging, leak, tail, throughput
from service.errors import ServiceError
from service.imaging import decode

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[int]:
    """A server that reads whole requests and leaves the answers to `handler`; gives its port."""
    numbers = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
                await reader.readexactly(int(lengths[0].partition(b":")[2]))
                await handler(reader, writer, next(numbers))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def ok(body: bytes = b"ok", head: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


async def two_of_three(_: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    if number % 3 == 2:
        writer.transport.abort()
    else:
        writer.write(ok())


CALL = Call(request("/decode", form(b"image")), corpus.accepted)


def test_every_third_answer_that_never_comes_is_counted_as_lost() -> None:
    async def main() -> Any:
        async with answering(two_of_three) as port:
            return await closed_loop(port, itertools.repeat(CALL, 12), clients=2)

    tally = asyncio.run(main())
    assert tally.statuses() == {"0": 4, "200": 8}
    assert len(tally.wrong) == 4


def test_a_connection_that_the_server_ends_is_not_used_again() -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(ok(head="Connection: close\r\n"))
        writer.close()

    async def main() -> Any:
        async with answering(handler) as port:
            return await closed_loop(port, itertools.repeat(CALL, 5), clients=1)

    assert asyncio.run(main()).statuses() == {"200": 5}


def test_an_open_loop_does_not_wait_and_counts_from_when_a_request_was_due() -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        await asyncio.sleep(0.3)
        writer.write(ok())

    async def main() -> Any:
        async with answering(handler) as port:
            return await open_loop(port, itertools.repeat(CALL), rate=100, seconds=0.2)

    tally = asyncio.run(main())
    # In closed loop one connection would have had one answer by then.
    assert 19 <= len(tally.answers[200]) <= 20
    assert min(tally.answers[200]) >= 0.29


def test_an_open_loop_counts_lost_answers_and_goes_on_over_new_connections() -> None:
    async def main() -> Any:
        async with answering(two_of_three) as port:
            return await open_loop(port, itertools.repeat(CALL), rate=50, seconds=0.31)

    tally = asyncio.run(main())
    assert tally.statuses() == {"0": 5, "200": 10}
    assert len(tally.wrong) == 5


def test_what_a_judge_raises_or_a_port_refuses_ends_an_open_loop() -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(ok())

    judged: list[Answer] = []

    def judge(answer: Answer) -> str | None:
        judged.append(answer)
        raise ValueError("no such thing")

    async def main() -> int:
        async with answering(handler) as port:
            with pytest.raises(ValueError, match="no such thing"):
                await open_loop(port, itertools.repeat(Call(CALL.raw, judge)), rate=50, seconds=0.2)
            await asyncio.sleep(0.2)
        assert len(judged) == 1
        return port

    async def refused(port: int) -> None:
        with pytest.raises(ConnectionRefusedError):
            await open_loop(port, itertools.repeat(CALL), rate=50, seconds=0.1)

    asyncio.run(refused(asyncio.run(main())))


def test_what_the_fuzzer_does_with_a_file_fits_the_service_and_takes_its_seeds() -> None:
    outcomes: Counter[str] = Counter()
    one = fuzz_imaging.target(outcomes)
    for data in (*mutations.SEEDS, b"", mutations.SEEDS[0][:40]):
        one(data)
    # The eighth is encoded as well.
    assert outcomes["picture"] >= 8
    assert sum(outcomes.values()) == len(mutations.SEEDS) + 2
    assert "internal" not in outcomes


def test_a_judge_knows_the_right_payload_from_a_wrong_one_and_from_none() -> None:
    judge = corpus.reads("MINE")

    def answer(symbols: str) -> Answer:
        return Answer(200, {}, f'{{"symbols":[{symbols}]}}'.encode(), 0.1, 0.0)

    assert judge(answer('{"payload_base64":"TUlORQ=="}')) is None
    assert judge(answer('{"payload_base64":"WU9VUlM="}')) == "misread"
    assert judge(answer("")) == "not read"
    assert "status 504" in (judge(Answer(504, {}, b"", 0.1, 0.0)) or "")


def test_another_uploads_enlarged_image_is_told_from_ones_own() -> None:
    from PIL import Image

    from benchmark.serving import images

    upload, other = (corpus.clear(random.Random(seed)) for seed in (1, 2))
    judge = corpus.enlarges(upload, own_symbol=True)

    def enlarged(content: str) -> Answer:
        pixels = Image.fromarray(images.symbol(content)).resize((4 * upload.width, 4 * upload.height))
        return Answer(200, {}, images.encode(pixels), 0.1, 0.0)

    assert judge(enlarged(upload.content)) is None
    assert judge(enlarged(other.content)) == "another's image"


def test_spoilt_requests_are_the_same_for_a_seed_and_both_refused_and_understood() -> None:
    first, second = ([mutations.spoilt_request(random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 45
    outcomes = set()
    for seed in range(300):
        try:
            decode(mutations.spoilt_file(random.Random(seed)), max_pixels=1 << 16)
            outcomes.add("picture")
        except ServiceError as error:
            outcomes.add(error.code)
    assert {"picture", "damaged_image", "unsupported_image_format", "image_too_large"} <= outcomes


def test_a_slope_is_not_turned_by_one_odd_sample() -> None:
    assert leak.slope([1, 2, 3, 4, 5], [10, 10, 90, 10, 10]) == 0
    assert leak.slope([0, 10, 20, 30], [5, 6, 7, 8]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "met"),
    [({}, True), ({"lost": 1}, False), ({"wrong": 1}, False), ({"exit_statuses": [0, 1]}, False)],
)
def test_a_verdict_follows_the_figures(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], met: bool
) -> None:
    figures = {
        "answered": 9,
        "under_way": 9,
        "rounds": 2,
        "lost": 0,
        "wrong": 0,
        "exit_statuses": [0],
        **change,
    }
    found = {"shutdown": {"figures": figures}}
    monkeypatch.setattr(results, "load", found.get)
    lines = {line.what: line for line in verdicts.verdicts()}
    told = lines.pop("SIGTERM under load: accepted requests answered")
    assert (told.met, told.measured) == (met, "9 of 9 in 2 rounds")
    assert {line.met for line in lines.values()} == {None}


def tail_row(ratios: list[float], **change: Any) -> dict[str, Any]:
    middle = sorted(ratios)[len(ratios) // 2]
    row = {
        "workload": "decode, clear",
        "arrivals": "even",
        "share": 0.7,
        "ratio": middle,
        "ratios": ratios,
        "refused": 0,
        "wrong": 0,
    }
    return row | change


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (tail_row([2.0, 2.9, 9.0]), True),
        (tail_row([2.0, 3.1, 9.0]), False),
        (tail_row([2.0, 2.0]), False),
        (tail_row([2.0, 2.0, 2.0], refused=1), False),
        (tail_row([2.0, 2.0, 2.0], wrong=1), False),
        # What was measured at half of capacity says nothing.
        (tail_row([2.0, 2.0, 2.0], share=0.5), False),
    ],
)
def test_a_tail_is_short_only_where_enough_rounds_say_so(
    monkeypatch: pytest.MonkeyPatch, row: dict[str, Any], met: bool
) -> None:
    monkeypatch.setattr(results, "load", {"tail": {"figures": {"rows": [row]}}}.get)
    lines = {line.what: line.met for line in verdicts.verdicts()}
    assert lines["the same of `/decode`, clear crops"] is met
    # What was not measured is not met.
    assert lines["the same of `/decode`, faint crops"] is False


def test_rounds_count_where_the_capacity_stays_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The rounds of the second row end at another speed than they began, but for the last.
    windows = iter([100.0, 110.0, 60.0, 60.0, 60.0, 90.0, 90.0, 91.0, 92.0])
    monkeypatch.setattr(tail, "_full", lambda *_, **__: (next(windows), 50.0))
    # The last round of the first row had a slower machine than the windows around it.
    paces = iter([50.0, 50.0, 50.0, 50.0, 65.0, 50.0])

    async def paced(work: Any) -> Any:
        return await work, next(paces)

    monkeypatch.setattr(tail, "paced", paced)
    rates: list[float] = []
    seconds = iter([0.2, 0.9, 0.3, 0.8, 0.7, 0.5])

    async def offered(*_: Any, rate: float, **__: Any) -> Tally:
        rates.append(rate)
        return Tally({200: [0.1] * 60 + [next(seconds)], 429: [0.0]}, ["refused"])

    monkeypatch.setattr(tail, "open_loop", offered)
    rows = [tail.Row("decode", "even", 0.7), tail.Row("decode", "random", 0.5)]
    for number in range(3):
        tail._round_of_each(0, [CALL], rows, number, scale=1.0)

    assert rates == pytest.approx([70, 55, 42, 30, 63, 45.5])
    first, second = (row.told() for row in rows)
    assert (first["ratios"], first["unsteady"]) == (pytest.approx([2, 3]), pytest.approx([7]))
    assert (second["ratios"], second["unsteady"]) == (pytest.approx([5]), pytest.approx([8, 9]))
    assert (first["ratio"], second["ratio"]) == (pytest.approx(3), pytest.approx(5))
    told = (second["refused"], second["unsteady_refused"], second["wrong"])
    assert told == (1, 2, 0)


def test_a_side_is_compared_with_the_other_around_it_where_that_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steadiness, "_PAUSE_S", 0)
    over_http = iter([80.0, 90.0, 40.0, 44.0])
    inside = iter([100.0, 100.0, 50.0])

    def http() -> dict[str, float]:
        return {"rate": next(over_http), "p50": 0.1, "p99": 0.2, "broken": 1}

    # 80 [100] 90: .85, 100 [90] 100: .9; 90 [100] 40 and 100 [40] 50 tell nothing; 40 [50] 44: .84.
    cell = throughput.compared(http, lambda: {"rate": next(inside)}, 3)

    assert cell["ratios"] == pytest.approx([0.84, 0.85, 0.9])
    assert cell["unsteady"] == pytest.approx([40 / 75, 0.65])
    assert (cell["ratio"], cell["broken"]) == (pytest.approx(0.85), 4)


def test_a_machine_that_never_stays_is_not_measured_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steadiness, "_PAUSE_S", 0)
    rates = (2.0**number for number in itertools.count())

    def window() -> dict[str, float]:
        return {"rate": next(rates), "p50": 0.1, "p99": 0.2, "broken": 0}

    cell = throughput.compared(window, window, 3)
    assert (cell["ratios"], len(cell["unsteady"])) == ([], 7)
    figures = {"cells": [{"workload": "upscale", "clients": 64, **cell, "ratio": 1.0}]}
    monkeypatch.setattr(results, "load", {"throughput": {"figures": figures}}.get)
    told = {line.what: line for line in verdicts.verdicts()}
    crops = told["throughput at 64 clients, of the pipeline's in process: 128x128 crops"]
    assert (crops.met, crops.measured) == (False, "`/upscale` 1.00 (no steady round)")


def test_a_pace_is_taken_while_the_work_is_done_and_no_longer() -> None:
    async def work() -> str:
        await asyncio.sleep(0.2)
        return "done"

    async def fails() -> None:
        raise LookupError

    async def main() -> None:
        done, pace = await steadiness.paced(work())
        assert done == "done"
        assert pace > 0
        with pytest.raises(LookupError):
            await steadiness.paced(fails())
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


@pytest.mark.parametrize(("rates", "same"), [((100, 86), True), ((84, 100), False), ((100, 90, 84), False)])
def test_rates_are_one_within_bounds(rates: tuple[float, ...], same: bool) -> None:
    assert steadiness.steady(*rates) is same
