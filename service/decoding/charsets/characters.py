"""How likely are the characters of a text in an East Asian script?"""

from collections.abc import Callable
from functools import partial
from math import log
from typing import Final

from service.decoding.charsets.alphabets import FLOOR
from service.decoding.charsets.ideographs import (
    HALF_WIDTH,
    HANGUL,
    KANJI,
    SIMPLIFIED,
    TRADITIONAL,
    VOICED,
)

_PUNCTUATION: Final = frozenset(
    "、。，．：；？！・「」『』（）()【】《》“”‘’…—～〜〒々ー％＆＃＠＋－−＝／￥＄℃※○●◎★☆□■△▲→←↑↓·〈〉　×°±"
)
_VOICING: Final = "ﾞﾟ"
_BEGIN_HALF_WIDTH: Final = log(0.1)
_BETWEEN: Final = -6.0
"""Of a character that stands between two letters of a to z, one of them small: parts of a Latin word."""
_BESIDE_SMALL: Final = -2.5
"""Of one that has a small letter on one side."""
_BESIDE_CAPITAL: Final = -0.7
_LONE_HALF_WIDTH: Final = -4.0
"""Of a half-width letter without another beside it."""


def asian(text: str, language: str) -> float:
    """Natural logarithm of the probability of what is beyond ASCII, in `japanese`, `simplified`, `traditional` or
    `korean`."""
    share = _SHARES[language]
    total = 0.0
    for at, character in enumerate(text):
        if character <= "\x7f":
            continue
        before, behind = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
        if "｡" <= character <= "ﾟ":
            total += _half_width(character, before)
            if not ("｡" <= before <= "ﾟ" or "｡" <= behind <= "ﾟ"):
                total += _LONE_HALF_WIDTH
        else:
            total += share(character)
        total += _beside(before, behind)
    return total


def _beside(before: str, behind: str) -> float:
    beside = [one for one in (before, behind) if one.isascii() and one.isalpha()]
    small = [one for one in beside if one.islower()]
    if len(beside) == 2 and small:
        return _BETWEEN
    return _BESIDE_SMALL if small else _BESIDE_CAPITAL * len(beside)


def _half_width(character: str, before: str) -> float:
    inside = "｡" <= before <= "ﾟ"
    begin = 0.0 if inside else _BEGIN_HALF_WIDTH
    if character in _VOICING:
        return begin + (log(0.25) if before in VOICED and before else -8.0)
    if character in "｡｢｣､･":
        return begin + log(0.01)
    rank = HALF_WIDTH.find(character)
    if not inside and character in "ｧｨｩｪｫｬｭｮｯｰ":
        begin -= 4.0
    return begin + log(0.05) - rank / 14.0


def _of_class(number: float, members: int) -> float:
    return log(number / members)


def _japanese(character: str) -> float:
    code = ord(character)
    if 0x3041 <= code <= 0x3096:
        return _of_class(0.25, 80)
    if 0x30A1 <= code <= 0x30FC:
        return _of_class(0.2, 84)
    if character in _PUNCTUATION:
        return _of_class(0.05, 40)
    if 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF:
        if character in KANJI:
            return _of_class(0.35, len(KANJI))
        level = _row(character, "shift_jis")
        if level < 0x989F:
            return _of_class(0.08, 2965 - len(KANJI))
        # The second level, and what CP932 adds: forms of names.
        return _of_class(0.006, 3390) if level < 0xF000 else _of_class(0.004, 388)
    if 0xFF10 <= code <= 0xFF5A:
        return _of_class(0.06, 62)
    if 0x2460 <= code <= 0x2473 or character in "㈱㈲№℡㎏㎜㎝㎡㍑㌔㍉㌢㌘ⅠⅡⅢⅣⅤ〃㊤㊥㊦":
        return _of_class(0.02, 45)
    return _rest(character)


def _chinese(character: str, common: frozenset[str], other: Callable[[str], float]) -> float:
    if character in common:
        return _of_class(0.72, len(common))
    if character in _PUNCTUATION:
        return _of_class(0.05, 40)
    if 0xFF10 <= ord(character) <= 0xFF5A:
        return _of_class(0.02, 62)
    if 0x4E00 <= ord(character) <= 0x9FFF:
        return other(character)
    return _rest(character)


def _other_simplified(character: str) -> float:
    place = _row(character, "gb18030")
    if place and place & 0xFF >= 0xA1 and 0xB0A1 <= place < 0xD800:
        return _of_class(0.18, 3755 - len(SIMPLIFIED))
    if place and place & 0xFF >= 0xA1 and 0xD8A1 <= place < 0xF800:
        return _of_class(0.02, 3008)
    # GBK beyond GB 2312: traditional characters, and rare ones of names.
    if character in TRADITIONAL:
        return _of_class(0.012, len(TRADITIONAL))
    return _of_class(0.01, 14000) if place < 0x10000 else FLOOR


def _other_traditional(character: str) -> float:
    place = _row(character, "big5")
    if 0xA440 <= place < 0xC680:
        return _of_class(0.17, 5401 - len(TRADITIONAL))
    return _of_class(0.01, 7652)


def _korean(character: str) -> float:
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        if character in HANGUL:
            return _of_class(0.88, len(HANGUL))
        return _of_class(0.06, 2350 - len(HANGUL)) if _row(character, "euc_kr") else _of_class(0.002, 8822)
    if character in _PUNCTUATION:
        return _of_class(0.02, 40)
    if 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF:
        return _of_class(0.01, 4888)
    if 0xFF10 <= code <= 0xFF5A:
        return _of_class(0.01, 62)
    return _rest(character)


def _rest(character: str) -> float:
    """Signs, boxes, other alphabets: the standards have them all, and nobody writes them."""
    return _of_class(0.003, 700) if ord(character) < 0xE000 else FLOOR


def _row(character: str, codec: str) -> int:
    """The character's code in an encoding as a number; 0 where it has none of two bytes."""
    try:
        return int.from_bytes(character.encode(codec))
    except UnicodeEncodeError:
        return 0xFFFF if codec == "shift_jis" else 0


_SHARES: Final[dict[str, Callable[[str], float]]] = {
    "japanese": _japanese,
    "simplified": partial(_chinese, common=SIMPLIFIED, other=_other_simplified),
    "traditional": partial(_chinese, common=TRADITIONAL, other=_other_traditional),
    "korean": _korean,
}
