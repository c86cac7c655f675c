"""Prometheus finds everything, the dashboard's questions have answers, and an alert really fires."""

import json
from typing import Any

import httpx
import pytest
import yaml

from tests.builders.process import ROOT
from tests.deployment.load import Load
from tests.deployment.stack import Stack, until

DASHBOARD = json.loads((ROOT / "docker/grafana/dashboards/service.json").read_text())
RULES = [
    rule["alert"]
    for group in yaml.safe_load((ROOT / "docker/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
# Nothing to show while nothing goes wrong: no problem was answered, and there is no GPU.
MAY_BE_EMPTY = {"Problems by code"}


@pytest.fixture(scope="module")
def prometheus(stack: Stack) -> httpx.Client:
    if not stack.compose("ps", "-q", "prometheus").strip():
        pytest.skip("there is no image of Prometheus")
    return httpx.Client(base_url=f"http://127.0.0.1:{stack.ports['PROMETHEUS_PORT']}/api/v1", timeout=20)


def query(prometheus: httpx.Client, expression: str) -> list[dict[str, Any]]:
    answer = prometheus.get("/query", params={"query": expression}).json()
    assert answer["status"] == "success", answer
    return list(answer["data"]["result"])


def test_every_replica_and_the_proxy_are_watched(stack: Stack, prometheus: httpx.Client) -> None:
    stack.up("qrsr", replicas=3)

    def up() -> dict[str, int]:
        found = [(one["metric"]["job"], float(one["value"][1])) for one in query(prometheus, "up")]
        return {job: sum(1 for name, value in found if name == job and value == 1) for job, _ in found}

    until(lambda: up() == {"qrsr": 3, "proxy": 1}, "all are scraped")


def test_the_rules_are_loaded_and_healthy(prometheus: httpx.Client) -> None:
    def rules() -> list[dict[str, Any]]:
        groups = prometheus.get("/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: all(rule["health"] == "ok" for rule in rules()), "every rule was evaluated")
    assert sorted(rule["name"] for rule in rules()) == sorted(RULES)


def test_every_panel_shows_something_after_some_load(stack: Stack, prometheus: httpx.Client) -> None:
    asked = [
        (panel["title"], target["expr"].replace("$__rate_interval", "1m"))
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    ]
    assert len(asked) > 20

    def all_show() -> bool:
        empty = {title for title, expression in asked if not query(prometheus, expression)}
        assert empty <= MAY_BE_EMPTY, sorted(empty - MAY_BE_EMPTY)
        return True

    with Load(stack, clients=2):
        until(all_show, "every panel has data", patience=90)
    (share,) = query(prometheus, 'sum(rate(qrsr_requests_total{method="POST",status="200"}[1m]))')
    assert float(share["value"][1]) > 0.5


def test_an_alert_fires_when_no_replica_is_left_and_ends_when_they_are_back(
    stack: Stack, prometheus: httpx.Client
) -> None:
    def firing() -> set[str]:
        alerts = prometheus.get("/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    assert not firing() & {"ProxyHasNoReplica", "QrsrDown"}
    stack.compose("stop", "qrsr")
    until(lambda: {"ProxyHasNoReplica", "QrsrDown"} <= firing(), "both alerts fire", patience=180)
    stack.up("qrsr", replicas=2)
    until(lambda: not firing() & {"ProxyHasNoReplica", "QrsrDown"}, "both alerts end", patience=120)


def test_grafana_shows_the_dashboard_that_was_provisioned(stack: Stack) -> None:
    if not stack.compose("ps", "-q", "grafana").strip():
        pytest.skip("there is no image of Grafana")
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.ports['GRAFANA_PORT']}/api", timeout=20) as grafana:
        until(lambda: grafana.get("/health").status_code == 200, "Grafana answers")
        found = grafana.get(f"/dashboards/uid/{DASHBOARD['uid']}").json()
        assert found["dashboard"]["title"] == DASHBOARD["title"]
        assert found["meta"]["provisioned"] is True
        assert grafana.get("/datasources/uid/prometheus/health").json()["status"] == "OK"
