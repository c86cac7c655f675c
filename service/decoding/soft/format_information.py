"""Format and version information by maximum likelihood over all their code words.

Clauses: ISO/IEC 18004:2015. Both are short codes, so every code word is tried. The correlation of a code word with the
log-likelihood ratios of the bits, both copies added, is its log-likelihood up to a constant. This is cheap enough to
judge hypotheses about orientation, mirroring or version.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import Level

# Table 12: the error correction level's two bits.
_LEVEL_OF_INDICATOR: tuple[Level, Level, Level, Level] = ("M", "L", "H", "Q")


@dataclass(frozen=True, slots=True)
class FormatHypothesis:
    """One format information word and how well the soft bits agree with it."""

    level: Level
    mask: int
    """Data mask pattern, 0 to 7."""
    log_likelihood: float
    """Nats, log P(soft bits | this word) - log P(soft bits | bits by chance); 0 means no better than chance."""
    margin: float
    """Nats by which it is likelier than the best other word; negative but for the likeliest."""
    contradicted: int
    """Modules of both copies whose hard decision differs from the word."""


@dataclass(frozen=True, slots=True)
class VersionHypothesis:
    """One version information word and how well the soft bits agree with it."""

    version: int
    log_likelihood: float
    """Nats, as in `FormatHypothesis`."""
    margin: float
    """Nats by which it is likelier than the best other word; negative but for the likeliest."""


def format_hypotheses(llr: NDArray[np.float32]) -> list[FormatHypothesis]:
    """All 32 words (clause 7.9, Annex C), likeliest first. `llr`: `(n, n)`, positive for dark.

    Raises ValueError when n is no QR symbol's side.
    """
    positions = layout.format_positions(layout.version_of_size(len(llr)))
    copies, words = llr[positions[..., 0], positions[..., 1]], _format_words()
    scores, margins = _scored(copies, words)
    contradicted = ((copies > 0)[None] != (words > 0)[:, None, :]).sum(axis=(1, 2))
    return [
        FormatHypothesis(
            _LEVEL_OF_INDICATOR[word >> 3],
            word & 7,
            float(scores[word]),
            float(margins[word]),
            int(contradicted[word]),
        )
        for word in np.argsort(-scores, kind="stable").tolist()
    ]


def version_hypotheses(llr: NDArray[np.float32]) -> list[VersionHypothesis]:
    """All 34 words (clause 7.10, Annex D), likeliest first. `llr`: `(n, n)`, positive for dark.

    Reads the places where a symbol of n modules has its version information, so that the caller can compare it with
    the version of the grid. Empty below version 7. Raises ValueError if n is no QR symbol's side.
    """
    version = layout.version_of_size(len(llr))
    first = layout.FIRST_VERSION_WITH_INFORMATION
    if version < first:
        return []
    positions = layout.version_positions(version)
    scores, margins = _scored(llr[positions[..., 0], positions[..., 1]], _version_words())
    return [
        VersionHypothesis(first + word, float(scores[word]), float(margins[word]))
        for word in np.argsort(-scores, kind="stable").tolist()
    ]


def _scored(
    copies: NDArray[np.float32], words: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-likelihoods and margins `(words,)` of words `(words, bits)` of ±1, from `(2, bits)` soft bits."""
    soft = copies.astype(np.float64)
    # log P(bit) = -log(1 + exp(-s l)) with s = ±1, and log 1/2 by chance.
    constant = np.sum(np.log(2.0) - np.logaddexp(soft / 2, -soft / 2))
    scores = words @ soft.sum(axis=0) / 2 + constant
    second, best = np.sort(scores)[-2:]
    return scores, np.where(scores == best, scores - second, scores - best)


@lru_cache(maxsize=1)
def _format_words() -> NDArray[np.float64]:
    words = [layout.word_bits(layout.format_word(word), layout.FORMAT_BITS) for word in range(32)]
    return np.where(np.array(words), 1.0, -1.0)


@lru_cache(maxsize=1)
def _version_words() -> NDArray[np.float64]:
    versions = range(layout.FIRST_VERSION_WITH_INFORMATION, 41)
    words = [layout.word_bits(layout.version_word(version), layout.VERSION_BITS) for version in versions]
    return np.where(np.array(words), 1.0, -1.0)
