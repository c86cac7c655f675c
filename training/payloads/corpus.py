"""Payloads drawn from all grammars, with shares like those of symbols in use."""

import random
from collections.abc import Callable, Iterator
from typing import Final

from training.payloads import formats, languages, prose, words
from training.payloads.tokens import company, digits, word
from training.payloads.urls import url

Draw = Callable[[random.Random], str]


def english(rng: random.Random) -> str:
    """A few running words of English prose."""
    text = languages.SENTENCES["en"] if rng.random() < 0.3 else rng.choice(prose.sentences())
    return _excerpt(rng, text)


def foreign(rng: random.Random) -> str:
    """A few running words of any other language."""
    return _excerpt(rng, languages.SENTENCES[rng.choice(list(languages.SENTENCES))])


def phrase(rng: random.Random) -> str:
    """Words without a grammar: titles, labels, names of products and places."""
    count = rng.randint(1, 8)
    drawn = [rng.choice(words.PLACES) if rng.random() < 0.08 else word(rng) for _ in range(count)]
    form = rng.random()
    if form < 0.3:
        drawn = [one.capitalize() for one in drawn]
    elif form < 0.45:
        drawn = [one.upper() for one in drawn]
    elif form < 0.7:
        drawn[0] = drawn[0].capitalize()
    text = " ".join(drawn)
    if rng.random() < 0.2:
        text += " " + digits(rng, 1, 4)
    return company(rng) if rng.random() < 0.1 else text + rng.choice(["", "", ".", "!", "?"])


def scripts(rng: random.Random) -> str:
    """Characters at random from one block of Unicode."""
    first, last = rng.choice(languages.BLOCKS)
    return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(2, 12)))


KINDS: Final[dict[str, tuple[float, Draw]]] = {
    "url": (46.0, url),
    "english": (9.0, english),
    "foreign": (9.0, foreign),
    "phrase": (5.0, phrase),
    "scripts": (2.0, scripts),
    "wifi": (3.0, formats.wifi),
    "vcard": (5.0, formats.vcard),
    "mecard": (2.0, formats.mecard),
    "bookmark": (1.0, formats.bookmark),
    "message": (3.0, formats.message),
    "event": (1.0, formats.event),
    "one-time password": (1.0, formats.one_time_password),
    "cryptocurrency": (1.5, formats.cryptocurrency),
    "emv": (2.0, formats.emv),
    "sepa": (1.5, formats.sepa),
    "swiss": (1.0, formats.swiss),
    "gs1": (1.0, formats.gs1),
    "structured": (2.0, formats.structured),
    "code": (5.0, formats.code),
}
"""Relative share, and grammar."""


def payloads(seed: int, count: int) -> Iterator[bytes]:
    """`count` payloads; another seed draws others."""
    rng = random.Random(seed)
    names = list(KINDS)
    weights = [KINDS[name][0] for name in names]
    for _ in range(count):
        text = KINDS[rng.choices(names, weights)[0]][1](rng)
        yield _encoded(rng, text)


def _encoded(rng: random.Random, text: str) -> bytes:
    """The text, mostly as UTF-8, otherwise in the former encoding of its language."""
    if text.isascii() or rng.random() < 0.75:
        return text.encode()
    for encoding in ("iso8859-1", "iso8859-2", "cp1251", "shift_jis", "gb2312", "big5", "euc_kr"):
        try:
            return text.encode(encoding)
        except UnicodeEncodeError:
            continue
    return text.encode()


def _excerpt(rng: random.Random, text: str) -> str:
    running = " ".join(text.split())
    size = rng.randint(8, 120)
    start = rng.randrange(max(len(running) - size, 1))
    # Most begin at the start of a word.
    if rng.random() < 0.85 and " " in running[:start]:
        start = running.rindex(" ", 0, start) + 1
    piece = running[start : start + size]
    return piece.upper() if rng.random() < 0.05 else piece
