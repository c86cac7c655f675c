"""Hints: what they say, that they are priors, that they help, and that they force nothing."""

import math
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from service.decoding.soft.effort import Effort
from service.decoding.soft.prior.hints import HintError, hint
from service.decoding.soft.prior.joint import decode_with_prior
from service.decoding.soft.prior.patterns import PatternError, compiled
from service.decoding.soft.prior.trellis import Trellis
from tests.service.decoding.soft.modules import segno_modules, version_of
from tests.service.decoding.soft.prior.test_joint import fading
from tests.service.decoding.soft.prior.test_trellis import trellis_of

HINTS = (
    "prefix:http://ab.c", "prefix:QR", "charset:abcdefghijklmnopqrstuvwxyz:/.", "charset:0123456789", "length:14",
    "length:3-15", r"regex:http://[a-z.]+/[a-z]", r"regex:\d{9}|x+", "list:http://ab.cd/e\nhttp://ab.cd/f\n123456789",
)  # fmt: skip


@pytest.mark.parametrize("text", HINTS)
@pytest.mark.parametrize("content", [b"http://ab.cd/e", b"123456789"])
def test_the_messages_still_add_up_to_one(text: str, content: bytes) -> None:
    _, llr, _ = trellis_of(content, 0.15)
    trellis = Trellis(llr, 1, "L", hint(text))
    known = np.zeros(len(llr), dtype=bool)
    for place in (0, 9, 60, 140):
        known[:] = False
        known[place : place + 5] = True
        total = 0.0
        for value in range(32):
            bits = np.zeros(len(llr), dtype=np.uint8)
            bits[place : place + 5] = [value >> shift & 1 for shift in range(5)]
            total += math.exp(trellis.log_share(bits, known, np.zeros_like(known)))
        assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("text", HINTS)
def test_a_hint_is_a_prior_and_no_more(text: str) -> None:
    """With nothing received every length's texts weigh no more than their share: evidence 1 for the sum of all."""
    trellis = Trellis(np.zeros(152), 1, "L", hint(text))
    assert trellis.log_evidence <= 1e-6


@pytest.mark.parametrize("text", HINTS)
def test_a_bits_posterior_is_the_share_of_the_messages_that_have_it(text: str) -> None:
    _, llr, _ = trellis_of(b"http://ab.cd/e", 0.12)
    trellis = Trellis(llr, 1, "L", hint(text))
    posterior = 1 / (1 + np.exp(-trellis.posterior(llr)))
    ones = np.ones(len(llr), dtype=np.uint8)
    for bit in range(0, len(llr), 5):
        known = np.zeros(len(llr), dtype=bool)
        known[bit] = True
        share = math.exp(trellis.log_share(ones, known, np.zeros_like(known)))
        assert posterior[bit] == pytest.approx(share, abs=2e-3)


PAYLOAD = b"https://id.example/K7Q2MX94"
HELPFUL = {
    "prefix": "prefix:https://id.example/",
    "length": "length:27",
    "regex": "regex:https://id\\.example/[A-Z0-9]{8}",
    "list": "list:"
    + "\n".join([*(f"https://id.example/K7Q2MX{number}" for number in range(90, 99)), "other"]),
}


def receptions(payload: bytes, rate: float, count: int) -> list[tuple[NDArray[np.float32], int]]:
    rng = np.random.default_rng(9)
    dark = segno_modules(payload, error="l", mask=4)
    return [(fading(dark, rate, rng), version_of(dark)) for _ in range(count)]


def read(llr: NDArray[np.float32], version: int, text: str | None) -> bytes | None:
    effort = Effort(500.0, time.monotonic() + 20)
    found = decode_with_prior(llr, version, effort, hint=hint(text) if text else None)
    return None if found is None else found.payload


RATES = {"prefix": 0.15, "regex": 0.15, "list": 0.16}


@pytest.mark.parametrize("kind", RATES)
def test_what_is_expected_is_read_more_often(kind: str) -> None:
    outcomes = [
        (read(llr, version, None), read(llr, version, HELPFUL[kind]))
        for llr, version in receptions(PAYLOAD, RATES[kind], 12)
    ]
    assert {one for pair in outcomes for one in pair} <= {PAYLOAD, None}
    plain, helped = (sum(pair[number] == PAYLOAD for pair in outcomes) for number in (0, 1))
    assert helped >= plain + 2


@pytest.mark.parametrize("kind", HELPFUL)
def test_a_hint_that_lies_forces_nothing(kind: str) -> None:
    other = b"https://go.example/zzz-11-pqr"
    seen = [read(llr, version, HELPFUL[kind]) for llr, version in receptions(other, 0.05, 8)]
    assert set(seen) <= {other, None}
    assert seen.count(other) >= 4
    assert not hint(HELPFUL[kind]).matches(other)


def test_a_list_of_neighbours_is_not_taken_for_what_was_printed() -> None:
    """None of the candidates was printed; all are one character off."""
    printed = b"https://id.example/K7Q2MX9A"
    seen = [read(llr, version, HELPFUL["list"]) for llr, version in receptions(printed, 0.1, 12)]
    assert set(seen) <= {printed, None}


def test_a_long_list_is_scored() -> None:
    candidates = [f"https://t.example/{number:06}" for number in range(20_000)]
    text = "list:" + "\n".join(candidates)
    printed = candidates[12_345].encode()
    seen = [read(llr, version, text) for llr, version in receptions(printed, 0.12, 4)]
    assert set(seen) <= {printed, None}
    assert seen.count(printed) >= 3


@pytest.mark.parametrize(
    ("text", "payload", "expected"),
    [
        ("prefix:ab", b"abc", True), ("prefix:ab", b"ba", False), ("charset:01", b"0110", True),
        ("charset:01", b"012", False), ("length:3", b"abc", True), ("length:3-5", b"abcdef", False),
        (r"regex:\d+", b"123", True), (r"regex:\d+", b"12a", False), ("list:a\nb", b"b", True),
        ("list:a\r\nb", b"c", False), ("prefix:ü", "über".encode(), True),
    ],
)  # fmt: skip
def test_a_payload_is_as_expected_or_not(text: str, payload: bytes, expected: bool) -> None:
    assert hint(text).matches(payload) is expected


@pytest.mark.parametrize(
    "text",
    ["", "prefix", "prefix:", "other:x", "length:0", "length:9-3", "length:x", "length:1-2-3", "length:99999", "list:",
     "list:\n", "regex:(", "regex:" + "a" * 300, "charset:", "prefix:" + "x" * 500],
)  # fmt: skip
def test_what_is_no_hint_is_refused(text: str) -> None:
    with pytest.raises(HintError):
        hint(text)


@pytest.mark.parametrize(
    ("expression", "yes", "no"),
    [
        ("ab*c", ["ac", "abbc"], ["abb", "bc", ""]), ("(a|bc)+d?", ["a", "bcad"], ["d", "ab"]),
        ("[a-c]{2,3}x", ["abx", "cabx"], ["ax", "abcax"]), (r"\d{3}-\w+", ["123-a_9"], ["12-a", "123-"]),
        ("^a[^/]+$", ["ab:"], ["a/", "a"]), ("x{2,}", ["xx", "xxxxx"], ["x"]), ("(?:ab){3}", ["ababab"], ["abab"]),
        (r"[\d\-]+", ["1-2"], ["a"]), ("é", ["é"], ["e"]), ("a.c", ["abc", "a\tc"], ["a\nc", "ac"]), ("", [""], ["a"]),
        ("[]a]+", ["]a"], ["b"]), ("(a*)*b", ["aab", "b"], ["a"]),
    ],
)  # fmt: skip
def test_an_expression_describes_its_texts(expression: str, yes: list[str], no: list[str]) -> None:
    pattern = compiled(expression)
    assert all(pattern.matches(text.encode()) for text in yes)
    assert not any(pattern.matches(text.encode()) for text in no)


@pytest.mark.parametrize(
    "expression",
    ["(", "a)", "[", "[z-a]", "*a", "a**", "{2}", "a{3,1}", "\\", "(?=a)", "a{1,9999}", "(a{200}){200}", "\\1", "a{x}",
     "[é]", "x^"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(PatternError):
        compiled(expression)
