"""docs/operations.md names everything that an operator can meet."""

import re

import yaml

from tests.builders.process import ROOT
from tests.docker.test_images import COMPOSE, PROJECT

OPERATIONS = (ROOT / "docs/operations.md").read_text()


def test_every_alert_is_explained() -> None:
    groups = yaml.safe_load((ROOT / "docker/prometheus/alerts.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", OPERATIONS, re.MULTILINE)
    explained = {name for name, meaning, action in rows if name in alerts and meaning and action}
    assert explained == alerts


def test_every_variable_of_the_compose_file_is_explained_with_its_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "docker/api-keys.yml").read_text()
    used = dict(re.findall(r"\$\{([A-Z_]+):(?:-|(?=\?))([^}?]*)", text))
    # Settings of the service are in the table of docs/settings.md, which is generated.
    own = {name: default for name, default in used.items() if not name.startswith("QRSR_")}
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|([^|]*)\|", OPERATIONS, re.MULTILINE)
    told: dict[str, str] = {}
    for names, defaults in rows:
        listed = re.findall(r"`([A-Z_]+)`", names)
        values = re.findall(r"`([^`]+)`", defaults)
        told.update(zip(listed, values * (len(listed) if len(values) == 1 else 1), strict=False))
        told.update({name: "" for name in listed if not values})
    assert own.keys() <= told.keys()
    for name, default in own.items():
        assert told[name] in ("", default), name


def test_every_container_has_an_image_that_the_page_carries_over() -> None:
    carried = re.search(r"docker save (.+?) \| gzip >images", OPERATIONS)
    assert carried is not None
    images = {
        re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", service["image"])
        for name, service in COMPOSE["services"].items()
        if name != "qrsr-gpu"
    }
    assert set(carried.group(1).split()) == images


def test_the_changelog_knows_this_version() -> None:
    assert re.search(
        rf"^## {re.escape(PROJECT['version'])} \(", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    for name in ("Dockerfile", "Dockerfile.training"):
        assert f"ARG VERSION={PROJECT['version']}\n" in (ROOT / "docker" / name).read_text()


def test_links_within_the_repository_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "model_store" / "README.md"]
    assert len(pages) > 20
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_links_to_sections_lead_to_a_heading() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target, section in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
            headings = re.findall(
                r"^#+ (.+)$", (page.parent / target if target else page).read_text(), re.MULTILINE
            )
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert section in anchors, f"{page.relative_to(ROOT)}: {target}#{section}"


def test_every_document_is_listed_for_its_readers() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    missing = [
        page.name
        for page in ROOT.glob("docs/*.md")
        if page.name != "README.md" and f"({page.name})" not in index
    ]
    assert missing == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[\d{4}\]\((\S+)\) \|", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == sorted(page.name for page in folder.glob("0*.md"))
