"""`expect` of `/decode`: what it answers, and that what is no hint is refused before any work."""

import httpx
import pytest

from tests.builders.images import encode, symbol


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (None, None),
        ("prefix:HEL", "matched"),
        ("prefix:BYE", "not matched"),
        ("length:5", "matched"),
        ("regex:[A-Z]{4}", "not matched"),
        ("list:HELLO\nother", "matched"),
        ("charset:abc", "not matched"),
    ],
)
def test_says_whether_a_payload_is_as_expected_and_reads_it_either_way(
    client: httpx.Client, expect: str | None, answer: str | None
) -> None:
    query = {} if expect is None else {"expect": expect}
    response = client.post("/decode", params=query, files={"file": ("a.png", encode(symbol("HELLO")))})
    assert response.status_code == 200
    (found,) = response.json()["symbols"]
    assert (found["text"], found["hint"], found["prior"]) == ("HELLO", answer, False)


@pytest.mark.parametrize("expect", ["HELLO", "prefix:", "regex:(", "length:0", "list:", "regex:" + "a" * 300])
def test_refuses_what_is_no_hint(client: httpx.Client, expect: str) -> None:
    files = {"file": ("a.png", encode(symbol("HELLO")))}
    response = client.post("/decode", params={"expect": expect}, files=files)
    assert response.status_code == 422
    body = response.json()
    assert body["code"] == "invalid_query"
    assert body["errors"][0]["field"] == "expect"
