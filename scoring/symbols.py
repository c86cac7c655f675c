"""QR symbols of the benchmark: payloads that training never draws, encoded by segno."""

from dataclasses import dataclass

import numpy as np
import segno
from numpy.typing import NDArray
from segno import consts

LEVELS = "LMQH"
_URL = "https://qrb.example/"
_URL_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_/?=&."
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_KINDS = ("url", "alphanumeric", "numeric")
_KIND_SHARES = (0.6, 0.2, 0.2)
_BITS_PER_CHARACTER = {"url": 8.0, "alphanumeric": 5.5, "numeric": 10 / 3}
_HEADER_BITS = 4 + 16
"""Mode indicator and the longest character count (ISO/IEC 18004:2015, 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol and its payload."""

    payload: bytes
    """ASCII, so that a reader's choice of character set does not matter."""
    modules: NDArray[np.uint8]
    """`(n, n)`, 1 for dark, without quiet zone."""
    version: int
    level: str

    @property
    def size(self) -> int:
        """Modules along a side."""
        return len(self.modules)


def draw_symbol(version: int, rng: np.random.Generator) -> Symbol:
    """A symbol of the given version: URL, alphanumeric or numeric, filled to two fifths or more, any level.

    Payloads begin with `https://qrb.example/` (`qb` if that does not fit), `QB-` or `0770`. Those of the training data
    never do, so no symbol is in both.
    """
    level = LEVELS[rng.integers(4)]
    kind = _KINDS[rng.choice(3, p=_KIND_SHARES)]
    bits = int(consts.SYMBOL_CAPACITY[version][consts.ERROR_MAPPING[level]])  # type: ignore[index]
    most = int((bits - _HEADER_BITS) / _BITS_PER_CHARACTER[kind])
    length = max(min(most, 5), int(most * rng.uniform(0.4, 1.0)))
    payload = _payload(kind, length, rng)
    # The mask is chosen by the rules of the standard, as in print.
    symbol = segno.make(payload, version=version, error=level, micro=False, boost_error=False)
    modules = np.array([list(row) for row in symbol.matrix], dtype=np.uint8)
    return Symbol(payload.encode("ascii"), modules, version, level)


def _payload(kind: str, length: int, rng: np.random.Generator) -> str:
    prefix, characters = {
        "url": (_URL if length >= len(_URL) + 4 else "qb", _URL_CHARACTERS),
        "alphanumeric": ("QB-", _ALPHANUMERIC),
        "numeric": ("0770", "0123456789"),
    }[kind]
    return (prefix + "".join(rng.choice(list(characters), max(0, length - len(prefix)))))[:length]
