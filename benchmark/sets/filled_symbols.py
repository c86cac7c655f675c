"""QR symbols that are full of random text."""

import numpy as np
import segno
from numpy.typing import NDArray

from service.decoding.soft import codewords
from service.decoding.soft.codewords import Level

_ALPHABET = np.frombuffer(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#", dtype=np.uint8
)


def filled_symbol(
    version: int, level: Level, rng: np.random.Generator, filled: float = 0.9, mask: int | None = None
) -> tuple[NDArray[np.bool_], bytes]:
    """Modules and payload of a symbol filled to this share; the rest is padding.

    Without a `mask` segno searches the best one, which takes most of its time.
    """
    size = int(filled * codewords.block_structure(version, level).data_codewords) - 3
    payload = rng.choice(_ALPHABET, max(size, 1)).tobytes()
    code = segno.make(
        payload, version=version, error=level.lower(), mode="byte", mask=mask, boost_error=False, micro=False
    )
    return np.array([list(row) for row in code.matrix], dtype=bool), payload
