"""From a symbol's bytes to text: what each segment says of its encoding, and the likeliest where none says anything.

A QR Code in byte mode without an ECI designator (ISO/IEC 18004, 7.4.5) means ISO/IEC 8859-1 on paper, and UTF-8 or the
encoding of the writer's country in practice. The bytes are the truth, and the text is an interpretation of them:
`payload.decode(encoding) == text` where one encoding gave it all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from service.decoding.charsets import decoded, guess, narrowest
from service.decoding.eci import ECI_CODECS
from service.decoding.naming import named_encoding
from service.decoding.reading import Source
from service.decoding.soft.bitstream import Segment

ASCII: Final = "utf-8"
"""What plain ASCII is called. It is UTF-8 as well."""
MIXED: Final = "mixed"
"""What several encodings in one symbol are called."""

# What is in use under a name, and the names under which it gives the same text, the narrowest first (WHATWG's Encoding
# Standard takes the first four labels the same way).
_SUPERSETS: Final[dict[str, tuple[str, ...]]] = {
    "shift_jis": ("shift_jis", "cp932"),
    "gb2312": ("gb2312", "gbk", "gb18030"),
    "gbk": ("gbk", "gb18030"),
    "euc_kr": ("euc_kr", "cp949"),
    "big5": ("big5", "cp950", "big5hkscs"),
}
_WINDOWS_KIN: Final = {"iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874"}
"""What is meant where bytes stand in the place of an ISO encoding's C1 controls."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1b\x7f]")
"""Controls other than white space and the separators of GS1 and ISO/IEC 15434."""
_FRAMES: Final = "\x01\x02\x03\x04\x05\x06\x15\x17"
_C1: Final = re.compile("[\x80-\x9f]")
_UTF_16_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_8_CUT: Final = re.compile(
    rb"[\x80-\xbf]{0,3}"
    rb"((?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*)"
    rb"(?:[\xc2-\xf4]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2})?",
)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The text of a payload and where it comes from; all None for binary data and where nothing is convincing."""

    text: str | None = None
    encoding: str | None = None
    """Python codec name, or `mixed`."""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """Segments side by side whose bytes are in one encoding."""

    data: bytes
    codec: str | None
    """What the symbol declares; None where it declares nothing."""


def interpret(segments: Sequence[Segment], *, part: bool = False) -> Interpretation:
    """Text of a symbol's segments.

    Args:
        segments: all of them, in order.
        part: whether the symbol is one of several in structured append, so that characters may be cut at its ends.
    """
    if any(segment.eci is not None and segment.eci not in ECI_CODECS for segment in segments):
        return Interpretation()
    runs = _runs(segments)
    open_ = b"".join(run.data for run in runs if run.codec is None)
    guessed: Interpretation | None = None
    if not open_.isascii():
        guessed = _undeclared(open_, runs, part=part)
        if guessed.encoding is None:
            return Interpretation()
    pieces: list[Interpretation] = []
    for run in runs:
        pieces.append(_piece(run, guessed))
        if pieces[-1].text is None:
            return Interpretation()
    return _joined(pieces)


def interpret_bytes(payload: bytes) -> Interpretation:
    """Text of bytes of which nothing else is known."""
    return interpret([Segment("byte", payload, None, None)])


def _runs(segments: Sequence[Segment]) -> list[_Run]:
    keyed = [(_declared(segment), segment.data) for segment in segments]
    return [
        _Run(b"".join(data for _, data in group), codec)
        for codec, group in groupby(keyed, key=lambda one: one[0])
    ]


def _declared(segment: Segment) -> str | None:
    """Codec of a segment's characters by its mode or its ECI."""
    match segment.mode:
        case "kanji":
            return "shift_jis"
        case "hanzi":
            return "gb2312"
    codec = None if segment.eci is None else ECI_CODECS[segment.eci]
    if segment.mode != "byte" and codec is not None and codec.startswith("utf-") and codec != "utf-8":
        # Digits and letters are ASCII; an encoding of two or four bytes has no place for one.
        return "ascii"
    return codec


def _piece(run: _Run, guessed: Interpretation | None) -> Interpretation:
    if run.codec is not None:
        return _by_name(run.data, run.codec, "declared")
    if run.data.isascii() and (guessed is None or not (guessed.encoding or "").startswith("utf-16")):
        return Interpretation(run.data.decode("ascii"), ASCII, "standard")
    if guessed is None or guessed.encoding is None or guessed.source is None:
        return Interpretation()
    return _by_name(run.data, guessed.encoding, guessed.source)


def _by_name(data: bytes, codec: str, source: Source) -> Interpretation:
    """The text under a name that is taken to mean what is in use under it."""
    names = _SUPERSETS.get(codec, (codec,))
    for name in reversed(names):
        text = _strictly(data, name)
        if text is not None and not _C1.search(text):
            return Interpretation(text, narrowest(data, text, *names[: names.index(name) + 1]), source)
    if codec in _WINDOWS_KIN and (text := _strictly(data, _WINDOWS_KIN[codec])) is not None:
        return Interpretation(text, _WINDOWS_KIN[codec], "guessed")
    return Interpretation()


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _undeclared(data: bytes, runs: Sequence[_Run], *, part: bool) -> Interpretation:
    """Encoding of bytes without an ECI: what the payload's form names, UTF-8, or the likeliest."""
    named = named_encoding(b"".join(run.data for run in runs))
    if named is not None and _strictly(data, named) is not None:
        return Interpretation(None, named, "declared")
    if _strictly(data, "utf-8") is not None:
        # Other encodings hardly ever look like it by accident.
        return Interpretation(None, "utf-8", "guessed")
    if part and (cut := _UTF_8_CUT.fullmatch(data)) and len(data) - len(cut[1]) <= 6:
        return Interpretation()
    if (codec := _UTF_16_MARKS.get(data[:2])) and _strictly(data, codec) is not None:
        return Interpretation(None, codec, "guessed")
    beside = {run.codec for run in runs}
    for mode, codec in (("shift_jis", "cp932"), ("gb2312", "gb18030")):
        # Who writes kanji or hanzi in their own mode writes what has no place there in the same encoding.
        if mode in beside and decoded(data, codec) is not None:
            return Interpretation(None, codec, "guessed")
    # Controls frame what some devices send; inside other text than ASCII they are a sign of binary data.
    if _CONTROL.search(data.decode("latin-1").strip(_FRAMES)):
        return Interpretation()
    found = guess(data)
    return Interpretation(None, found.codec, "guessed") if found else Interpretation()


def _joined(pieces: Sequence[Interpretation]) -> Interpretation:
    text = "".join(piece.text or "" for piece in pieces)
    if _is_binary(text):
        return Interpretation()
    named = dict.fromkeys(piece.encoding for piece in pieces if piece.text and not piece.text.isascii())
    if not named:
        named = dict.fromkeys(piece.encoding for piece in pieces if piece.source == "declared")
        named = named if len(named) == 1 else {ASCII: None}
    sources = {piece.source for piece in pieces}
    source: Source = (
        "guessed" if "guessed" in sources else "declared" if "declared" in sources else "standard"
    )
    return Interpretation(text, next(iter(named)) if len(named) == 1 else MIXED, source)


def _is_binary(text: str) -> bool:
    """Whether there are more controls than anything else, or any of the second set of controls."""
    return bool(_C1.search(text)) or 2 * len(_CONTROL.findall(text)) > len(text)
