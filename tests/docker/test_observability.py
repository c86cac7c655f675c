"""Alerts and dashboard ask for series that the service really has, and are what their programs accept."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from service.pipeline.answers import DecoderState
from service.pipeline.metrics import REASONS, Metrics
from tests.builders.process import ROOT
from tests.docker.promql import grouping, selectors

DOCKER = ROOT / "docker"
ALERTS = DOCKER / "prometheus" / "alerts.yml"
DASHBOARD = DOCKER / "grafana" / "dashboards" / "service.json"
OF_PROMETHEUS = {"up"}
# HAProxy's exporter, as its documentation names them.
OF_PROXY = {
    "haproxy_backend_active_servers",
    "haproxy_backend_redispatch_warnings_total",
    "haproxy_backend_retry_warnings_total",
    "haproxy_backend_queue_time_average_seconds",
}
ADDED_BY_PROMETHEUS = {"job", "instance"}


def _families() -> dict[str, set[str]]:
    """Labels of every series that `/metrics` can show, by the series' name."""
    metrics = Metrics()
    metrics.count_decoder_events(
        lambda: DecoderState(children=1, restarts=0, crashes=0, timeouts=0, wechat_nets=True)
    )
    metrics.model.info({"name": "", "version": "", "sha256": "", "provider": ""})
    metrics.requests.labels("/decode", "POST", "200").inc()
    metrics.errors.labels("internal").inc()
    metrics.symbols.labels("zxing", "upload").inc()
    metrics.attempt_seconds.labels("upload", "read").observe(1)
    metrics.request_seconds.labels("/decode").observe(1)
    metrics.stage("upscale", 1)
    series: dict[str, set[str]] = {}
    family: Metric
    for family in metrics.registry.collect():
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series


SERIES = _families()


def _rules() -> list[dict[str, object]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _queries() -> list[tuple[str, str]]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]
    return asked + [(str(rule["alert"]), str(rule["expr"])) for rule in _rules()]


@pytest.mark.parametrize(("where", "expression"), _queries(), ids=[name for name, _ in _queries()])
def test_every_series_and_label_exists(where: str, expression: str) -> None:
    found = selectors(expression)
    assert found, f"{where} asks for nothing"
    names = {selector.name for selector in found}
    assert names <= SERIES.keys() | OF_PROMETHEUS | OF_PROXY
    for selector in found:
        if selector.name in SERIES:
            asked = {label for label, _, _ in selector.matchers}
            assert asked <= SERIES[selector.name] | ADDED_BY_PROMETHEUS
            for label, _, value in selector.matchers:
                if label == "reason":
                    assert set(value.split("|")) <= set(REASONS)
    known = set().union(*(SERIES.get(name, set()) for name in names), ADDED_BY_PROMETHEUS, {"proxy"})
    assert grouping(expression) <= known


def test_the_series_asked_for_are_found_in_an_expression() -> None:
    expression = 'sum by (le) (rate(a_total{x="1",y=~"b|c"}[5m] offset 1d)) / on (x) group_left c > 1.2e9'
    assert [(found.name, found.matchers) for found in selectors(expression)] == [
        ("a_total", (("x", "=", "1"), ("y", "=~", "b|c"))),
        ("c", ()),
    ]
    assert grouping(expression) == {"le", "x"}


def test_routes_in_expressions_are_those_of_the_service() -> None:
    routes = {"/decode", "/upscale", "/v1/decode", "/v1/upscale"}
    matched = set()
    for _, expression in _queries():
        for selector in selectors(expression):
            for label, operator, value in selector.matchers:
                if label == "route":
                    assert operator == "=~"
                    matched |= {route for route in routes if re.fullmatch(value, route)}
    assert matched == routes


def test_the_dashboard_is_provisioned_from_where_compose_mounts_it() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    provider = yaml.safe_load((DOCKER / "grafana/provisioning/dashboards/service.yml").read_text())
    source = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yml").read_text())
    mounts = dict(mount.split(":")[:2] for mount in compose["services"]["grafana"]["volumes"])
    folder = provider["providers"][0]["options"]["path"]
    assert mounts["./docker/grafana/dashboards"] == folder
    home = compose["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home) == Path(folder) / DASHBOARD.name
    dashboard = json.loads(DASHBOARD.read_text())
    sources = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert sources == {source["datasources"][0]["uid"]}
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    # Side by side and below each other, none over another.
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells


def test_scraped_names_are_services_of_the_compose_file() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    scrape = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text())
    hosts = set()
    for job in scrape["scrape_configs"]:
        hosts |= {name for found in job.get("dns_sd_configs", ()) for name in found["names"]}
        hosts |= {
            target.split(":")[0] for found in job.get("static_configs", ()) for target in found["targets"]
        }
    assert hosts == {"qrsr", "qrsr-gpu", "proxy"}
    assert hosts <= compose.keys()
    for host in hosts:
        assert set(compose[host]["networks"]) & set(compose["prometheus"]["networks"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
)
def test_promtool_accepts_them(arguments: tuple[str, ...]) -> None:
    subprocess.run(["promtool", *arguments], cwd=DOCKER / "prometheus", check=True)
