"""What the proxy does by itself: TLS, limits, and standing between replicas and whoever means them harm."""

import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.builders.images import encode, symbol
from tests.deployment.load import Load
from tests.deployment.stack import Stack, docker, project, until

CROP = {"file": ("a.png", encode(symbol("THROUGH THE PROXY")))}


def assert_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["status"] == status


def handshake(port: int, **versions: ssl.TLSVersion) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    for name, version in versions.items():
        setattr(context, name, version)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


def test_tls_serves_and_says_to_stay_with_it(stack: Stack) -> None:
    with stack.client(tls=True) as client:
        response = client.post("/v1/decode", files=CROP)
        assert response.status_code == 200
        assert response.json()["symbols"][0]["text"] == "THROUGH THE PROXY"
        assert response.headers["strict-transport-security"] == "max-age=31536000"
        assert_problem(client.get("/metrics"), 404, "not_found")
    with handshake(stack.ports["TLS_PORT"]) as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"


def test_old_tls_is_refused(stack: Stack) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(
            stack.ports["TLS_PORT"],
            minimum_version=ssl.TLSVersion.TLSv1,
            maximum_version=ssl.TLSVersion.TLSv1_1,
        )


def test_the_plain_port_is_the_hosts_own(stack: Stack) -> None:
    (proxy,) = stack.compose("ps", "-q", "proxy").split()
    ports = json.loads(docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", proxy))
    assert [binding["HostIp"] for binding in ports["8080/tcp"]] == ["127.0.0.1"]
    with stack.client() as client:
        assert "strict-transport-security" not in client.get("/livez").headers
        assert "qrsr_requests_total" in client.get("/metrics").text


def test_bodies_beyond_the_limit_are_refused_and_those_below_are_not(stack: Stack) -> None:
    with stack.client() as client:
        assert_problem(
            client.post("/v1/decode", files={"file": ("a", bytes(11_000_000))}), 413, "body_too_large"
        )
        below = client.post("/v1/decode", files={"file": ("a", bytes(10_000_000))})
        assert_problem(below, 415, "unsupported_image_format")


@pytest.mark.parametrize(
    "nonsense",
    [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", bytes(range(256)) * 40],
)
def test_what_is_no_http_is_cut_off(stack: Stack, nonsense: bytes) -> None:
    with socket.create_connection(("127.0.0.1", stack.ports["PORT"]), timeout=10) as connection:
        connection.sendall(nonsense)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    assert answer.split(b" ")[1] == b"400"


def test_two_lengths_do_not_smuggle_a_request(stack: Stack) -> None:
    body = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /v1/decode HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.ports["PORT"]), timeout=3) as connection:
        connection.sendall(head % len(body) + body)
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
        except TimeoutError:
            pass
    assert b"qrsr_requests_total" not in answer


def test_slow_clients_keep_nobody_waiting(tmp_path: Path, stack: Stack) -> None:
    """400 connections that never end their requests, some of them with much of a body already sent."""
    head = b"POST /v1/decode HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    begun = []
    try:
        for index in range(400):
            connection = socket.create_connection(("127.0.0.1", stack.ports["PORT"]), timeout=10)
            begun.append(connection)
            connection.sendall(head)
            if index % 2:
                connection.sendall(b"Content-Length: 9000000\r\n\r\n" + bytes(200_000))
        with Load(stack, clients=2) as load:
            until(lambda: load.total > 30, "others are served")
        assert load.lost == []
        # The proxy gives those up by itself.
        begun[0].settimeout(45)
        assert begun[0].recv(65536).startswith(b"HTTP/1.1 408")
    finally:
        for connection in begun:
            connection.close()
    (proxy,) = stack.compose("ps", "-q", "proxy").split()
    assert docker("inspect", "--format", "{{.RestartCount}} {{.State.OOMKilled}}", proxy) == "0 false"


def test_requests_of_others_are_named_in_the_log_without_what_they_hold(stack: Stack) -> None:
    with stack.client() as client:
        client.post(
            "/v1/decode?token=SECRET",
            files=CROP,
            headers={"X-Request-ID": "from-outside", "Cookie": "SECRET"},
        )
    (proxy,) = stack.compose("ps", "-q", "proxy").split()
    until(lambda: "from-outside" in docker("logs", proxy), "the request is in the proxy's log")
    lines = [line for line in docker("logs", proxy).splitlines() if "from-outside" in line]
    entry = json.loads(lines[-1])
    assert entry["path"] == "/v1/decode"
    assert entry["status"] == 422
    logs = docker("logs", proxy) + "".join(docker("logs", one) for one in stack.replicas())
    assert "SECRET" not in logs
    assert "THROUGH THE PROXY" not in logs


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a certificate of its own, keys, and limits that are quickly reached."""
    folder = tmp_path_factory.mktemp("strict")
    tls = folder / "tls"
    tls.mkdir()
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *(
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                str(tls / "key"),
                "-out",
                str(tls / "crt"),
            ),
        ],
        check=True,
        capture_output=True,
    )
    (tls / "site.pem").write_text((tls / "crt").read_text() + (tls / "key").read_text())
    keys = folder / "keys.txt"
    keys.write_text("# one a line\nthe-first-key-of-the-test\nthe-second-key-of-the-test\n")
    for path in (*folder.parents, folder, tls, tls / "site.pem", keys):
        if path.stat().st_uid == folder.stat().st_uid and folder.parts[:3] == path.parts[:3]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    variables = {
        "TLS_DIR": str(tls),
        "API_KEYS_FILE": str(keys),
        "RATE_LIMIT": "20",
        "CONNECTION_LIMIT": "30",
    }
    with project(folder, variables, files=("docker-compose.yml", "docker/api-keys.yml")) as stack:
        stack.up("qrsr", "proxy")
        yield stack


def test_a_certificate_of_ones_own_is_used_and_holds(strict: Stack) -> None:
    authority = ssl.create_default_context(cafile=str(strict.env_file.parent / "tls/crt"))
    url = f"https://127.0.0.1:{strict.ports['TLS_PORT']}/livez"
    assert httpx.get(url, verify=authority).status_code == 200


def test_keys_are_a_secret_and_are_asked_for(strict: Stack) -> None:
    with strict.client() as client:
        assert_problem(client.post("/v1/decode", files=CROP), 401, "unauthorized")
        key = {"Authorization": "Bearer the-second-key-of-the-test"}
        assert client.post("/v1/decode", files=CROP, headers=key).status_code == 200
    (replica,) = strict.replicas()
    assert "key-of-the-test" not in docker("inspect", replica)


def test_one_address_may_send_so_many_requests(strict: Stack) -> None:
    # The proxy weighs the ten seconds before the present ones too: after twice that, nothing of before is counted.
    time.sleep(21)
    with strict.client() as client:
        answers = [client.post("/v1/decode", files=CROP) for _ in range(30)]
        assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 10
        assert_problem(answers[-1], 429, "rate_limited")
        assert answers[-1].headers["retry-after"] == "10"
        # Probes are not counted, and the patient are served again.
        assert client.get("/livez").status_code == 200
        time.sleep(21)
        assert client.post("/v1/decode", files=CROP).status_code == 401


def test_one_address_may_hold_so_many_connections(strict: Stack) -> None:
    held = [socket.create_connection(("127.0.0.1", strict.ports["PORT"]), timeout=5) for _ in range(30)]
    try:
        time.sleep(1)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{strict.ports['PORT']}/livez", timeout=5)
    finally:
        for connection in held:
            connection.close()
    with strict.client() as client:
        until(lambda: client.get("/livez").status_code == 200, "there is room again", patience=10)


def test_without_any_replica_the_answer_is_a_problem_and_they_are_found_again(strict: Stack) -> None:
    strict.compose("stop", "qrsr")
    with strict.client() as client:
        until(lambda: client.get("/readyz").status_code == 503, "the proxy has noticed", patience=20)
        response = client.get("/readyz")
        assert_problem(response, 503, "not_ready")
        assert response.headers["retry-after"] == "2"
        strict.compose("start", "qrsr")
        until(lambda: client.get("/readyz").status_code == 200, "the replica is back")
