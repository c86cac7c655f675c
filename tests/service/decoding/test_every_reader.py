"""The same symbol says the same to every reader, clear and blurred: text, and what the symbol is."""

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from service.decoding import jobs
from service.decoding.drawing import matrix as redrawn
from service.decoding.drawing import unpacked
from service.decoding.geometry import centre
from service.decoding.jobs import Readers
from service.decoding.payload import interpret
from service.decoding.reading import Reading, Symbol
from service.decoding.zxing import KINDS, read_zxing
from tests.service.decoding.charsets.payloads import Payload, certain, undeclared
from tests.service.decoding.charsets.test_guess import segments
from tests.service.decoding.coded import Head, Part, matrix
from tests.service.decoding.symbols import blurred, picture

PAYLOADS = [*undeclared(), *certain()]


def soft(readers: Readers, image: NDArray[np.uint8]) -> list[Reading]:
    return jobs.soft(readers, (image / 32.0 - 4.0).astype(np.float16), "soft")


def zxing(readers: Readers, image: NDArray[np.uint8]) -> list[Reading]:
    return jobs.zxing(readers, image, "upload")


def wechat(readers: Readers, image: NDArray[np.uint8]) -> list[Reading]:
    return jobs.wechat(readers, image, "upload")


READERS = {"zxing": zxing, "wechat": wechat, "soft": soft}


@cache
def bare() -> Readers:
    return Readers(None)


def _meaning(payload: Payload) -> str | None:
    part = payload.head is not None and payload.head.sequence is not None
    return interpret(segments(payload), part=part).text


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), 50))
@pytest.mark.parametrize("reader", READERS)
def test_text_is_that_of_the_segments_whichever_reader_reads(reader: str, start: int) -> None:
    """Whether it is the right one is a matter of the segments (`charsets.test_guess`)."""
    # A third of them for the readers that take longer; all payloads are shown to one.
    for payload in PAYLOADS[start : start + 50 : 1 if reader == "zxing" else 3]:
        modules = matrix(payload.parts, payload.head, error="M")
        if reader == "wechat" and not bare().wechat.detect(picture(modules)):
            # The class does not know some designators.
            assert payload.parts[-1].eci or payload.text is None, payload.kind
            continue
        for image in (picture(modules), blurred(picture(modules), 1.5)):
            (reading,) = READERS[reader](bare(), image)
            assert reading.payload == b"".join(part.data for part in payload.parts), payload.kind
            assert reading.text == _meaning(payload), payload.kind


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mask", range(8))
def test_the_symbol_is_told_as_it_was_drawn(reader: str, mask: int) -> None:
    parts = (Part("byte", b"mask and level"),)
    for error in "LMQH":
        modules = matrix(parts, error=error, mask=mask)
        (reading,) = READERS[reader](bare(), picture(modules))
        symbol = known(reading)
        version = (len(modules) - 17) // 4
        assert (symbol.kind, symbol.version, symbol.level, symbol.mask) == ("qr", str(version), error, mask)
        assert not symbol.mirrored
        assert not symbol.inverted
        assert symbol.modules is not None
        np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.dark), modules.astype(bool))
        assert redrawn(symbol.modules) == ["".join(map(str, row)) for row in modules]
        assert (symbol.modules.corrected, symbol.modules.unused_error_correction) == (0, 1.0)
        assert symbol.misread_bound is not None
        assert symbol.misread_bound < 1e-8


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("least", [1, 2, 7, 14, 22])
def test_damaged_modules_are_counted_and_the_printed_ones_given_back(reader: str, least: int) -> None:
    modules = matrix((Part("byte", b"damaged"),), error="Q", least=least, mask=3)
    n = len(modules)
    damage = np.zeros_like(modules, dtype=bool)
    # Two modules of one codeword: the bits of column pairs from the lower right corner.
    damage[n - 1, n - 1] = damage[n - 2, n - 2] = True
    (reading,) = READERS[reader](bare(), picture(modules ^ damage.astype(np.uint8)))
    symbol = known(reading)
    assert symbol.modules is not None
    np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.dark), modules.astype(bool))
    np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.damaged), damage)
    assert symbol.modules.corrected == 2
    # Checks a block at level Q of these versions (ISO/IEC 18004:2015, table 9); one wrong codeword costs two.
    checks = {1: 13, 2: 22, 7: 18, 14: 20, 22: 30}[least]
    assert symbol.modules.unused_error_correction == pytest.approx(1 - 2 / checks)


@pytest.mark.parametrize("reader", ["zxing", "soft"])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("turns", range(4))
def test_points_and_orientation_of_the_same_symbol(
    reader: str, mirrored: bool, inverted: bool, turns: int
) -> None:
    modules = matrix((Part("byte", b"orientation"),), error="M", mask=1)
    quiet, module = 4, 6
    shown = np.rot90(modules.T if mirrored else modules, -turns)
    image = picture(np.ascontiguousarray(shown), module, quiet)
    (reading,) = READERS[reader](bare(), 255 - image if inverted else image)
    symbol = known(reading)
    assert (symbol.mirrored, symbol.inverted) == (mirrored, inverted)
    low, high = quiet * module - 0.5, (quiet + len(modules)) * module - 0.5
    corners = [(low, low), (high, low), (high, high), (low, high)]
    # Mirroring about the diagonal leaves the symbol's own top left corner where it is, and quarter turns move it on.
    expected = corners[turns:] + corners[:turns]
    np.testing.assert_allclose(reading.points, expected, atol=0.3 * module)
    assert symbol.modules is not None
    np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.dark), modules.astype(bool))


@pytest.mark.parametrize("reader", READERS)
def test_place_in_a_sequence_is_told(reader: str) -> None:
    modules = matrix((Part("byte", b"part three"),), Head(sequence=(2, 5, 0xA7)), error="M")
    (reading,) = READERS[reader](bare(), picture(modules))
    sequence = known(reading).sequence
    assert sequence is not None
    assert (sequence.index, sequence.total, sequence.parity) == (2, 5, 0xA7)
    assert reading.payload == b"part three"


@pytest.mark.parametrize("reader", ["zxing", "soft"])
@pytest.mark.parametrize(
    ("head", "eci", "identifier"),
    [
        (Head(), None, "]Q1"),
        (Head(), 26, "]Q2"),
        (Head(fnc1=1), None, "]Q3"),
        (Head(fnc1=1), 26, "]Q4"),
        (Head(fnc1=2, application=37), None, "]Q5"),
    ],
)
def test_symbology_identifier_tells_gs1_and_aim_apart(
    reader: str, head: Head, eci: int | None, identifier: str
) -> None:
    modules = matrix((Part("byte", b"10ABC\x1d21", eci),), head, error="M")
    (reading,) = READERS[reader](bare(), picture(modules))
    assert reading.symbology == identifier
    # ISO/IEC 18004:2015, 14.2: the application indicator is sent in front of the data.
    assert reading.payload == (b"37" if head.application else b"") + b"10ABC\x1d21"


@pytest.mark.parametrize("kind", ["micro_qr", "rmqr"])
def test_small_symbols_are_read_where_they_are_asked_for(kind: str) -> None:
    import segno
    import zxingcpp

    if kind == "micro_qr":
        drawn = np.array([list(row) for row in segno.make_micro("micro-qr 4", mask=2).matrix], np.uint8)
    else:
        code = zxingcpp.create_barcode("rmqr 123", zxingcpp.BarcodeFormat.RMQRCode)
        drawn = (np.array(code.to_image(scale=1, add_quiet_zones=False)) < 128).astype(np.uint8)
    image = picture(drawn)
    assert read_zxing(image, "upload") == []
    (reading,) = read_zxing(image, "upload", KINDS)
    symbol = known(reading)
    assert symbol.kind == kind
    assert symbol.modules is not None
    np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.dark), drawn.astype(bool))
    assert symbol.misread_bound is not None
    assert symbol.misread_bound < 1e-6
    x, y = centre(reading.points)
    assert abs(x - image.shape[1] / 2) < 4
    assert abs(y - image.shape[0] / 2) < 4


@pytest.mark.parametrize("reader", ["zxing", "soft"])
def test_unsure_modules_are_those_near_grey(reader: str) -> None:
    """Only the soft-decision reader tells; to the other a module is dark or light."""
    modules = matrix((Part("byte", b"doubtful"),), error="M", mask=0)
    image = picture(modules).astype(np.float32)
    row, column = 11, 12
    top, left = (4 + row) * 5, (4 + column) * 5
    grey = 140.0 if image[top, left] > 128 else 116.0
    image[top : top + 5, left : left + 5] = grey
    (reading,) = READERS[reader](bare(), cv2.GaussianBlur(image, (0, 0), 0.5).astype(np.uint8))
    symbol = known(reading)
    assert symbol.modules is not None
    if reader == "zxing":
        assert symbol.modules.unsure is None
    else:
        assert symbol.modules.unsure is not None
        assert np.argwhere(unpacked(symbol.modules, symbol.modules.unsure)).tolist() == [[row, column]]


def known(reading: Reading) -> Symbol:
    assert reading.symbol is not None
    return reading.symbol


@pytest.mark.parametrize("version", [1, 2, 7, 14, 21, 28])
def test_remainder_bits_and_patterns_are_mended_where_no_codeword_is_wrong(version: int) -> None:
    """0, 7, 0, 3, 4 and 3 remainder bits (ISO/IEC 18004:2015, table 1)."""
    modules = matrix((Part("byte", b"remainder"),), error="M", mask=6, least=version)
    damaged = modules.copy()
    # The left column, above the lower finder pattern, is where the data end; the timing pattern crosses it.
    end = len(modules) - 9 if version < 7 else len(modules) - 12
    damaged[end, 0] ^= version != 1 and version != 7
    damaged[6, 10] ^= 1
    (reading,) = zxing(bare(), picture(damaged))
    symbol = known(reading)
    assert symbol.modules is not None
    np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.dark), modules.astype(bool))
    np.testing.assert_array_equal(unpacked(symbol.modules, symbol.modules.damaged), damaged != modules)
