"""The likeliest encoding of bytes that do not say it, where one is likely enough.

Every candidate turns the bytes into text. By Bayes' rule the probability of a text is in proportion to the prior of
the encodings that give it, times the probability that somebody wrote these characters (`words`, `characters`).
Binary data, of which all bytes are equally likely, is one of the candidates.
"""

import re
from dataclasses import dataclass
from math import exp, log
from typing import Final

from chardetng_py import EncodingDetector

from service.decoding.charsets.alphabets import LATIN_GROUPS
from service.decoding.charsets.characters import asian
from service.decoding.charsets.words import latin, script

CONVINCING: Final = 0.6
"""Least posterior probability of a text that is returned."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    codec: str
    """Python's name of the superset that is in use."""
    names: tuple[str, ...]
    """Its subsets, the narrowest first: the first that gives the same text is named."""
    language: str
    prior: float
    """Share of the symbols that hold bytes beyond ASCII, other than UTF-8, and do not name their encoding."""


_CANDIDATES: Final = (
    _Candidate("cp932", ("shift_jis",), "japanese", 0.2),
    _Candidate("gb18030", ("gb2312", "gbk"), "simplified", 0.15),
    _Candidate("big5hkscs", ("big5", "cp950"), "traditional", 0.05),
    _Candidate("cp949", ("euc_kr",), "korean", 0.06),
    _Candidate("cp1252", ("iso8859-1",), "western", 0.38),
    _Candidate("iso8859-15", (), "western", 0.003),
    _Candidate("cp1250", ("iso8859-2",), "central", 0.03),
    _Candidate("iso8859-2", (), "central", 0.01),
    _Candidate("cp1254", ("iso8859-9",), "turkish", 0.015),
    _Candidate("cp1257", (), "baltic", 0.005),
    _Candidate("cp1251", (), "cyrillic", 0.05),
    _Candidate("koi8_r", (), "cyrillic", 0.01),
    _Candidate("iso8859-5", (), "cyrillic", 0.005),
    _Candidate("cp1253", ("iso8859-7",), "greek", 0.015),
    _Candidate("cp1255", ("iso8859-8",), "hebrew", 0.015),
    _Candidate("cp1256", (), "arabic", 0.015),
    _Candidate("iso8859-6", (), "arabic", 0.003),
    _Candidate("cp874", ("iso8859-11",), "thai", 0.02),
)
_SECOND_OPINION: Final = 4.0
"""Nats for the text that chardetng, the detector of Firefox, takes for the likeliest. It knows which letters stand side
side, which the tables here do not. That counts in Latin letters; the tables are right more often in other scripts."""
_BINARY: Final = 0.02
"""Prior of binary data."""
_NO_TEXT: Final = re.compile("[\x7f-\x9f\ue000-\uf8ff]")
_ASCII: Final = (
    (re.compile(rb"[A-Za-z0-9 ]"), log(0.88 / 63)),
    (re.compile(rb"[-.,:;/=@_&?#+()'\"%*|\r\n]"), log(0.11 / 21)),
    (re.compile(rb"[!$<>\[\]{}^`~\\\t\x1c-\x1f]"), log(0.0095 / 17)),
    (re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1b\x7f]"), log(0.0005 / 28)),
)
"""Log-probability of each character of ASCII in text, beside 1 / 256 in binary data: letters and digits, the signs of
addresses and numbers, other signs, controls."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A text and how likely it is."""

    text: str
    codec: str
    """Python's name."""
    probability: float


def guess(payload: bytes) -> Guess | None:
    """The text that the bytes most probably are, None where nothing is convincing or they are binary data.

    Args:
        payload: bytes with some beyond ASCII.
    """
    if len(payload) == 1:
        return None
    common = sum(len(members.findall(payload)) * share for members, share in _ASCII)
    binary = log(_BINARY) - len(payload) * log(256) - common
    second = _second_opinion(payload)
    found: dict[str, tuple[float, str]] = {}
    for candidate in _CANDIDATES:
        text = decoded(payload, candidate.codec)
        if text is None:
            continue
        evidence = log(candidate.prior) + _evidence(text, candidate.language)
        if text == second and candidate.language in LATIN_GROUPS:
            evidence += _SECOND_OPINION
        if text not in found or evidence > found[text][0]:
            # The first that gives a text names it: the others are its kin.
            codec = (
                found[text][1]
                if text in found
                else narrowest(payload, text, *candidate.names, candidate.codec)
            )
            found[text] = (evidence, codec)
    if not found:
        return None
    text, (evidence, codec) = max(found.items(), key=lambda item: item[1][0])
    others = [one for one, _ in found.values()]
    probability = 1 / sum(exp(min(one - evidence, 500)) for one in [*others, binary])
    return Guess(text, codec, probability) if probability >= CONVINCING else None


def decoded(payload: bytes, codec: str) -> str | None:
    """The text in one encoding; None where it is none, or holds controls beyond ASCII's or private characters."""
    try:
        text = payload.decode(codec)
    except UnicodeDecodeError:
        return None
    return None if _NO_TEXT.search(text) else text


def narrowest(payload: bytes, text: str, *codecs: str) -> str:
    """The first of some encodings that gives this text; the last one does."""
    return next((codec for codec in codecs[:-1] if decoded(payload, codec) == text), codecs[-1])


def _evidence(text: str, language: str) -> float:
    if language in LATIN_GROUPS:
        return latin(text, LATIN_GROUPS[language])
    if language in ("japanese", "simplified", "traditional", "korean"):
        return asian(text, language)
    return script(text, language)


def _second_opinion(payload: bytes) -> str | None:
    detector = EncodingDetector()
    detector.feed(payload, last=True)
    try:
        return payload.decode(detector.guess(tld=None, allow_utf8=False))
    except (LookupError, UnicodeDecodeError):
        return None
