"""The grammars of payloads, and the tables that are estimated from them."""

import random
from dataclasses import astuple

import numpy as np
import pytest

from service.decoding.soft.prior.automaton import automaton
from training.payloads import formats
from training.payloads.corpus import KINDS, payloads
from training.payloads.estimation import estimated
from training.payloads.tokens import gs1_number


@pytest.mark.parametrize("kind", KINDS)
def test_every_grammar_draws_text(kind: str) -> None:
    rng = random.Random(1)
    drawn = {KINDS[kind][1](rng) for _ in range(20)}
    assert len(drawn) > 10
    assert all(0 < len(text.encode()) < 800 for text in drawn)


def test_check_digits_are_those_of_the_standard() -> None:
    # The example of the GS1 General Specifications.
    assert gs1_number("629104150021") == "6291041500213"


def test_payments_carry_their_lengths_and_their_checksum() -> None:
    for seed in range(20):
        made = formats.emv(random.Random(seed))
        rest, tags = made, []
        while rest:
            tags.append(rest[:2])
            rest = rest[4 + int(rest[2:4]) :]
        assert (tags[0], tags[-1]) == ("00", "63")
        crc = 0xFFFF
        for byte in made[:-4].encode():
            crc ^= byte << 8
            for _ in range(8):
                crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        assert made[-4:] == f"{crc:04X}"


def test_the_same_seed_draws_the_same_payloads() -> None:
    assert list(payloads(3, 50)) == list(payloads(3, 50))
    assert list(payloads(3, 50)) != list(payloads(4, 50))


def test_tables_make_an_automaton_that_prefers_what_it_was_estimated_from() -> None:
    tables = estimated([b"abcabcabc", b"abcabc", b"xyz"] * 200, 500)
    model = automaton(*astuple(tables)[:6])
    assert (
        model.log_probability(b"abcabc") > model.log_probability(b"abcxyz") > model.log_probability(b"qqqqqq")
    )
    out = np.bincount(model.sources, model.weights, minlength=model.states) + model.shares[:, 1]
    assert out == pytest.approx(np.ones(model.states))
