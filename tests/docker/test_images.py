"""Dockerfile, locks and compose file, as far as they can be judged without an engine."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from service.errors import STATUS
from service.settings import Settings
from tests.builders.process import ROOT

DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REPLICAS = ("qrsr", "qrsr-gpu")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = {
    canonicalize_name(name): version for name, version in _PIN.findall((ROOT / "constraints.txt").read_text())
}


def _plain(text: str) -> str:
    """A value of the compose file with every variable at its default."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def _instructions(path: Path) -> list[tuple[str, str]]:
    """Instruction and arguments, lines that go on joined, comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n", " ", "\n".join(lines))
    return [
        (word.upper(), rest) for word, _, rest in (line.partition(" ") for line in whole.splitlines() if line)
    ]


def _final(path: Path) -> list[tuple[str, str]]:
    found = _instructions(path)
    last = max(index for index, (word, _) in enumerate(found) if word == "FROM")
    return found[last:]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_lock_pins_every_dependency_with_hashes(device: str) -> None:
    text = (DOCKER / f"requirements-{device}.txt").read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert all("--hash=sha256:" in block for block in blocks)
    pins = {canonicalize_name(name): version for name, version in _PIN.findall(text)}
    assert len(pins) == len(blocks)
    extras = PROJECT["optional-dependencies"]
    lines = (*PROJECT["dependencies"], *extras["service"], *extras[device], *extras["bulk"])
    # The extras of a device name this project itself, with its extra `service`.
    wanted = [Requirement(line) for line in lines if not line.startswith(PROJECT["name"])]
    for requirement in wanted:
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"docker/lock.sh must be run: {requirement}"
    for name, version in pins.items():
        assert CONSTRAINTS.get(name, version) == version, f"docker/lock.sh must be run: {name}"
    other = {"cpu": "onnxruntime-gpu", "cuda": "onnxruntime"}[device]
    assert other not in pins


def test_every_package_of_the_image_is_in_the_notices() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    for device in ("cpu", "cuda"):
        for name, _ in _PIN.findall((DOCKER / f"requirements-{device}.txt").read_text()):
            assert f"\n| {name} | " in notices


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in (DOCKER / "Dockerfile", DOCKER / "Dockerfile.training"):
        for word, rest in _instructions(path):
            if word != "COPY" or "--from" in rest:
                continue
            for source in rest.split()[:-1]:
                for device in ("cpu", "cuda"):
                    name = source.replace("${DEVICE}", device)
                    assert (ROOT / name).exists(), name
                    assert any(
                        Path(name).match(pattern) or name == pattern or name.startswith(f"{pattern}/")
                        for pattern in allowed
                    ), f".dockerignore keeps {name} away"


def test_the_final_stage_is_what_it_should_be() -> None:
    stage = _final(DOCKER / "Dockerfile")
    words = [word for word, _ in stage]
    # Nothing is installed in it: it is put together of what other stages made.
    assert "RUN" not in words
    assert ("USER", "10001:10001") in stage
    labels = " ".join(rest for word, rest in stage if word == "LABEL")
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in labels
    (command,) = [rest for word, rest in stage if word == "CMD"]
    assert command == '["python", "-m", "service"]'
    (health,) = [rest for word, rest in stage if word == "HEALTHCHECK"]
    assert 'CMD ["python", "docker/healthcheck.py"]' in re.sub(" +", " ", health)
    install = next(
        rest for word, rest in _instructions(DOCKER / "Dockerfile") if "pip " in rest and word == "RUN"
    )
    assert "--require-hashes" in install
    assert "--only-binary=:all:" in install


def test_the_probe_needs_the_standard_library_alone() -> None:
    probe = (DOCKER / "healthcheck.py").read_text()
    assert set(re.findall(r"^(?:import|from) (\w+)", probe, re.MULTILINE)) == {"os", "sys", "urllib"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_path_exists_and_is_read_only(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        # `${NAME:-default}` by its default; a colon inside it separates nothing.
        source, target, *mode = _plain(mount).split(":")
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]
        assert target.startswith("/")


@pytest.mark.parametrize("name", REPLICAS)
def test_replicas_drain_before_they_are_killed_and_reach_nothing(name: str) -> None:
    service = SERVICES[name]
    drain = int(_plain(service["environment"]["QRSR_SHUTDOWN_GRACE_S"]))
    assert int(_plain(service["stop_grace_period"]).rstrip("s")) > drain
    # The longest request must fit into the drain.
    assert drain >= Settings().deadline_s
    assert service["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert "ports" not in service


@pytest.mark.parametrize("name", REPLICAS)
def test_every_setting_of_the_service_can_be_given_to_compose(name: str) -> None:
    # The image and the file itself decide where the service listens and what is mounted.
    fixed = {"QRSR_HOST", "QRSR_PORT", "QRSR_MODEL_STORE", "QRSR_API_KEYS_FILE"}
    settings = {f"QRSR_{field}".upper() for field in Settings.model_fields}
    environment = SERVICES[name]["environment"]
    assert environment.keys() == settings - fixed
    for key, value in environment.items():
        if key != "QRSR_DEVICE":
            assert value is None or value.startswith(f"${{{key}:-"), key


def test_the_proxy_waits_longer_than_a_request_can_take() -> None:
    settings = Settings()
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))
    assert int(defaults["SERVER_TIMEOUT"].rstrip("s")) > settings.deadline_s + settings.upload_timeout_s
    assert int(defaults["QRSR_MAX_BODY_BYTES"]) == settings.max_body_bytes
    proxy = (DOCKER / "proxy/haproxy.cfg").read_text()
    for replica in REPLICAS:
        assert f" {replica}:8000 check" in proxy
    # What the proxy answers itself must be read by clients like the service's own problems.
    codes = set(re.findall(r'"code":"(\w+)"', proxy))
    # The two that the service does not have: there is a limit, and a replica, only behind a proxy.
    assert codes - STATUS.keys() == {"rate_limited", "bad_gateway"}
    for text in re.findall(r"string '(\{.*?\})'", proxy):
        body = json.loads(text)
        assert STATUS.get(body["code"], body["status"]) == body["status"]
        assert body["title"]
    for name in re.findall(r'"\$\{([A-Z_]+)\}"', proxy):
        assert name == "CERTIFICATE" or name in SERVICES["proxy"]["environment"]


def test_a_gpu_is_asked_for_only_with_its_profile() -> None:
    assert SERVICES["qrsr-gpu"]["profiles"] == ["gpu"]
    assert SERVICES["qrsr-gpu"]["environment"]["QRSR_DEVICE"] == "cuda"
    for name, service in SERVICES.items():
        reserved = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices")
        assert (reserved is not None) == (name == "qrsr-gpu")
    assert SERVICES["prometheus"]["profiles"] == SERVICES["grafana"]["profiles"] == ["observability"]
    for name in ("qrsr", "proxy"):
        assert "profiles" not in SERVICES[name]


def test_nothing_listens_beyond_the_host_unless_it_is_told_to() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert _plain(port).startswith("127.0.0.1:")


def test_images_of_others_are_named_with_their_version() -> None:
    for name in ("proxy", "prometheus", "grafana"):
        image = _plain(SERVICES[name]["image"])
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?", image)


def test_the_keys_overlay_gives_the_replicas_a_secret() -> None:
    overlay = yaml.safe_load((DOCKER / "api-keys.yml").read_text())
    for replica in REPLICAS:
        assert overlay["services"][replica]["environment"] == {"QRSR_API_KEYS_FILE": "/run/secrets/api_keys"}
        assert overlay["services"][replica]["secrets"] == ["api_keys"]


@pytest.mark.processes
@pytest.mark.parametrize("script", ["roll", "selftest", "lock.sh", "trim.sh", "proxy/start.sh"])
def test_scripts_parse(script: str) -> None:
    path = DOCKER / script
    shell = path.read_text().splitlines()[0].split("/")[-1].split()[-1]
    subprocess.run([shell, "-n", str(path)], check=True)


def test_haproxy_accepts_its_configuration(tmp_path: Path) -> None:
    haproxy = shutil.which("haproxy")
    if haproxy is None:
        pytest.skip("HAProxy is not installed")
    key, certificate, both = (tmp_path / name for name in ("key.pem", "certificate.pem", "site.pem"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    variables = {
        "CERTIFICATE": str(both),
        "QRSR_MAX_BODY_BYTES": "1",
        "RATE_LIMIT": "1",
        "CONNECTION_LIMIT": "1",
        "SERVER_TIMEOUT": "60s",
    }
    subprocess.run([haproxy, "-c", "-f", str(DOCKER / "proxy/haproxy.cfg")], env=variables, check=True)
