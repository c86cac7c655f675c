"""Payloads of all kinds: the segments of each, and the text that is right for them."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.service.decoding.charsets.phrases import PHRASES
from tests.service.decoding.coded import Head, Part


@dataclass(frozen=True)
class Payload:
    """What is in a symbol."""

    kind: str
    parts: tuple[Part, ...]
    text: str | None
    """None where no text can be right."""
    source: str | None = None
    head: Head | None = None


def undeclared() -> list[Payload]:
    """Bytes of other encodings than UTF-8 that do not say so: what has to be guessed."""
    made = []
    for language, (codecs, phrases) in PHRASES.items():
        for codec in codecs:
            for phrase in phrases:
                data = phrase.encode(codec)
                if not data.isascii() and not _is_utf_8(data):
                    made.append(Payload(f"{language} {codec}", (Part("byte", data),), phrase, "guessed"))
    return made


def certain() -> list[Payload]:
    """What needs no guessing, or has no text."""
    return [*_utf_8(), *_ascii(), *_modes(), *_eci(), *_named(), *_binary(), *_parts()]


def _utf_8() -> Iterator[Payload]:
    for language, (_, phrases) in PHRASES.items():
        for phrase in phrases[:5]:
            yield Payload(f"UTF-8 {language}", (Part("byte", phrase.encode()),), phrase, None)
    for phrase in ("👍🏽 ok", "naïve café", "日本語とEnglish", "e\u0301", "\ufeffmark"):
        yield Payload("UTF-8", (Part("byte", phrase.encode()),), phrase, "guessed")


def _ascii() -> Iterator[Payload]:
    for text in (
        *(
            "https://example.org/a?b=c",
            "WIFI:S:home;T:WPA;P:secret;;",
            "BEGIN:VCARD\r\nFN:A\r\nEND:VCARD",
            "a\tb\n",
            " ",
        ),
        *(
            "\x02SN42\x03",
            "[)>\x1e06\x1d1P77\x1e\x04",
            "10ABC\x1d21",
            "\x1b@print",
            "A\x00B",
            "ACK\x06",
            "line\x0bline",
            "end\x7f",
        ),
        *("\\\\server\\share", "~", "{}[]|^`"),
    ):
        yield Payload("ASCII", (Part("byte", text.encode()),), text, "standard")
    yield Payload("digits", (Part("numeric", b"0123456789"),), "0123456789", "standard")
    yield Payload(
        "letters", (Part("alphanumeric", b"HTTP://EXAMPLE.ORG/1"),), "HTTP://EXAMPLE.ORG/1", "standard"
    )
    yield Payload(
        "digits and letters", (Part("numeric", b"007"), Part("alphanumeric", b"ABC")), "007ABC", "standard"
    )


def _modes() -> Iterator[Payload]:
    kanji = ("点茗", "東京都", "㈱", "①②③", "漢字かな", "～", "ァヶ", "重量㎏")
    for text in kanji:
        data = text.encode("cp932")
        yield Payload("kanji mode", (Part("kanji", data),), text, "declared")
        yield Payload(
            "kanji, then UTF-8", (Part("kanji", data), Part("byte", "ñ".encode())), text + "ñ", "guessed"
        )
        yield Payload(
            "UTF-8, then kanji", (Part("byte", "ö:".encode()), Part("kanji", data)), "ö:" + text, "guessed"
        )
        yield Payload(
            "kanji, then ASCII", (Part("kanji", data), Part("byte", b"-12")), text + "-12", "declared"
        )
        yield Payload(
            "kanji, then Shift_JIS",
            (Part("kanji", data), Part("byte", "ｶﾅ".encode("cp932"))),
            text + "ｶﾅ",
            "guessed",
        )
    for text in ("中文书籍", "北京", "数量", "发票", "你好"):
        data = text.encode("gb2312")
        yield Payload("hanzi mode", (Part("hanzi", data),), text, "declared")
        yield Payload(
            "hanzi, then UTF-8", (Part("hanzi", data), Part("byte", "ü".encode())), text + "ü", "guessed"
        )
        yield Payload(
            "digits, then hanzi", (Part("numeric", b"12"), Part("hanzi", data)), "12" + text, "declared"
        )
    yield Payload(
        "kanji and hanzi",
        (Part("kanji", "漢".encode("cp932")), Part("hanzi", "汉".encode("gb2312"))),
        "漢汉",
        "declared",
    )


ECI = {
    2: ("cp437", "é½"),
    3: ("iso8859-1", "Grüße"),
    4: ("iso8859-2", "Łódź"),
    6: ("iso8859-4", "ąė"),
    7: ("iso8859-5", "Привет"),
    8: ("iso8859-6", "سلام"),
    9: ("iso8859-7", "Αθήνα"),
    10: ("iso8859-8", "שלום"),
    11: ("iso8859-9", "İzmir"),
    13: ("iso8859-11", "ไทย"),
    15: ("iso8859-13", "ačiū"),
    17: ("iso8859-15", "5 €"),
    18: ("iso8859-16", "Ș"),
    20: ("cp932", "住友㈱"),
    21: ("cp1250", "Šárka"),
    22: ("cp1251", "Москва"),
    23: ("cp1252", "10 €"),
    24: ("cp1256", "مرحبا"),
    25: ("utf-16-be", "aé漢"),
    26: ("utf-8", "aé漢😀"),
    28: ("big5", "電子發票"),
    29: ("gb18030", "朱镕基"),
    30: ("euc_kr", "한국"),
    31: ("gbk", "喆"),
    32: ("gb18030", "€"),
    33: ("utf-16-le", "aé漢"),
}


def _eci() -> Iterator[Payload]:
    for number, (codec, text) in ECI.items():
        data = text.encode(codec)
        yield Payload(f"ECI {number}", (Part("byte", data, number),), text, "declared")
        yield Payload(
            f"digits, then ECI {number}",
            (Part("numeric", b"12"), Part("byte", data, number)),
            "12" + text,
            "declared",
        )
        yield Payload(
            f"ECI {number}, then ECI 26",
            (Part("byte", data, number), Part("byte", "ж".encode(), 26)),
            text + "ж",
            "declared",
        )
    yield Payload(
        "ECI with digits behind",
        (Part("byte", "é".encode(), 26), Part("numeric", b"345")),
        "é345",
        "declared",
    )
    yield Payload(
        "a character in two segments",
        (Part("byte", b"\xe6\xbc", 26), Part("byte", b"\xa2")),
        "漢",
        "declared",
    )
    yield Payload("ECI 26 that is none", (Part("byte", b"\xff\xfe", 26),), None)
    yield Payload("ECI 899", (Part("byte", b"abc", 899),), None)
    yield Payload("ECI of no encoding", (Part("byte", b"abc", 999999),), None)


def _named() -> Iterator[Payload]:
    payment = "|Name=ООО Лютик|PersonalAcc=40702810|BankName=Банк|Sum=1200"
    for digit, codec in (("1", "cp1251"), ("2", "utf-8"), ("3", "koi8_r")):
        text = f"ST0001{digit}{payment}"
        yield Payload("GOST R 56042", (Part("byte", text.encode(codec)),), text, "declared")
    encodings = (
        "utf-8",
        "iso8859-1",
        "iso8859-2",
        "iso8859-4",
        "iso8859-5",
        "iso8859-7",
        "iso8859-10",
        "iso8859-15",
    )
    names = ("Müller", "Müller", "Łódź", "Ąžuolas", "Петров", "Νίκος", "Þór", "5 € für")
    for number, (codec, name) in enumerate(zip(encodings, names, strict=True), 1):
        text = f"BCD\n002\n{number}\nSCT\nABCDEFGH\n{name}\nDE71110220330123456789\nEUR12.3"
        yield Payload("EPC069-12", (Part("byte", text.encode(codec)),), text, "declared")
    text = "BCD\n002\n2\nUCT\n\nТОВ Ромашка\nUA1230000000000000000000000000"
    yield Payload("NBU", (Part("byte", text.encode("cp1251")),), text, "declared")
    text = "UPNQR\n\n\n\n\nJanez Žnidaršič\nKratka ulica 1"
    yield Payload("UPN QR", (Part("byte", text.encode("iso8859-2")),), text, "declared")
    text = "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=Shift_JIS:山田;太郎\nEND:VCARD"
    yield Payload("vCard 2.1", (Part("byte", text.encode("cp932")),), text, "declared")


def _binary() -> Iterator[Payload]:
    for data in (
        bytes(range(256)),
        bytes.fromhex("0102030405060708"),
        bytes.fromhex("8950 4e47 0d0a 1a0a 0000 000d 4948 4452"),
        bytes.fromhex("504b 0304 1400 0000 0800 a1b2 c3d4"),
        bytes.fromhex("1f8b 0800 0000 0000 0003 4bcc 2b51"),
        bytes.fromhex("30 82 01 0a 02 82 01 01 00 c3 91 7f e8 05"),
        b"\xc2\x85",
    ):
        yield Payload("binary", (Part("byte", data),), None)


def _parts() -> Iterator[Payload]:
    for text, cut in (("naïve", 3), ("日本語", 4), ("ab😀cd", 4)):
        data = text.encode()
        head, tail = data[:cut], data[cut:]
        for index, piece in enumerate((head, tail)):
            yield Payload(
                "a part that ends inside a character", (Part("byte", piece),), None, None, Head((index, 2, 9))
            )
    for index, text in enumerate(("first ", "part é", "日本")):
        yield Payload("a part", (Part("byte", text.encode()),), text, None, Head((index, 3, 77)))


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
