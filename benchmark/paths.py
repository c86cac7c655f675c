"""Paths in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / "model_store"
RESULTS = ROOT / "benchmark" / "results"
"""The figures of the documents, as JSON with their command and machine."""
