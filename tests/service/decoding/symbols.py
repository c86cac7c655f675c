"""Pictures of symbols whose payloads are known, made by encoders that are not the readers under test."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

GS1_MESSAGE = b"010952123454321310ABC123\x1d215"


@dataclass(frozen=True)
class Sample:
    """A picture and what must be read from it."""

    image: NDArray[np.uint8]
    payload: bytes
    text: str | None
    encoding: str | None
    symbology: str = "]Q1"


def picture(matrix: NDArray[np.uint8], module: int = 5, quiet: int = 4) -> NDArray[np.uint8]:
    """Dark modules are 1 in `matrix`."""
    padded = np.pad(matrix, quiet)
    return np.kron(255 - 255 * padded, np.ones((module, module), np.uint8)).astype(np.uint8)


def drawn(code: segno.QRCode, module: int = 5, quiet: int = 4) -> NDArray[np.uint8]:
    return picture(np.array([list(row) for row in code.matrix], np.uint8), module, quiet)


def gs1() -> NDArray[np.uint8]:
    code = zxingcpp.create_barcode(
        "(01)09521234543213(10)ABC123(21)5", zxingcpp.BarcodeFormat.QRCode, gs1=True
    )
    return np.array(code.to_image(scale=5, add_quiet_zones=True))


def samples() -> dict[str, Sample]:
    """One sample for each kind of payload the service promises to return."""

    def made(content: str | bytes, payload: bytes, known: str | None, **options: Any) -> Sample:
        text = None if known is None else payload.decode(known)
        return Sample(
            drawn(segno.make_qr(content, **options)),
            payload,
            text,
            known,
            "]Q2" if options.get("eci") else "]Q1",
        )

    every_byte = bytes(range(256))
    longest = bytes(32 + n % 95 for n in range(2953))
    emoji = "Grüße 👍🏽 日本"
    kanji, kana, hanzi, umlauts, cyrillic = "点茗漢字", "カタカナ", "中文书籍", "Grüße, Señor", "Привет"
    sjis, gb = {"encoding": "shift_jis"}, {"encoding": "gb2312"}
    return {
        "ascii": made("https://example.org/?q=1", b"https://example.org/?q=1", "utf-8"),
        "numeric": made("0123456789", b"0123456789", "utf-8"),
        "alphanumeric": made("HELLO WORLD %", b"HELLO WORLD %", "utf-8"),
        "utf-8": made(emoji, emoji.encode(), "utf-8", encoding="utf-8"),
        "utf-8 ECI": made(emoji, emoji.encode(), "utf-8", encoding="utf-8", eci=True),
        "kanji mode": made(kanji, kanji.encode("cp932"), "shift_jis", mode="kanji"),
        "Shift_JIS": made(kana, kana.encode("cp932"), "shift_jis", mode="byte", **sjis),
        "Shift_JIS ECI": made(kanji, kanji.encode("cp932"), "shift_jis", mode="byte", eci=True, **sjis),
        "hanzi mode": made(hanzi, hanzi.encode("gbk"), "gb2312", mode="hanzi"),
        "GB2312": made(hanzi, hanzi.encode("gbk"), "gb2312", mode="byte", **gb),
        "Latin-1": made(umlauts, umlauts.encode("latin-1"), "iso8859-1", encoding="latin-1"),
        "Cyrillic ECI": made(
            cyrillic, cyrillic.encode("iso8859-5"), "iso8859-5", encoding="iso-8859-5", eci=True
        ),
        "NUL inside": made(b"ab\0cd", b"ab\0cd", "utf-8"),
        "NUL first": made(b"\0cd", b"\0cd", "utf-8"),
        "every byte": made(every_byte, every_byte, None),
        "spaces": made("   ", b"   ", "utf-8"),
        "line ends": made(b"a\r\n\tb\n", b"a\r\n\tb\n", "utf-8"),
        "2,953 bytes": made(longest, longest, "utf-8", error="L", boost_error=False),
        "structured append": Sample(
            drawn(segno.make_sequence("one of two and the other of two", symbol_count=2)[1]),
            b"he other of two",
            "he other of two",
            "utf-8",
        ),
        "GS1": Sample(gs1(), GS1_MESSAGE, GS1_MESSAGE.decode(), "utf-8", "]Q3"),
    }


def blurred(image: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)
