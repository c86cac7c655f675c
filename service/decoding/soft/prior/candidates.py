"""A list of candidates as whole messages of one symbol: each is scored by its likelihood."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.bitstream import paddings
from service.decoding.soft.characters import ALPHANUMERIC, DATA_MODES
from service.decoding.soft.prior.hints import encoded

Floats = NDArray[np.float64]

_FIRST_MODE: Final = 0.85
"""Share of the mode that encoders would choose, where there are two."""
_LED_BY_ZERO: Final = 0.12
"""Of the padding with a zero codeword before the pads (see `paddings`)."""
_AT_ONCE: Final = 20_000
_WITHOUT_WEIGHT: Final = 1e-6


class Candidates:
    """The data codewords of every candidate that fits a symbol, in every way that it may be written."""

    def __init__(self, candidates: "tuple[bytes, ...]", version: int, codewords: int) -> None:
        """`codewords`: of the symbol's data."""
        written: list[bytes] = []
        weights: list[float] = []
        for candidate in candidates:
            modes = encoded(candidate)
            for place, mode in enumerate(modes):
                share = (1 / len(candidates)) * (
                    1.0 if len(modes) == 1 else _FIRST_MODE if place == 0 else 1 - _FIRST_MODE
                )
                for data, part in _written(candidate, mode, version, codewords):
                    written.append(data)
                    weights.append(share * part)
        self._data = np.frombuffer(b"".join(written), np.uint8).reshape(len(written), codewords)
        self._log_weights = np.log(np.array(weights)) if weights else np.zeros(0)

    def __len__(self) -> int:
        return len(self._data)

    def log_evidence(self, evidence: Floats) -> float:
        """Logarithm of the sum of weight times evidence; `evidence` `(bits, 2)`."""
        return float(np.logaddexp.reduce(self._scores(evidence))) if len(self) else float("-inf")

    def add_marginals(self, evidence: Floats, log_total: float, present: Floats, ones: Floats) -> None:
        """Adds the posterior of the candidates' bits, of a total with the logarithm `log_total`."""
        if not len(self):
            return
        shares = np.exp(self._scores(evidence) - log_total)
        kept = np.flatnonzero(shares > _WITHOUT_WEIGHT)
        bits = np.unpackbits(self._data[kept], axis=1)
        present += shares[kept].sum()
        ones += shares[kept] @ bits

    def _scores(self, evidence: Floats) -> Floats:
        octets = evidence.reshape(-1, 8, 2)
        bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float64)
        table = octets[:, :, 0].sum(axis=1)[:, None] + (octets[:, :, 1] - octets[:, :, 0]) @ bits.T
        columns = np.arange(len(table))
        scores = [
            table[columns, self._data[start : start + _AT_ONCE]].sum(axis=1)
            for start in range(0, len(self._data), _AT_ONCE)
        ]
        return np.asarray(np.concatenate(scores) + self._log_weights)


def _written(candidate: bytes, mode: str, version: int, codewords: int) -> "list[tuple[bytes, float]]":
    """Data codewords and share of each way to fill up a symbol; none where it is too small."""
    indicator, widths = next((key, widths) for key, (name, widths) in DATA_MODES.items() if name == mode)
    width = widths[(version > 9) + (version > 26)]
    number, size = indicator << width | len(candidate), 4 + width
    if len(candidate) >> width:
        return []
    for value, bits in _groups(candidate, mode):
        number, size = number << bits | value, size + bits
    if size > 8 * codewords:
        return []
    start, tails = paddings(size, codewords)
    head = (number << (8 * start - size)).to_bytes(start) if 8 * start >= size else b""
    if len(tails) == 1:
        return [(head + tails[0], 1.0)]
    return [(head + tails[0], 1 - _LED_BY_ZERO), (head + tails[1], _LED_BY_ZERO)]


def _groups(candidate: bytes, mode: str) -> "list[tuple[int, int]]":
    """Values and their bits."""
    if mode == "numeric":
        parts = [candidate[at : at + 3] for at in range(0, len(candidate), 3)]
        return [(int(part), 3 * len(part) + 1) for part in parts]
    if mode == "alphanumeric":
        values = [ALPHANUMERIC.index(byte) for byte in candidate]
        pairs = [values[at : at + 2] for at in range(0, len(values), 2)]
        return [(45 * pair[0] + pair[1], 11) if len(pair) == 2 else (pair[0], 6) for pair in pairs]
    return [(int.from_bytes(candidate), 8 * len(candidate))]
