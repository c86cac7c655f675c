"""One container of the service's image by itself: what is in it, what it may do, how it starts and ends."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from tests.builders.images import encode, pattern, symbol
from tests.builders.process import ROOT
from tests.deployment.stack import docker, free_port, has_image, until

_LABEL = base64.b64encode((ROOT / "docs/samples/label.png").read_bytes()).decode()
_TMP = ("--tmpfs", "/tmp:noexec")  # noqa: S108
_CONFINED = ("--read-only", *_TMP, "--cap-drop", "ALL", "--security-opt", "no-new-privileges")

# Posts a crop that only the soft reader reads, with the standard library, from within the container.
_READ = f"""
import base64, json, urllib.request
image = base64.b64decode("{_LABEL}")
head = b'--b\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\n'
request = urllib.request.Request("http://127.0.0.1:8000/decode", head + image + b"\\r\\n--b--\\r\\n",
                                 {{"Content-Type": "multipart/form-data; boundary=b"}})
print(json.load(urllib.request.urlopen(request))["symbols"][0]["text"])
"""


@contextmanager
def container(image: str, *options: str) -> Iterator[str]:
    """A confined container of the image in the background; removed after the block."""
    name = docker("run", "-d", *_CONFINED, *options, image)
    try:
        yield name
    finally:
        docker("rm", "-f", name)


def refused(image: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A container that should end by itself, with its status and what it said."""
    command = ["docker", "run", "--rm", "--network", "none", *_CONFINED, *options, image]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def healthy(name: str) -> bool:
    return docker("inspect", "--format", "{{.State.Health.Status}}", name) == "healthy"


def test_it_serves_without_any_network_from_a_read_only_root(image: str) -> None:
    with container(image, "--network", "none") as name:
        until(lambda: healthy(name), "the container is healthy")
        assert docker("exec", name, "python", "-c", _READ) == "https://example.org/qr-super-resolution"
        ready = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/readyz').read().decode())"
        state = json.loads(docker("exec", name, "python", "-c", ready))
        assert state["decoder"]["wechat_nets"] is True
        assert state["provider"] == "CPUExecutionProvider"
        for path in ("/app/x", "/opt/venv/x", "/etc/x"):
            assert "Read-only file system" in docker("exec", name, "touch", path, check=False)
        # Nothing but /tmp was ever written to.
        assert docker("diff", name) == ""


def test_it_is_nobody_and_may_do_nothing(image: str) -> None:
    with container(image, "--network", "none") as name:
        lines = docker("exec", name, "cat", "/proc/1/status").splitlines()
        status = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
        assert {int(status[kind], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert status["NoNewPrivs"] == "1"
        # Exec form: no shell between the engine's signals and Python.
        assert docker("exec", name, "cat", "/proc/1/cmdline").split("\0")[:3] == ["python", "-m", "service"]


def test_there_is_nothing_to_build_or_install_with(image: str) -> None:
    # As root, from whom no folder is hidden.
    found = docker(
        *("run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c"),
        "for tool in gcc cc g++ ld make cmake git curl wget pip pip3; do command -v $tool; done; "
        "python -c 'import pip' 2>/dev/null && echo module pip; find / -xdev -name '*.whl'; true",
    )
    assert found == ""


def test_its_files_are_the_roots_and_none_gives_rights(image: str) -> None:
    found = docker(
        *("run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c"),
        r"find /app /opt/venv \( ! -user 0 -o -perm -o+w ! -type l \) | head -5; "
        r"find / -xdev -perm -4000 -type f -path '/app/*'",
    )
    assert found == ""


def test_labels_and_configuration(image: str) -> None:
    config = json.loads(docker("inspect", "--format", "{{json .Config}}", image))
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "docker/healthcheck.py"]
    assert config["Cmd"] == ["python", "-m", "service"]
    assert not any("KEY" in line or "TOKEN" in line for line in config["Env"])


def test_a_terminated_container_answers_what_it_has_accepted(image: str) -> None:
    port = free_port()
    # Large enough to be under way for a while: about a second each.
    files = {"file": ("a.png", encode(pattern(512, 512)))}
    answers: list[int] = []

    def post() -> None:
        answers.append(httpx.post(f"http://127.0.0.1:{port}/upscale", files=files, timeout=60).status_code)

    with container(image, "-p", f"127.0.0.1:{port}:8000") as name:
        until(lambda: healthy(name), "the container is healthy")

        def inside() -> float:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
            (line,) = [line for line in text.splitlines() if line.startswith("qrsr_requests_in_flight ")]
            return float(line.split()[1])

        threads = [threading.Thread(target=post) for _ in range(12)]
        for thread in threads:
            thread.start()
        until(lambda: inside() >= 8, "requests are inside")
        began = time.monotonic()
        docker("stop", "--time", "60", name)
        took = time.monotonic() - began
        for thread in threads:
            thread.join(60)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
        assert answers == [200] * 12
        assert took < 30


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (("-e", "QRSR_TILE=1"), 2, "QRSR_TILE"),
        (("-e", "QRSR_MODEL_VERSION=99"), 3, "99"),
        (("-e", "QRSR_DEVICE=cuda"), 3, "CUDA"),
        (("--tmpfs", "/app/model_store/qr_sr_x4"), 3, "qr_sr_x4"),
    ],
)
def test_what_cannot_be_served_is_said_and_not_started(
    image: str, options: tuple[str, ...], status: int, told: str
) -> None:
    done = refused(image, *options)
    assert done.returncode == status, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_bulk_runs_work_in_it(image: str, tmp_path: Path) -> None:
    """On a folder of the host, without a network."""
    crops = tmp_path / "crops"
    crops.mkdir()
    for index in range(3):
        (crops / f"{index}.png").write_bytes(encode(symbol(f"BULK {index}")))
    (crops / "broken.png").write_bytes(b"no picture")
    for path in (tmp_path, crops, *crops.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o644)
    done = subprocess.run(
        [
            *("docker", "run", "--rm", "--network", "none", *_CONFINED, "-v", f"{tmp_path}:/data", image),
            *(
                "python",
                "-m",
                "service",
                "read",
                "crops",
                "--root",
                "/data",
                "--out",
                "/data/results.parquet",
            ),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    # 2: one file could not be used.
    assert done.returncode == 2, done.stderr
    rows = pq.read_table(tmp_path / "results.parquet").to_pylist()
    assert [row["file"] for row in rows] == ["crops/0.png", "crops/1.png", "crops/2.png", "crops/broken.png"]
    assert [row["symbols"][0]["text"] for row in rows[:3]] == ["BULK 0", "BULK 1", "BULK 2"]
    assert rows[3]["error"]["code"] == "unsupported_image_format"


def test_the_cuda_image_refuses_to_start_without_a_gpu() -> None:
    name = "qr-super-resolution:cuda"
    if not has_image(name):
        pytest.skip(f"{name} was not built")
    if "nvidia" in docker("info", "--format", "{{json .Runtimes}}"):
        pytest.skip("this engine has GPUs")
    done = refused(name, "-e", "QRSR_DEVICE=cuda")
    assert done.returncode == 3, done.stderr
    assert "cannot start" in done.stderr
    assert "CUDA" in done.stderr
    # With `auto` the same image serves on the CPU, and says so.
    with container(name, "--network", "none") as running:
        until(lambda: healthy(running), "the container is healthy")
        assert docker("exec", running, "python", "-c", _READ) == "https://example.org/qr-super-resolution"


def test_the_training_image_trains_and_knows_its_commands() -> None:
    name = "qr-super-resolution:training"
    if not has_image(name):
        pytest.skip(f"{name} was not built")
    told = docker("run", "--rm", "--network", "none", *_CONFINED, name, "--help")
    for command in ("train", "export", "evaluate"):
        assert command in told
