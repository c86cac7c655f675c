"""Reed–Solomon codes of QR symbols: many words at once, errors and erasures.

The field is GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11D) with the primitive element 2, the generator of a
code with p check codewords has the roots 2^0 ... 2^(p-1) (ISO/IEC 18004:2015, clause 7.5.2 and Annex A). A
word is `(n,)` uint8 with the coefficient of x^(n-1) first, so that a shorter word of the same code can start with
zeros.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Field:
    exp: Bytes
    """`(510,)`: powers of 2, twice, so that a sum of two logarithms needs no reduction."""
    log: NDArray[np.intp]
    """`(256,)`; log[0] is 0 and must not be used."""
    product: Bytes
    """`(256, 256)` multiplication table."""
    inverse: Bytes
    """`(256,)`; inverse[0] is 0."""


@lru_cache(maxsize=1)
def field() -> _Field:
    """Tables of the field, computed once."""
    exp = np.zeros(510, dtype=np.uint8)
    log = np.zeros(256, dtype=np.intp)
    value = 1
    for power in range(255):
        exp[power] = exp[power + 255] = value
        log[value] = power
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    product = exp[log[:, None] + log[None, :]]
    product[0, :] = product[:, 0] = 0
    inverse = exp[255 - log]
    inverse[0] = 0
    return _Field(exp, log, product, inverse)


@lru_cache(maxsize=16)
def check_matrix(length: int, checks: int) -> NDArray[np.float32]:
    """`(8 * length, 8 * checks)` of 0 and 1: the code's parity checks over bits, most significant bit first.

    A row of bits times this matrix, modulo 2, gives the bits of its syndromes. Multiplication by a constant
    of GF(256) is linear over GF(2), so all of it is one matrix product, which is faster with BLAS than with any
    table.
    """
    tables = field()
    powers = np.outer(np.arange(length - 1, -1, -1), np.arange(checks)) % 255
    bits = np.array([1 << bit for bit in range(7, -1, -1)], dtype=np.uint8)
    products = tables.product[bits[None, :, None], tables.exp[powers][:, None, :]]
    matrix = np.unpackbits(products.reshape(8 * length, checks), axis=1).astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def syndromes(words: Bytes, checks: int) -> Bytes:
    """`(count, checks)` syndromes of `(count, n)` words; all zero for a code word."""
    bits = np.unpackbits(words, axis=1).astype(np.float32)
    parities = (bits @ check_matrix(words.shape[1], checks)).astype(np.int32) & 1
    return np.packbits(parities.astype(np.uint8), axis=1)


def encode(data: Bytes, checks: int) -> Bytes:
    """`(count, k + checks)` code words of `(count, k)` data codewords (clause 7.5.2)."""
    product = field().product
    generator = _generator(checks)
    remainder = np.zeros((len(data), checks), dtype=np.uint8)
    for column in range(data.shape[1]):
        lead = data[:, column] ^ remainder[:, 0]
        remainder[:, :-1] = remainder[:, 1:]
        remainder[:, -1] = 0
        remainder ^= product[lead[:, None], generator[None, :]]
    return np.concatenate([data, remainder], axis=1)


def correct(words: Bytes, erased: Flags, checks: int, found: Bytes | None = None) -> tuple[Bytes, Flags]:
    """Errors-and-erasures decoding of `(count, n)` words, `erased` the same shape; the words are independent.

    Returns the corrected words, and which of them could be corrected: exactly those within 2 * errors + erasures <=
    checks of a code word, which is then unique. Other words are returned unchanged. `found` are the syndromes of the
    words if known. Berlekamp–Massey, started with the erasure locator, Chien search, Forney's
    formula (Blahut, Algebraic Codes for Data Transmission, 2003, section 7.5); the result is verified by its
    syndromes.
    """
    tables = field()
    product = tables.product
    count, length = words.shape
    values = syndromes(words, checks) if found is None else found
    spent = erased.sum(axis=1)
    locator = _locators(values, _erasure_locators(erased, checks), spent)

    powers = np.arange(length - 1, -1, -1)
    # Position i is in error where the locator vanishes at 2^-(n-1-i).
    at = tables.exp[(-np.outer(np.arange(checks + 1), powers)) % 255]
    vanishes = _evaluated(locator, at) == 0
    degree = np.where(locator != 0, np.arange(checks + 1), 0).max(axis=1)
    plausible = (vanishes.sum(axis=1) == degree) & (2 * degree - spent <= checks)
    plausible &= spent <= checks

    evaluator = np.zeros((count, checks), dtype=np.uint8)
    for power in range(checks):
        evaluator[:, power:] ^= product[locator[:, power, None], values[:, : checks - power]]
    derivative = locator[:, 1:].copy()
    derivative[:, 1::2] = 0
    numerator = _evaluated(evaluator, at[:checks])
    denominator = _evaluated(derivative, at[:checks])
    magnitude = product[product[numerator, tables.inverse[denominator]], tables.exp[powers % 255][None, :]]
    corrected = words ^ np.where(vanishes & plausible[:, None], magnitude, 0).astype(np.uint8)
    right = plausible & ~syndromes(corrected, checks).any(axis=1)
    return np.where(right[:, None], corrected, words), right


def _erasure_locators(erased: Flags, checks: int) -> Bytes:
    """`(count, checks + 1)` polynomials, lowest power first, that vanish at erased positions' inverses."""
    tables = field()
    count, length = erased.shape
    locators = np.zeros((count, checks + 1), dtype=np.uint8)
    locators[:, 0] = 1
    most = min(int(erased.sum(axis=1).max(initial=0)), checks)
    places = np.argsort(~erased, axis=1, kind="stable")[:, :most]
    for column in range(most):
        place = places[:, column]
        used = erased[np.arange(count), place]
        factor = np.where(used, tables.exp[(length - 1 - place) % 255], 0).astype(np.uint8)
        locators[:, 1:] ^= tables.product[locators[:, :-1], factor[:, None]]
    return locators


def _locators(values: Bytes, erasures: Bytes, spent: NDArray[np.intp]) -> Bytes:
    """Berlekamp–Massey on all words at once; `(count, checks + 1)` error-and-erasure locators."""
    tables = field()
    product, inverse = tables.product, tables.inverse
    checks = values.shape[1]
    locator = erasures.copy()
    helper = erasures.copy()
    span = spent.copy()
    reversed_values = np.concatenate([values[:, ::-1], np.zeros_like(values)], axis=1)
    for step in range(1, checks + 1):
        active = step > spent
        if not active.any():
            continue
        window = reversed_values[:, checks - step : checks - step + checks + 1]
        discrepancy = np.bitwise_xor.reduce(product[locator[:, : window.shape[1]], window], axis=1)
        discrepancy[~active] = 0
        shifted = np.zeros_like(helper)
        shifted[:, 1:] = helper[:, :-1]
        updated = locator ^ product[discrepancy[:, None], shifted]
        longer = (discrepancy != 0) & (2 * span <= step + spent - 1)
        helper = np.where(
            longer[:, None],
            product[inverse[discrepancy][:, None], locator],
            np.where(active[:, None], shifted, helper),
        )
        span = np.where(longer, step + spent - span, span)
        locator = updated
    return locator


def _evaluated(polynomials: Bytes, at: Bytes) -> Bytes:
    """`(count, n)` values of `(count, terms)` polynomials; `at`: powers `(terms, n)` of the n points."""
    product = field().product
    values = np.zeros((len(polynomials), at.shape[1]), dtype=np.uint8)
    for term in range(polynomials.shape[1]):
        if polynomials[:, term].any():
            values ^= product[polynomials[:, term, None], at[term][None, :]]
    return values


@lru_cache(maxsize=16)
def _generator(checks: int) -> Bytes:
    """`(checks,)` coefficients of the generator polynomial after its leading 1 (Annex A)."""
    tables = field()
    polynomial = np.array([1], dtype=np.uint8)
    for power in range(checks):
        longer = np.append(polynomial, np.uint8(0))
        longer[1:] ^= tables.product[polynomial, tables.exp[power]]
        polynomial = longer
    return polynomial[1:]
