"""Models of the characters outside of byte mode: a bigram for alphanumeric, frequencies for kanji and hanzi."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.characters import BitReader, BitStreamError, characters
from service.decoding.soft.prior.automaton import MODEL_FILE, NATS_PER_CODE

Floats = NDArray[np.float64]

# First and last code of a class of characters, and its share of the text.
_CLASSES: Final = {
    "kanji": ((0x829F, 0x82F1, 0.3), (0x8340, 0x8396, 0.2), (0x889F, 0x9872, 0.4), (0x8140, 0xEBBF, 0.1)),
    "hanzi": ((0xB0A1, 0xD7F9, 0.9), (0xA1A1, 0xFAFE, 0.1)),
}


@dataclass(frozen=True, slots=True)
class AlphanumericModel:
    """The next of the 45 characters, given the previous one."""

    following: Floats
    """`(46, 45)`: probability of each character after each; the last row is for the first character."""
    begin: Floats
    """`(46,)`: the state before the first character."""


@lru_cache(maxsize=1)
def alphanumeric_model() -> AlphanumericModel:
    """The released bigram."""
    with np.load(MODEL_FILE, allow_pickle=False) as stored:
        following = np.exp(-NATS_PER_CODE * stored["alphanumeric"].astype(np.float64))
    begin = np.zeros(46)
    begin[45] = 1.0
    return AlphanumericModel(following / following.sum(axis=1, keepdims=True), begin)


@lru_cache(maxsize=2)
def double_byte_model(mode: str) -> Floats:
    """`(8192,)` probability of each value of 13 bits in `kanji` or `hanzi` mode; 0 if it is no character."""
    chances = np.zeros(8192)
    codes = np.array([_code(value, mode) for value in range(8192)])
    for first, last, share in _CLASSES[mode]:
        members = (codes >= first) & (codes <= last)
        chances[members] += share / members.sum()
    return chances


def _code(value: int, mode: str) -> int:
    """The two bytes of the character as a number; -1 if there is none."""
    reader = BitReader((value << 3).to_bytes(2))
    try:
        return int.from_bytes(characters(reader, "kanji" if mode == "kanji" else "hanzi", 1))
    except BitStreamError:
        return -1
