"""The service as it is started by hand: `python -m service`, with real decoder processes."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.builders.images import encode, pattern, symbol
from tests.builders.model import TINY
from tests.builders.process import ROOT, ServiceProcess, serving

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def service(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    log = tmp_path_factory.mktemp("log") / "log"
    with serving(log, QRSR_MODEL_STORE=str(store), QRSR_MODEL=TINY, QRSR_DECODERS="2") as service:
        yield service


def test_it_reads_enlarges_and_says_that_wechat_has_no_nets(service: ServiceProcess) -> None:
    files = {"file": ("a.png", encode(symbol("HELLO")))}
    with service.client() as client:
        (found,) = client.post("/v1/decode", files=files).json()["symbols"]
        assert base64.b64decode(found["payload_base64"]) == b"HELLO"
        assert client.post("/v1/upscale", files=files).headers["content-type"] == "image/png"
        state = client.get("/readyz").json()
        assert state["ready"] is True
        assert state["decoder"]["wechat_nets"] is False
        assert state["decoder"]["children"] == 2
    assert "no WeChat nets" in service.log.read_text()


def test_bad_input_reaches_no_child(service: ServiceProcess) -> None:
    with service.client() as client:
        before = service.children()
        for data in (b"text", encode(pattern(64, 64), "JPEG")[:-300], encode(pattern(1, 1))):
            assert 400 <= client.post("/decode", files={"file": ("a", data)}).status_code < 500
        assert service.children() == before


def test_killing_children_under_load_costs_no_request(service: ServiceProcess) -> None:
    wrong: list[str] = []
    answered = 0
    stop = threading.Event()

    def load(index: int) -> None:
        nonlocal answered
        with service.client() as client:
            while not stop.is_set():
                content = f"CLIENT {index} {answered}"
                response = client.post("/decode", files={"file": ("a", encode(symbol(content)))})
                texts = [found["text"] for found in response.json().get("symbols", [])]
                if response.status_code != 200 or texts != [content]:
                    wrong.append(f"{content}: {response.status_code} {texts}")
                answered += 1

    clients = [threading.Thread(target=load, args=(index,)) for index in range(3)]
    for thread in clients:
        thread.start()
    try:
        with service.client() as client:
            for _ in range(3):
                before = client.get("/readyz").json()["decoder"]["restarts"]
                os.kill(service.children()[0], signal.SIGKILL)
                end = time.monotonic() + 60
                while client.get("/readyz").json()["decoder"]["restarts"] == before:
                    assert time.monotonic() < end, "the child was not replaced"
                    time.sleep(0.02)
    finally:
        stop.set()
        for thread in clients:
            thread.join(60)
    assert wrong == []
    assert answered > 3


def test_sigterm_ends_it_and_its_children(store: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "log", QRSR_MODEL_STORE=str(store), QRSR_MODEL=TINY) as service:
        children = service.children()
        assert children
        assert service.stop() == 0
    for pid in children:
        assert not Path(f"/proc/{pid}").exists()
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    for line in log.splitlines():
        assert "message" in json.loads(line), "nothing else is written, to the very end"


def test_a_child_killed_while_idle_is_replaced_and_counted(service: ServiceProcess) -> None:
    with service.client() as client:
        before = client.get("/readyz").json()["decoder"]
        os.kill(service.children()[0], signal.SIGKILL)
        until(lambda: client.get("/readyz").json()["decoder"]["restarts"] > before["restarts"])
        after = client.get("/readyz").json()["decoder"]
        assert after["idle_exits"] == before["idle_exits"] + 1
        assert after["children"] == 2
        assert (
            f'qrsr_decoder_events_total{{event="idle_exit"}} {after["idle_exits"]}.0'
            in client.get("/metrics").text
        )


def test_a_client_that_leaves_in_the_middle_of_a_read_costs_no_child(service: ServiceProcess) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1600), np.uint8)
    before = service.children()
    with service.client() as client:

        def running() -> bool:
            return "qrsr_requests_in_flight 0.0" not in client.get("/metrics").text

        with pytest.raises(httpx.ReadTimeout):
            # The service is at its first look at this when the client goes.
            client.post("/decode", files={"file": ("a", encode(noise))}, timeout=0.3)
        until(lambda: not running())
        files = {"file": ("a", encode(symbol("NEXT")))}
        assert [found["text"] for found in client.post("/decode", files=files).json()["symbols"]] == ["NEXT"]
    assert service.children() == before


def test_sigterm_under_load_answers_all_that_was_accepted(store: Path, tmp_path: Path) -> None:
    settings = {"QRSR_MODEL_STORE": str(store), "QRSR_MODEL": TINY, "QRSR_CONCURRENCY": "1"}
    with serving(tmp_path / "log", **settings) as service:
        answers: list[int] = []
        files = {"file": ("a", encode(pattern(700, 700)))}

        def one() -> None:
            with service.client() as client:
                answers.append(client.post("/upscale", files=files).status_code)

        clients = [threading.Thread(target=one) for _ in range(6)]
        for thread in clients:
            thread.start()
        with service.client() as client:
            until(lambda: "qrsr_requests_in_flight 6.0" in client.get("/metrics").text)
        assert service.stop() == 0
        for thread in clients:
            thread.join(60)
    assert answers == [200] * 6


def test_a_port_that_is_taken_is_said_in_one_line(store: Path, service: ServiceProcess) -> None:
    done = start(store, "QRSR_PORT", str(service.port))
    assert done.returncode == 3
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("QRSR_DEVICE", "cuda", "CUDA was asked for"),
        ("QRSR_MODEL", "absent", "no released version"),
        ("QRSR_THREADS", "-3", "QRSR_THREADS"),
    ],
)
def test_it_refuses_to_start_and_says_why(store: Path, name: str, value: str, told: str) -> None:
    if value == "cuda":
        import onnxruntime

        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("this build of ONNX Runtime has CUDA")
    done = start(store, name, value)
    assert done.returncode in (2, 3)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def start(store: Path, name: str, value: str) -> subprocess.CompletedProcess[str]:
    """Run the service with one setting until it ends by itself."""
    settings = {"QRSR_MODEL_STORE": str(store), "QRSR_MODEL": TINY, "QRSR_PORT": "0", name: value}
    return subprocess.run(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        timeout=60,
        text=True,
    )


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "never became true"
        time.sleep(0.02)
