"""Pad codewords: after the end of a message all codewords are known (ISO/IEC 18004:2015, clause 7.4.10)."""

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import bitstream
from service.decoding.soft.codewords import BlockStructure, Level, block_structure

LEAST_EVIDENCE = 30.0
"""Least log-likelihood ratio, in nats, of a padding against any other or none before it is used."""
_UNCERTAIN_PADS = 2
"""Codewords at the beginning of a supposed run that are not used, because data may look like pads."""


def supposed_padding(start: int, version: int, level: Level) -> NDArray[np.int16]:
    """`(blocks, n)`: alternating pads from data codeword `start` on, except the first few; -1 elsewhere."""
    structure = block_structure(version, level)
    tail = np.resize(np.array(bitstream.PADS, dtype=np.int16), max(structure.data_codewords - start, 0))
    tail[:_UNCERTAIN_PADS] = -1
    return _in_blocks(tail, structure)


def possible_paddings(end: int, version: int, level: Level) -> list[NDArray[np.int16]]:
    """`(blocks, n)` each: codewords after a message of `end` bits, -1 elsewhere. Empty if the message fills all."""
    structure = block_structure(version, level)
    start, tails = bitstream.paddings(end, structure.data_codewords)
    if start == structure.data_codewords:
        return []
    return [_in_blocks(np.frombuffer(tail, np.uint8).astype(np.int16), structure) for tail in tails]


def log_likelihood(values: NDArray[np.int16], llr: NDArray[np.float32]) -> float:
    """Log-likelihood ratio in nats of known codewords `(blocks, n)` against random ones, from soft bits
    `(blocks, n, 8)`."""
    given = values >= 0
    signs = 2.0 * np.unpackbits(values[given].astype(np.uint8)[:, None], axis=1) - 1
    return float((np.log(2) - np.logaddexp(0, -signs * llr[given])).sum())


def _in_blocks(tail: NDArray[np.int16], structure: BlockStructure) -> NDArray[np.int16]:
    """The last data codewords at their positions in the blocks, -1 elsewhere."""
    stream = np.full(structure.data_codewords, -1, dtype=np.int16)
    stream[len(stream) - len(tail) :] = tail
    values = np.full((structure.blocks, structure.length), -1, dtype=np.int16)
    begin = 0
    end = structure.length - structure.checks
    for block, length in enumerate(structure.data_lengths.tolist()):
        values[block, end - length : end] = stream[begin : begin + length]
        begin += length
    return values


def likely_pad_start(llr: NDArray[np.float32], version: int, level: Level) -> int | None:
    """Where padding begins according to the soft bits; None if the evidence is too weak.

    `llr` `(blocks, n, 8)`. Chooses the beginning that is likeliest against random data. It is for the
    search only: it is no evidence for a result. A result found with it must be accepted without it, or parse with it.
    """
    structure = block_structure(version, level)
    end = structure.length - structure.checks
    rows = [llr[block, end - length : end] for block, length in enumerate(structure.data_lengths.tolist())]
    stream = np.concatenate(rows)
    signs = 2.0 * np.unpackbits(np.array([bitstream.PADS], dtype=np.uint8).T, axis=1) - 1
    likelihood = (np.log(2) - np.logaddexp(0, -signs[None] * stream[:, None, :])).sum(axis=2)
    index = np.arange(len(stream))
    best, start = 0.0, len(stream)
    for parity in (0, 1):
        matching = likelihood[index, (index + parity) % 2]
        evidence = np.cumsum(matching[::-1])[::-1]
        evidence[index % 2 != parity] = -np.inf
        if len(evidence) and evidence.max() > best:
            best, start = float(evidence.max()), int(evidence.argmax())
    if best < LEAST_EVIDENCE or start + _UNCERTAIN_PADS >= len(stream):
        return None
    return start
