"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / "model_store"
RESULTS = ROOT / "benchmark" / "results"
"""Figures that the documents show, as JSON with the command and the machine that they come from."""
