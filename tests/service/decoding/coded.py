"""Symbols with any segments whatever: the bits are written here, all else is segno's."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Its inner parts have no types.
encoder: Any = importlib.import_module("segno.encoder")
consts: Any = importlib.import_module("segno.consts")

MODES = {"numeric": 1, "alphanumeric": 2, "byte": 4, "kanji": 8, "hanzi": 13}
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_COUNTS = {"numeric": (10, 12, 14), "alphanumeric": (9, 11, 13), "byte": (8, 16, 16), "kanji": (8, 10, 12)}


@dataclass(frozen=True)
class Part:
    """A segment: its mode, the bytes it stands for, and an ECI designator before it."""

    mode: str
    data: bytes
    eci: int | None = None


@dataclass(frozen=True)
class Head:
    """What may stand before the first segment."""

    sequence: tuple[int, int, int] | None = None
    """Index, total and parity of structured append."""
    fnc1: int | None = None
    """1 for first position, 2 for second."""
    application: int | None = None


def matrix(
    parts: Sequence[Part],
    head: Head | None = None,
    *,
    error: str = "L",
    mask: int | None = None,
    least: int = 1,
) -> NDArray[np.uint8]:
    """`(n, n)`, 1 for dark, of the smallest version from `least` on that holds the parts."""
    level = {
        "L": consts.ERROR_LEVEL_L,
        "M": consts.ERROR_LEVEL_M,
        "Q": consts.ERROR_LEVEL_Q,
        "H": consts.ERROR_LEVEL_H,
    }
    for version in range(least, 41):
        bits = _bits(parts, head or Head(), version)
        if len(bits) <= consts.SYMBOL_CAPACITY[version][level[error]]:
            return _drawn(bits, version, level[error], mask)
    raise ValueError("too much for any version")


def _drawn(bits: str, version: int, error: int, mask: int | None) -> NDArray[np.uint8]:
    buff = encoder.Buffer()
    buff.append_bits(int("1" + bits, 2), len(bits) + 1)
    buff._data = buff._data[1:]
    capacity = consts.SYMBOL_CAPACITY[version][error]
    encoder.write_terminator(buff, capacity, None, len(buff))
    encoder.write_padding_bits(buff, version, len(buff))
    encoder.write_pad_codewords(buff, version, capacity, len(buff))
    final = encoder.make_final_message(version, error, buff)
    side = encoder.calc_matrix_size(version)
    drawn = encoder.make_matrix(side, side)
    encoder.add_finder_patterns(drawn, side, side)
    encoder.add_alignment_patterns(drawn, side, side)
    encoder.add_codewords(drawn, final, version)
    mask, drawn = encoder.find_and_apply_best_mask(drawn, side, side, mask)
    encoder.add_format_info(drawn, version, error, mask)
    encoder.add_version_info(drawn, version)
    return np.array([list(row) for row in drawn], np.uint8)


def _bits(parts: Sequence[Part], head: Head, version: int) -> str:
    size = (version > 9) + (version > 26)
    bits = ""
    if head.sequence is not None:
        index, total, parity = head.sequence
        bits += f"0011{index:04b}{total - 1:04b}{parity:08b}"
    if head.fnc1 is not None:
        bits += {1: "0101", 2: "1001"}[head.fnc1]
        bits += "" if head.application is None else f"{head.application:08b}"
    for part in parts:
        if part.eci is not None:
            bits += "0111" + _eci(part.eci)
        bits += _part(part, size)
    return bits


def _eci(number: int) -> str:
    if number < 128:
        return f"0{number:07b}"
    return f"10{number:014b}" if number < 16384 else f"110{number:021b}"


def _part(part: Part, size: int) -> str:
    data, mode = part.data, part.mode
    if mode == "hanzi":
        counted = f"{MODES[mode]:04b}0001{len(data) // 2:0{_COUNTS['kanji'][size]}b}"
        return counted + "".join(_double(data[at : at + 2], mode) for at in range(0, len(data), 2))
    length = len(data) // 2 if mode == "kanji" else len(data)
    bits = f"{MODES[mode]:04b}{length:0{_COUNTS[mode][size]}b}"
    if mode == "byte":
        return bits + "".join(f"{byte:08b}" for byte in data)
    if mode == "kanji":
        return bits + "".join(_double(data[at : at + 2], mode) for at in range(0, len(data), 2))
    text = data.decode("ascii")
    if mode == "numeric":
        groups = [text[at : at + 3] for at in range(0, len(text), 3)]
        return bits + "".join(f"{int(group):0{3 * len(group) + 1}b}" for group in groups)
    pairs = [text[at : at + 2] for at in range(0, len(text), 2)]
    return bits + "".join(
        f"{_LETTERS.index(pair[0]) * 45 + _LETTERS.index(pair[1]):011b}"
        if len(pair) == 2
        else f"{_LETTERS.index(pair):06b}"
        for pair in pairs
    )


def _double(pair: bytes, mode: str) -> str:
    code = int.from_bytes(pair)
    if mode == "kanji":
        code -= 0x8140 if code <= 0x9FFC else 0xC140
        return f"{(code >> 8) * 0xC0 + (code & 0xFF):013b}"
    code -= 0xA1A1 if code <= 0xAAFE else 0xA6A1
    return f"{(code >> 8) * 0x60 + (code & 0xFF):013b}"
