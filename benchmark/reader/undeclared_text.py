"""How often does a payload that does not name its encoding get its text? `python -m benchmark.reader.undeclared_text`.

The payloads are those of the tests: names, places, goods and messages in the encodings of their countries, most of them
of ten bytes or less. Detectors that are installed are shown the same bytes.
"""

import importlib
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from service.decoding.payload import interpret_bytes
from tests.service.decoding.charsets.payloads import undeclared

Detector = Callable[[bytes], str | None]

_SUPERSETS = {"shift_jis": "cp932", "gbk": "gb18030", "euc-kr": "cp949", "windows-874": "cp874"}
_ENCODINGS = (
    *("cp932", "gb18030", "big5", "cp949", "cp874", "koi8-r", "iso-8859-2"),
    *(f"windows-125{number}" for number in range(8)),
)


def detectors() -> dict[str, Detector]:
    """Ours, and those of the libraries that are installed."""
    found: dict[str, Detector] = {"service": lambda data: interpret_bytes(data).text}
    from chardetng_py import EncodingDetector

    def of_chardetng(data: bytes) -> str | None:
        detector = EncodingDetector()
        detector.feed(data, last=True)
        return _decoded(data, detector.guess(tld=None, allow_utf8=False))

    found["chardetng-py"] = of_chardetng
    for name, module, detect in (
        ("chardet", "chardet", _of_chardet),
        ("charset-normalizer", "charset_normalizer", _of_charset_normalizer),
    ):
        with suppress(ImportError):
            found[name] = partial(detect, importlib.import_module(module))
    return found


def rates(detector: Detector) -> tuple[int, int, int, float]:
    """Payloads with the right text, with none, and with another one; milliseconds each."""
    payloads = undeclared()
    began = time.perf_counter()
    texts = [detector(payload.parts[0].data) for payload in payloads]
    milliseconds = 1e3 * (time.perf_counter() - began) / len(payloads)
    right = sum(text == payload.text for text, payload in zip(texts, payloads, strict=True))
    none = texts.count(None)
    return right, none, len(texts) - right - none, milliseconds


def main() -> None:
    """Print a table."""
    print(f"{len(undeclared())} payloads\n\n| detector | right | none | wrong | ms |\n|---|---|---|---|---|")
    for name, detector in detectors().items():
        right, none, wrong, milliseconds = rates(detector)
        print(f"| {name} | {right} | {none} | {wrong} | {milliseconds:.2f} |")


def _decoded(data: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        return data.decode(_SUPERSETS.get(encoding.lower(), encoding))
    except (LookupError, UnicodeDecodeError):
        return None


def _of_chardet(library: Any, data: bytes) -> str | None:
    found = library.detect(data, include_encodings=_ENCODINGS, prefer_superset=True)
    return _decoded(data, found["encoding"])


def _of_charset_normalizer(library: Any, data: bytes) -> str | None:
    return _text(library.from_bytes(data).best())


def _text(match: object) -> str | None:
    return None if match is None else str(match)


if __name__ == "__main__":
    main()
