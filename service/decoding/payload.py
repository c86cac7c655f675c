"""From a symbol's bytes to text: what encoding they are in, as far as that can be known.

A QR Code in byte mode without an ECI designator (ISO/IEC 18004, 7.4.5) means ISO/IEC 8859-1 on paper and
UTF-8, Shift_JIS or GB2312 in practice. The bytes are the truth; the text is an interpretation that always
turns back into exactly those bytes: `text.encode(encoding) == payload`.
"""

import re
from collections.abc import Sequence

from service.decoding.eci import ECI_CODECS

# Controls that text payloads do carry: white space, and the separators of GS1 and ISO/IEC 15434.
_TEXT_CONTROLS = frozenset("\t\n\r\x1c\x1d\x1e\x1f\x04")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_WESTERN_PAIR = re.compile(rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff]{2}")


def interpret(payload: bytes, eci: Sequence[int] = ()) -> tuple[str | None, str | None]:
    """Text and Python codec name of a payload, or `(None, None)` for binary.

    Args:
        payload: the symbol's bytes, complete.
        eci: the ECI designators the reader saw, in order. With none the encoding is guessed, with one it is
            that one's and no other, with several the bytes are of mixed encodings and stay binary.
    """
    if len(set(eci)) > 1:
        return None, None
    if eci:
        codecs: tuple[str, ...] = (ECI_CODECS[eci[0]],) if eci[0] in ECI_CODECS else ()
    else:
        codecs = _candidates(payload)
    for codec in codecs:
        text = _decode(payload, codec)
        if text is not None:
            return text, codec
    return None, None


def _candidates(payload: bytes) -> tuple[str, ...]:
    """Codecs worth trying on bytes without ECI, likeliest first."""
    if _is_utf_8(payload):
        # Other encodings hardly ever look like it by accident.
        return ("utf-8",)
    runs = _HIGH_RUN.findall(payload)
    if any(0x80 <= byte <= 0x9F for byte in payload):
        # Lead bytes of most kanji, unassigned in ISO 8859-1 and never second bytes of GB2312.
        return ("shift_jis", "gb18030")
    if all(_WESTERN_PAIR.fullmatch(run) for run in runs) and _touch_letters(payload):
        return ("iso8859-1",)
    if all(len(run) % 2 == 0 for run in runs):
        # Both bytes of a GB2312 character are high, so its runs are even; half-width katakana, which
        # Shift_JIS has in the same place, are far rarer in symbols.
        return ("gb2312", "iso8859-1")
    return ("iso8859-1",)


def _is_utf_8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _touch_letters(payload: bytes) -> bool:
    """Whether every run of high bytes stands against an ASCII lower-case letter, as accents in a word do."""
    return all(
        payload[max(run.start() - 1, 0) : run.start()].islower()
        or payload[run.end() : run.end() + 1].islower()
        for run in _HIGH_RUN.finditer(payload)
    )


def _decode(payload: bytes, codec: str) -> str | None:
    try:
        text = payload.decode(codec)
        lossless = text.encode(codec) == payload
    except UnicodeError:
        return None
    return text if lossless and not any(map(_is_control, text)) else None


def _is_control(character: str) -> bool:
    code = ord(character)
    return (code < 0x20 and character not in _TEXT_CONTROLS) or 0x7F <= code <= 0x9F
