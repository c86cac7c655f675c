"""How likely are the words of a text in an alphabet? Letters by their shares, capitals and neighbours by habit."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from math import exp, log
from typing import Final

from service.decoding.charsets.alphabets import FLOOR, LATIN, SCRIPTS, SIGNS

_WORD: Final = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]|[^\W\d_])*")
_CAPITALISED: Final = -1.2
_CAPITALS: Final = -2.2
_CAPITAL_INSIDE: Final = -5.0
"""Of every capital behind a small letter."""
_SMALL_BEHIND_CAPITALS: Final = -2.5
"""As in an abbreviation with an ending."""
_MIXED: Final = -5.0
"""Of every place where a letter of another script stands against one of a to z."""
_LONE: Final = -2.5
"""Of a word of one letter."""
_PAIR: Final = -1.0
"""Of one of two."""
_BEGINS_WITH_MARK: Final = -8.0
"""Of a word whose first character is written above or below another."""
_MARKS: Final = frozenset(map(chr, [0xE31, *range(0xE34, 0xE3B), *range(0xE47, 0xE4F)]))
"""Of Thai: vowels and tones above and below."""
_SIGN_INSIDE_WORD: Final = -4.0
_SIGNS_IN_WORDS: Final = frozenset("’‘´ªº\u00a0")


def latin(text: str, languages: tuple[str, ...]) -> float:
    """Natural logarithm of the probability of what is beyond ASCII in a text of one of some languages of `LATIN`."""
    letters = [character for character in text if character > "\x7f" and _is_letter(character)]
    others = _signs(text)
    if not letters:
        return others
    shares = [sum(_latin_share(letter, LATIN[name]) for letter in letters) for name in languages]
    best = max(shares)
    evidence = best + log(sum(exp(one - best) for one in shares) / len(shares))
    return evidence + others + sum(_case(word) + _lone(word) for word in _beyond_ascii(text))


def script(text: str, name: str) -> float:
    """The same of a text whose words are in another script, one of `SCRIPTS`."""
    tables = SCRIPTS[name]
    letters = [character for character in text if character > "\x7f" and not _is_sign(character)]
    folded = [character.lower() for character in letters]
    if not letters:
        return _signs(text)
    best = max(sum(table.get(letter, FLOOR) for letter in folded) for table in tables)
    words = sum(_case(word) + _lone(word) + _mixture(word) for word in _beyond_ascii(text))
    words += _BEGINS_WITH_MARK * sum(
        two in _MARKS and not _is_letter(one) for one, two in pairwise(" " + text)
    )
    return best + words + _signs(text)


def _latin_share(letter: str, shares: Mapping[str, float]) -> float:
    if letter in shares:
        return shares[letter]
    return shares.get(letter.lower(), FLOOR)


def _is_sign(character: str) -> bool:
    return character in SIGNS and character not in "ªº"


@lru_cache(maxsize=1024)
def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _signs(text: str) -> float:
    """Of what is neither a letter nor ASCII."""
    total = 0.0
    for at, character in enumerate(text):
        if character <= "\x7f" or (_is_letter(character) and character not in SIGNS):
            continue
        if character in "ªº":
            continue
        total += SIGNS.get(character, FLOOR)
        around = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
        if len(around) == 2 and around.isalpha() and character not in _SIGNS_IN_WORDS:
            total += _SIGN_INSIDE_WORD
    return total


def _beyond_ascii(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if not word.isascii()]


def _case(word: str) -> float:
    if word.islower() or word == word.lower():
        return 0.0
    if word[0].isupper() and word[1:] == word[1:].lower():
        return _CAPITALISED
    if word.isupper():
        return _CAPITALS
    inside = sum(one.islower() and two.isupper() for one, two in pairwise(word))
    return _CAPITALS + inside * _CAPITAL_INSIDE + (not inside) * _SMALL_BEHIND_CAPITALS


def _lone(word: str) -> float:
    return (0.0, _LONE, _PAIR)[len(word)] if len(word) < 3 else 0.0


def _mixture(word: str) -> float:
    return _MIXED * sum(one.isascii() != two.isascii() for one, two in pairwise(word))
