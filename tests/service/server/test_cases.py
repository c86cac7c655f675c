"""Small uploads on which the service once answered wrongly, through the released model and the real readers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.server.app import create_app
from service.settings import Settings
from tests.builders.server import running

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parents[3]
_LATER = {
    "04_two_codes_second_at_1.2px.png",
    "04b_receipt_pair_both_1.3px.jpg",
    "04c_nine_labels_1.3px.jpg",
    "22_a4_page_faint_code_number_over_finder.png",
}
"""What is a matter of the readers, not of their answers."""
_SMALL = {"21_micro_qr_M4.png", "21b_rmqr.png"}


@pytest.fixture(scope="module")
def released() -> Iterator[httpx.Client]:
    app = create_app(Settings(model_store=ROOT / "model_store", device="cpu", drafts="on"))
    with running(app) as server, server.client() as client:
        yield client


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[dict[str, Any]]:
    lines = (shared / "cases" / "index.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        json.loads(line) | {"data": (shared / "cases" / json.loads(line)["file"]).read_bytes()}
        for line in lines
    ]


def test_every_case_has_its_answer(released: httpx.Client, cases: list[dict[str, Any]]) -> None:
    wrong = []
    for case in cases:
        if case["file"] in _LATER:
            continue
        query = "?formats=qr,micro_qr,rmqr" if case["file"] in _SMALL else ""
        answer = released.post(f"/v1/decode{query}", files={"file": case["data"]}).json()
        texts = [symbol["text"] for symbol in answer["symbols"]]
        right = set(texts) == set(case["texts"])
        if case["file"].startswith("15_"):
            right = right or (answer["complete"] is False and answer["incomplete"]["reason"] == "too_long")
        if not right:
            wrong.append((case["file"], texts))
    assert wrong == []


def test_no_case_is_answered_with_another_payload(
    released: httpx.Client, cases: list[dict[str, Any]]
) -> None:
    for case in cases:
        answer = released.post("/v1/decode?formats=qr,micro_qr,rmqr", files={"file": case["data"]}).json()
        for symbol in answer["symbols"]:
            assert symbol["text"] in case["texts"] or symbol["encoding_source"] == "guessed", case["file"]
