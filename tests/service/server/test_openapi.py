"""The contract: complete, true, and equal to what is committed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.cli.openapi import text
from service.errors import STATUS
from service.pipeline.answers import BatchAnswer, DecodeAnswer, Problem, UpscaleAnswer
from service.server import openapi
from tests.builders.images import encode, symbol

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_the_committed_contract_is_what_the_code_says() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == text(), (
        "run `python -m service openapi > docs/openapi.json`, and look at what changed"
    )


def test_the_service_answers_the_contract(client: httpx.Client, document: dict[str, Any]) -> None:
    assert client.get("/openapi.json").json() == document


def test_everything_is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        for status, response in operation["responses"].items():
            assert response["description"], (name, status)
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert {"decode_upload", "upscale_upload", "readyz"} <= set(names)


def test_every_code_of_a_status_is_shown(document: dict[str, Any]) -> None:
    assert set(openapi.DETAILS) == set(STATUS)
    for path in ("/v1/decode", "/v1/upscale"):
        shown = {}
        for status, response in document["paths"][path]["post"]["responses"].items():
            for code, example in (
                response["content"].get("application/problem+json", {}).get("examples", {}).items()
            ):
                Problem.model_validate(example["value"])
                assert example["value"]["code"] == code
                assert example["value"]["status"] == int(status)
                shown[code] = int(status)
        # These two are answered to other requests, and this one to nobody who is still there.
        assert shown == {
            code: status
            for code, status in STATUS.items()
            if code not in ("not_found", "method_not_allowed", "client_closed_request")
        }


def test_examples_have_the_form_they_illustrate(document: dict[str, Any]) -> None:
    for path, model in (
        ("/v1/decode", DecodeAnswer),
        ("/v1/decode/batch", BatchAnswer),
        ("/v1/upscale/decode", UpscaleAnswer),
    ):
        answer = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
        for example in answer["examples"].values():
            assert model.model_validate(example["value"]).model_dump(mode="json") == example["value"]


def test_real_answers_have_exactly_the_documented_fields(client: httpx.Client) -> None:
    upload = {"file": encode(symbol("contract"))}
    read = client.post("/v1/decode", files=upload).json()
    assert set(read) == set(openapi.DECODED)
    documented: Any = openapi.DECODED["symbols"]
    assert set(read["symbols"][0]) == set(documented[0])
    for path in ("/v1/upscale?decode=true", "/v1/upscale/decode"):
        enlarged = client.post(path, files=upload).json()
        assert set(enlarged) == set(openapi.DECODED) | {"format", "size", "image_base64", "restored"}


def test_each_route_answers_json_or_an_image(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        kinds = set(operation["responses"]["200"]["content"])
        if name == "post /v1/upscale":
            assert kinds == {"application/octet-stream", "image/png", "image/jpeg", "image/webp"}
        else:
            assert len(kinds) == 1, name


def test_routes_without_a_version_are_not_in_the_document(document: dict[str, Any]) -> None:
    posts = {name for name, _ in operations(document) if name.startswith("post")}
    assert posts == {f"post /v1/{path}" for path in ("decode", "decode/batch", "upscale", "upscale/decode")}
