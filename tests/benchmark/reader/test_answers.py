"""The counts behind the documents' figures on text and on small symbols, on few pictures."""

from benchmark.reader.small_symbols import misreads
from benchmark.reader.undeclared_text import detectors, rates


def test_text_is_more_often_right_than_by_the_detector_alone() -> None:
    found = detectors()
    ours, other = rates(found["service"]), rates(found["chardetng-py"])
    assert sum(ours[:3]) == sum(other[:3])
    assert ours[0] > other[0]
    assert ours[2] < other[2] / 2


def test_looking_for_small_symbols_loses_no_qr_code() -> None:
    found = misreads(20)
    assert found["qr: right"] == found["qr,micro_qr,rmqr: right"] > 0
    assert not [name for name in found if name.startswith("qr: misread")]
