"""Admission, deadlines, departed clients, failures: observed from outside."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import numpy as np
import pytest

from model_store.manifest import GeneratorManifest
from service.generator.engine import EngineOutput, UpscaleEngine
from service.generator.store import build_engine
from service.generator.tiling import plan
from service.server.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, pattern
from tests.builders.server import Server, running

FILES = {"file": ("a.png", encode(pattern(20, 20)))}
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    + FILES["file"][1]
    + b"\r\n--b--\r\n"
)
HEAD = (
    b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)
"""Of a request with that upload, for who sends it in pieces."""


@dataclass
class Held:
    """A server whose decoder waits until it is told to go on."""

    server: Server
    decoder: InProcessDecoder
    loop: asyncio.AbstractEventLoop

    def release(self) -> None:
        assert self.decoder.hold is not None
        self.loop.call_soon_threadsafe(self.decoder.hold.set)


class HoldingDecoder(InProcessDecoder):
    loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()


@contextmanager
def held(settings: Settings, **changes: object) -> Iterator[Held]:
    decoder = HoldingDecoder()
    app = create_app(settings.model_copy(update=changes), decoder=lambda _: decoder)
    with running(app) as server:
        held = Held(server, decoder, decoder.loop)
        decoder.calls = decoder.opened = 0
        decoder.hold = asyncio.Event()
        try:
            yield held
        finally:
            held.release()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "never became true"
        time.sleep(0.005)


def in_background(
    server: Server, count: int, path: str = "/decode", files: dict[str, tuple[str, bytes]] = FILES
) -> tuple[list[httpx.Response], list[threading.Thread]]:
    answers: list[httpx.Response] = []

    def one() -> None:
        with server.client() as client:
            answers.append(client.post(path, files=files))

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    return answers, threads


@pytest.mark.slow
def test_a_full_house_refuses_at_once_and_says_when_to_come_back(settings: Settings) -> None:
    with held(settings, concurrency=1, queue=2) as house, house.server.client() as client:
        answers, threads = in_background(house.server, 3)
        until(lambda: house.server.app.state.gate.taken == 3)
        for path in ("/decode", "/upscale"):
            refused = client.post(path, files=FILES)
            assert refused.status_code == 429
            assert refused.json()["code"] == "overloaded"
            assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/readyz").status_code == 200
        assert house.decoder.calls == 1
        house.release()
        for thread in threads:
            thread.join(20)
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert client.post("/decode", files=FILES).status_code == 200


def test_a_request_past_its_deadline_is_answered_504_and_its_work_cancelled(settings: Settings) -> None:
    with held(settings, deadline_s=0.2) as house, house.server.client() as client:
        response = client.post("/decode", files=FILES)
        assert response.status_code == 504
        assert response.json()["code"] == "deadline_exceeded"
        until(lambda: house.decoder.cancelled == 1)
        assert house.server.app.state.gate.taken == 0


def test_waiting_counts_towards_the_deadline(settings: Settings) -> None:
    with held(settings, deadline_s=0.3, concurrency=1, queue=5) as house:
        answers, threads = in_background(house.server, 3)
        for thread in threads:
            thread.join(20)
        assert [answer.status_code for answer in answers] == [504, 504, 504]


def test_large_images_share_the_pixel_budget_and_small_ones_go_past(settings: Settings) -> None:
    side, budget = 700, 1_000_000
    assert settings.max_upscale_pixels < side * side, "it counts once, since it is never enlarged"
    large = {"file": ("a.png", encode(np.full((side, side), 255, np.uint8)))}
    with held(settings, pixel_budget=budget, concurrency=8, queue=8) as house:
        pixels = house.server.app.state.services.pixels
        answers, threads = in_background(house.server, 5, files=large)
        until(lambda: house.server.app.state.gate.taken == 5 and house.decoder.calls == 2)
        assert pixels.free == budget - 2 * side * side
        small, more = in_background(house.server, 1)
        until(lambda: house.decoder.calls == 3)
        house.release()
        for thread in (*threads, *more):
            thread.join(20)
        assert [answer.status_code for answer in (*answers, *small)] == [200] * 6
        assert house.decoder.calls == 6
        until(lambda: pixels.free == budget)


def test_who_waits_for_room_after_the_first_look_keeps_nobody_from_a_turn(settings: Settings) -> None:
    side = 700
    large = {"file": ("a.png", encode(np.full((side, side), 255, np.uint8)))}
    middle = {"file": ("a.png", encode(np.full((100, 100), 255, np.uint8)))}
    with held(settings, pixel_budget=1_000_000, concurrency=3, queue=8) as house:
        pixels = house.server.app.state.services.pixels
        answers, threads = in_background(house.server, 2, files=large)
        until(lambda: house.decoder.calls == 2)
        waiting, more = in_background(house.server, 1, files=middle)
        until(lambda: house.decoder.opened == 2 * 2 + 1 and house.server.app.state.services.turns.free == 1)
        assert pixels.free < 100 * 100 * 17
        small, last = in_background(house.server, 1)
        until(lambda: house.decoder.calls == 3)
        house.release()
        for thread in (*threads, *more, *last):
            thread.join(20)
        assert [answer.status_code for answer in (*answers, *waiting, *small)] == [200] * 4
        assert house.decoder.calls == 4


def test_a_client_that_left_is_not_worked_for(settings: Settings) -> None:
    with held(settings, concurrency=1) as house:
        gate = house.server.app.state.gate
        begun, waiting = (socket.create_connection(("127.0.0.1", house.server.port)) for _ in range(2))
        begun.sendall(HEAD + BODY)
        until(lambda: house.decoder.calls == 1)
        waiting.sendall(HEAD + BODY)
        until(lambda: gate.taken == 2)
        waiting.close()
        until(lambda: gate.taken == 1)
        begun.close()
        until(lambda: gate.taken == 0)
        assert house.decoder.cancelled == 1
        assert house.decoder.calls == 1, "the one that waited was never begun"
        with house.server.client() as client:
            assert 'qrsr_errors_total{code="client_closed_request"} 2.0' in client.get("/metrics").text


def test_who_sends_slowly_keeps_nobody_out(settings: Settings) -> None:
    with held(settings, concurrency=1, queue=1) as house, house.server.client() as client:
        gate = house.server.app.state.gate
        slow = [socket.create_connection(("127.0.0.1", house.server.port), timeout=20) for _ in range(10)]
        for connection in slow:
            connection.sendall(HEAD + BODY[:-1])
        until(lambda: gate.arriving == len(slow))
        assert gate.taken == 0
        assert f"qrsr_requests_arriving {len(slow)}.0" in client.get("/metrics").text
        answers, threads = in_background(house.server, 2)
        until(lambda: gate.taken == 2)
        slow[0].sendall(BODY[-1:])
        assert slow[0].recv(65536).startswith(b"HTTP/1.1 429 "), "others have taken the places meanwhile"
        house.release()
        for thread in threads:
            thread.join(20)
        assert [answer.status_code for answer in answers] == [200, 200]
        slow[1].sendall(BODY[-1:])
        assert slow[1].recv(65536).startswith(b"HTTP/1.1 200 ")
        for connection in slow:
            connection.close()
        until(lambda: (gate.arriving, gate.taken, gate.size) == (0, 0, 0))


def test_an_answer_under_way_is_finished_before_the_service_ends(settings: Settings) -> None:
    with held(settings) as house:
        answers, threads = in_background(house.server, 1)
        until(lambda: house.decoder.calls == 1)
        house.server.uvicorn.should_exit = True
        until(lambda: not house.server.uvicorn.servers[0].is_serving())
        with pytest.raises(httpx.ConnectError), house.server.client() as client:
            client.get("/livez")
        assert answers == []
        house.release()
        threads[0].join(20)
    assert [answer.status_code for answer in answers] == [200]


class Poisoned:
    """Fails on dark planes; otherwise the real engine."""

    draft = None

    def __init__(self, engine: UpscaleEngine) -> None:
        self._engine = engine

    @property
    def manifest(self) -> GeneratorManifest:
        return self._engine.manifest

    @property
    def provider(self) -> str:
        return self._engine.provider

    def run(self, lr: np.ndarray, *, logits: bool) -> EngineOutput:
        if lr.max() == 0:
            raise RuntimeError("SECRET pixels")
        return self._engine.run(lr, logits=logits)

    def healthy(self) -> bool:
        return self._engine.healthy()


def test_an_unforeseen_failure_is_a_problem_and_harms_nobody_else(settings: Settings) -> None:
    app = create_app(
        settings, engine=lambda chosen: Poisoned(build_engine(chosen)), decoder=lambda _: InProcessDecoder()
    )
    with running(app) as server, server.client() as client:
        response = client.post("/upscale", files={"file": ("a", encode(np.zeros((16, 16), np.uint8)))})
        assert response.status_code == 500
        assert response.json()["code"] == "internal"
        assert "SECRET" not in response.text
        assert response.headers["x-request-id"]
        assert client.post("/upscale", files=FILES).status_code == 200


def test_not_ready_without_decoders(settings: Settings) -> None:
    class Bereft(InProcessDecoder):
        def state(self):  # type: ignore[no-untyped-def]
            return super().state().model_copy(update={"children": 0})

    with running(create_app(settings, decoder=lambda _: Bereft())) as server, server.client() as client:
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["ready"] is False
        assert response.json()["reasons"] == ["there is no decoder process"]


@pytest.mark.slow
def test_a_small_image_is_not_held_up_by_a_large_one(settings: Settings) -> None:
    """Tiles wait in line, not images: between two tiles of a large image others have their turn."""
    order: list[tuple[int, ...]] = []

    class Recording(Poisoned):
        def run(self, lr: np.ndarray, *, logits: bool) -> EngineOutput:
            order.append(lr.shape)
            time.sleep(0.01)
            return super().run(lr, logits=logits)

    app = create_app(
        settings, engine=lambda chosen: Recording(build_engine(chosen)), decoder=lambda _: InProcessDecoder()
    )
    with running(app) as server, server.client() as client:
        order.clear()
        large = {"file": ("a", encode(pattern(600, 600)))}
        thread = threading.Thread(target=lambda: server.client().post("/upscale", files=large))
        thread.start()
        until(lambda: bool(order))
        assert client.post("/upscale", files=FILES).status_code == 200
        thread.join(60)
    tiles = len(list(plan(600, 600, tile=64, radius=8, multiple=2)))
    assert len(order) == tiles + 1
    assert order.index((1, 1, 20, 20)) < tiles


def test_startup_fails_where_the_model_is_missing(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"model": "nothing"}), decoder=lambda _: InProcessDecoder())
    with pytest.raises(RuntimeError), running(app):
        pass


def test_startup_fails_where_a_plain_symbol_is_not_read(settings: Settings) -> None:
    class Blind(InProcessDecoder):
        async def decode(self, image, **arguments):  # type: ignore[no-untyped-def]
            return await super().decode(image * 0, **arguments)

    with pytest.raises(RuntimeError), running(create_app(settings, decoder=lambda _: Blind())):
        pass
