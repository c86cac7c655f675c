"""Ways in besides the form: the image itself, JSON, several images; and how each is refused."""

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest

from service.server.bodies import MOST_IN_BATCH
from tests.builders.images import encode, pattern, symbol
from tests.service.decoding.coded import Head, Part, matrix
from tests.service.decoding.symbols import picture
from tests.service.server.test_bad_input import assert_problem

DATA = encode(symbol("RAW"))
BASE64 = base64.b64encode(DATA).decode()


def texts(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [entry["text"] for entry in response.json()["symbols"]]


@pytest.mark.parametrize(
    "kind", ["image/png", "image/jpeg", "image/heic", "application/octet-stream", "IMAGE/PNG; q=1", None]
)
def test_the_body_may_be_the_image_itself(client: httpx.Client, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    assert texts(client.post("/v1/decode", content=DATA, headers=headers)) == ["RAW"]


@pytest.mark.parametrize(
    "text",
    [
        BASE64,
        BASE64.rstrip("="),
        BASE64.replace("+", "-").replace("/", "_"),
        "\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)) + "\n",
        "data:image/png;base64," + BASE64,
    ],
    ids=["standard", "unpadded", "URL-safe", "in lines", "data URL"],
)
def test_the_body_may_be_json(client: httpx.Client, text: str) -> None:
    assert texts(client.post("/v1/decode", json={"image_base64": text})) == ["RAW"]


def test_every_way_in_goes_to_every_route(client: httpx.Client) -> None:
    for path in ("/v1/upscale", "/upscale"):
        images = [
            client.post(path, content=DATA, headers={"content-type": "image/png"}).content,
            client.post(path, json={"image_base64": BASE64}).content,
            client.post(path, files={"file": DATA}).content,
        ]
        assert images[0].startswith(b"\x89PNG")
        assert images[0] == images[1] == images[2]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "file_empty"),
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b"[]", 400, "malformed_json"),
        (b"null", 400, "malformed_json"),
        (b'"text"', 400, "malformed_json"),
        (b"{}", 400, "file_missing"),
        (b'{"image_base64": 5}', 400, "malformed_json"),
        (b'{"image_base64": null}', 400, "malformed_json"),
        (b'{"image_base64": ""}', 400, "file_empty"),
        (b'{"image_base64": "data:image/png;base64,"}', 400, "file_empty"),
        (b'{"image_base64": "!!!!"}', 400, "malformed_base64"),
        (b'{"image_base64": "AAAAA"}', 400, "malformed_base64"),
        ('{"image_base64": "ÄÄÄÄ"}'.encode(), 400, "malformed_base64"),
        (b'{"image_base64": "AAAA", "secret": 1}', 400, "unexpected_field"),
        (b'{"image_base64": "AAAA"}', 415, "unsupported_image_format"),
        (b'{"image_base64": "AAAA"} {}', 400, "malformed_json"),
    ],
)
def test_json_that_is_refused(client: httpx.Client, body: bytes, status: int, code: str) -> None:
    response = client.post("/v1/decode", content=body, headers={"content-type": "application/json"})
    assert_problem(response, status, code)
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "application/pdf", "video/mp4"]
)
def test_a_body_of_another_type_is_told_what_to_send(client: httpx.Client, kind: str) -> None:
    response = client.post("/v1/decode", content=DATA, headers={"content-type": kind})
    assert_problem(response, 415, "unsupported_content_type")
    assert "image/png" in response.json()["detail"]


def test_an_empty_body_is_refused(client: httpx.Client) -> None:
    for path in ("/v1/decode", "/v1/upscale"):
        assert_problem(client.post(path, headers={"content-type": "image/png"}), 400, "file_empty")


def batch(client: httpx.Client, images: list[Any], query: str = "") -> dict[str, Any]:
    response = client.post(f"/v1/decode/batch{query}", json={"images": images})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_batch_has_an_answer_or_a_problem_for_each_in_order(client: httpx.Client) -> None:
    names = ["A", "B", "C"]
    good = [{"id": n, "image_base64": base64.b64encode(encode(symbol(n))).decode()} for n in names]
    bad = [
        {"id": "broken", "image_base64": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()},
        {"id": "no base64", "image_base64": "!"},
        {"id": "nothing"},
        "not even an object",
        {"id": "empty", "image_base64": ""},
    ]
    found = batch(client, [good[0], *bad, *good[1:]])["answers"]
    assert [entry["id"] for entry in found] == [
        "A",
        "broken",
        "no base64",
        "nothing",
        None,
        "empty",
        "B",
        "C",
    ]
    assert [entry["problem"] and entry["problem"]["code"] for entry in found] == [
        *(None, "damaged_image", "malformed_base64", "file_missing", "malformed_json", "file_empty"),
        *(None, None),
    ]
    read = [entry["answer"]["symbols"][0]["text"] for entry in found if entry["answer"]]
    assert read == names
    assert all((entry["answer"] is None) != (entry["problem"] is None) for entry in found)


def test_a_batch_may_be_a_form(client: httpx.Client) -> None:
    files = [("file", (f"{name}.png", encode(symbol(name)))) for name in "AB"] + [
        ("file", ("c.txt", b"text"))
    ]
    response = client.post("/v1/decode/batch", files=files)
    found = response.json()["answers"]
    assert [entry["id"] for entry in found] == ["A.png", "B.png", "c.txt"]
    assert [entry["answer"] and entry["answer"]["symbols"][0]["text"] for entry in found] == ["A", "B", None]
    assert found[2]["problem"]["code"] == "unsupported_image_format"


def test_options_hold_for_all_images_of_a_batch(client: httpx.Client) -> None:
    found = batch(client, [{"image_base64": BASE64}] * 2, "?symbol=matrix")["answers"]
    assert all(entry["answer"]["symbols"][0]["symbol"]["matrix"] for entry in found)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"images": []}, "file_missing"),
        ({}, "file_missing"),
        ({"images": {}}, "malformed_json"),
        ({"images": [{}] * (MOST_IN_BATCH + 1)}, "too_many_files"),
        ({"images": [{}], "more": 1}, "unexpected_field"),
        ([], "malformed_json"),
    ],
)
def test_a_batch_that_is_refused_as_a_whole(client: httpx.Client, body: object, code: str) -> None:
    assert_problem(
        client.post("/v1/decode/batch", content=json.dumps(body).encode(), headers=JSON), 400, code
    )


JSON = {"content-type": "application/json"}


def test_a_batch_is_no_image(client: httpx.Client) -> None:
    response = client.post("/v1/decode/batch", content=DATA, headers={"content-type": "image/png"})
    assert_problem(response, 415, "unsupported_content_type")


def test_a_batch_shares_the_limit_of_the_body(client: httpx.Client) -> None:
    images = [{"image_base64": "A" * 400_000}] * 10
    assert_problem(client.post("/v1/decode/batch", json={"images": images}), 413, "body_too_large")


def part(index: int, total: int, data: bytes, parity: int) -> dict[str, str]:
    image = encode(picture(matrix((Part("byte", data),), Head(sequence=(index, total, parity)))))
    return {"image_base64": base64.b64encode(image).decode()}


def parity_of(data: bytes) -> int:
    found = 0
    for byte in data:
        found ^= byte
    return found


def test_parts_in_several_images_are_joined(client: httpx.Client) -> None:
    whole = "日本語とEnglish".encode()
    parity = parity_of(whole)
    # Cut inside a character.
    parts = [part(1, 2, whole[4:], parity), part(0, 2, whole[:4], parity)]
    answer = batch(client, parts)
    assert [entry["answer"]["symbols"][0]["text"] for entry in answer["answers"]] == [None, None]
    (joined,) = answer["joined"]
    assert joined["text"] == "日本語とEnglish"
    assert base64.b64decode(joined["payload_base64"]) == whole
    assert (joined["total"], joined["parity"], joined["parity_matches"]) == (2, parity, True)


def test_parts_in_one_image_are_joined(client: httpx.Client) -> None:
    pictures = [
        picture(matrix((Part("byte", data),), Head(sequence=(index, 2, 9))))
        for index, data in enumerate((b"left ", b"right"))
    ]
    answer = client.post("/v1/decode", files={"file": encode(np.hstack(pictures))}).json()
    places = {
        s["text"]: (s["structured_append"]["index"], s["structured_append"]["total"])
        for s in answer["symbols"]
    }
    assert places == {"left ": (0, 2), "right": (1, 2)}
    (joined,) = answer["joined"]
    assert joined["text"] == "left right"
    assert joined["parity_matches"] is False


def test_parts_of_which_one_is_missing_or_doubtful_are_not_joined(client: httpx.Client) -> None:
    parts = [part(0, 3, b"a", 1), part(2, 3, b"c", 1)]
    assert batch(client, parts)["joined"] == []
    assert batch(client, [*parts, part(1, 3, b"b", 1)])["joined"][0]["text"] == "abc"
    # Another symbol of the same parity claims the place of one of them.
    assert batch(client, [*parts, part(1, 3, b"b", 1), part(1, 3, b"x", 1)])["joined"] == []


def test_a_blank_image_in_a_batch_is_no_problem(client: httpx.Client) -> None:
    blank = base64.b64encode(encode(pattern(40, 40))).decode()
    (entry,) = batch(client, [{"image_base64": blank}])["answers"]
    assert entry["answer"]["symbols"] == []
