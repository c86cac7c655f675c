"""What the schemas of Kubernetes do not know of the manifests: that they fit together, and with the service."""

from typing import Any

import pytest
import yaml

from service.settings import Settings
from tests.builders.process import ROOT

FOLDER = ROOT / "kubernetes"
OVERLAYS = ("", "model-volume", "monitoring")


def documents(overlay: str = "") -> list[dict[str, Any]]:
    """All manifests that a kustomization of the folder names, those of other folders left out."""
    folder = FOLDER / overlay
    named = yaml.safe_load((folder / "kustomization.yml").read_text())["resources"]
    files = [folder / name for name in named if not (folder / name).is_dir()]
    return [document for path in files for document in yaml.safe_load_all(path.read_text())]


ALL = {document["kind"]: document for overlay in OVERLAYS for document in documents(overlay)}
POD = ALL["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_named_by_a_kustomization(overlay: str) -> None:
    folder = FOLDER / overlay
    named = set(yaml.safe_load((folder / "kustomization.yml").read_text())["resources"])
    assert {path.name for path in folder.glob("*.yml")} - {"kustomization.yml"} == named - {"../"}


def test_lint_compares_every_manifest_that_has_a_schema() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (line,) = [line for line in makefile.splitlines() if "kubernetes-validate" in line]
    checked = {word for word in line.split() if word.endswith(".yml")}
    expected = {
        str(path.relative_to(ROOT)) for path in FOLDER.rglob("*.yml") if path.name != "kustomization.yml"
    }
    # A custom resource: its schema is the Prometheus Operator's.
    assert checked == expected - {"kubernetes/monitoring/service-monitor.yml"}


def test_selectors_find_the_replicas() -> None:
    labels = POD["metadata"]["labels"]
    assert ALL["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert ALL["Service"]["spec"]["selector"] == labels
    assert ALL["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert ALL["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert ALL["ServiceMonitor"]["spec"]["selector"]["matchLabels"] == ALL["Service"]["metadata"]["labels"]
    target = ALL["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", ALL["Deployment"]["metadata"]["name"])


def test_ports_lead_to_the_service() -> None:
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == Settings().port
    (published,) = ALL["Service"]["spec"]["ports"]
    assert published["targetPort"] == port["name"]
    (allowed,) = ALL["NetworkPolicy"]["spec"]["ingress"][0]["ports"]
    assert allowed["port"] == port["name"]
    (scraped,) = ALL["ServiceMonitor"]["spec"]["endpoints"]
    assert (scraped["port"], scraped["path"]) == (published["name"], "/metrics")
    for probe, path in (
        ("startupProbe", "/readyz"),
        ("readinessProbe", "/readyz"),
        ("livenessProbe", "/livez"),
    ):
        assert CONTAINER[probe]["httpGet"] == {"path": path, "port": port["name"]}


def test_a_replica_finishes_before_it_is_killed() -> None:
    wait = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["spec"]["terminationGracePeriodSeconds"] > wait + Settings().shutdown_grace_s


def test_replicas_are_confined_as_on_docker() -> None:
    context = CONTAINER["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert POD["spec"]["securityContext"]["runAsUser"] == 10001
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert ALL["NetworkPolicy"]["spec"]["egress"] == []


def test_every_variable_is_a_setting_of_the_service() -> None:
    settings = {f"QRSR_{name}".upper() for name in Settings.model_fields}
    assert {entry["name"] for entry in CONTAINER["env"]} <= settings


def test_the_volume_of_models_is_mounted_where_the_service_looks_and_read_only() -> None:
    (patch,) = yaml.safe_load((FOLDER / "model-volume" / "kustomization.yml").read_text())["patches"]
    volume, mount = (step["value"] for step in yaml.safe_load(patch["patch"]))
    assert volume["persistentVolumeClaim"] == {
        "claimName": ALL["PersistentVolumeClaim"]["metadata"]["name"],
        "readOnly": True,
    }
    assert mount["name"] == volume["name"]
    assert mount["readOnly"] is True
    assert mount["mountPath"] == f"/app/model_store/{Settings().model}"
