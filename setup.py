"""What a build is told from outside: where the repository is. Everything else is in pyproject.toml."""

import os

from setuptools import setup

REPOSITORY = os.environ.get("QRSR_REPOSITORY_URL", "").rstrip("/")
"""The release workflow sets it. Without it the wheel names no address, which is better than one that leads nowhere."""
LINKS = {
    "Source": "",
    "Documentation": "/tree/main/docs",
    "Changelog": "/blob/main/CHANGELOG.md",
    "Issues": "/issues",
}

setup(project_urls={name: REPOSITORY + path for name, path in LINKS.items()} if REPOSITORY else {})
