"""Payloads whose own form names their encoding: payments of some countries, and vCard 2.1."""

import codecs
import re
from collections.abc import Callable
from typing import Final

# Each with what names the encoding in it. GOST R 56042-2014, table 1: the digit behind the version.
_GOST: Final = re.compile(rb"ST0001([123])\W")
_GOST_ENCODINGS: Final = {b"1": "cp1251", b"2": "utf-8", b"3": "koi8_r"}
# European Payments Council, EPC069-12, section 3: the third line. In Ukraine's form of it, whose fourth line is UCT, 2
# is another encoding.
_EPC: Final = re.compile(rb"BCD\r?\n00[123]\r?\n([1-8])\r?\n([A-Z]{3})")
_EPC_ENCODINGS: Final = {
    b"1": "utf-8",
    b"2": "iso8859-1",
    b"3": "iso8859-2",
    b"4": "iso8859-4",
    b"5": "iso8859-5",
    b"6": "iso8859-7",
    b"7": "iso8859-10",
    b"8": "iso8859-15",
}
# Slovenia's UPN QR is in ISO 8859-2 throughout.
_UPN: Final = re.compile(rb"UPNQR\r?\n")
_VCARD: Final = re.compile(rb"(?i)BEGIN:VCARD\b.*?;CHARSET=\"?([a-z0-9_-]{1,32})", re.DOTALL)
_TEXT_CODECS: Final = re.compile(r"(utf|iso8859|cp|shift_jis|euc|big5|gb|koi8)")


def named_encoding(payload: bytes) -> str | None:
    """Python codec that the payload's form names; None where it names none."""
    for form, encoding in _FORMS:
        if found := form.match(payload):
            return encoding(found)
    return None


def _epc(found: re.Match[bytes]) -> str:
    if found[2] == b"UCT" and found[1] == b"2":
        return "cp1251"
    return _EPC_ENCODINGS[found[1]]


def _vcard(found: re.Match[bytes]) -> str | None:
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return None
    return name if _TEXT_CODECS.match(name) else None


_FORMS: Final[tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], str | None]], ...]] = (
    (_GOST, lambda found: _GOST_ENCODINGS[found[1]]),
    (_EPC, _epc),
    (_UPN, lambda _: "iso8859-2"),
    (_VCARD, _vcard),
)
