"""The reader as a whole: logits in, payloads out, and nothing where nothing is to be read."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import segno

from benchmark.reader.simulated_logits import Scene, module_errors, simulate, symbol_modules
from scoring.known_symbols import Simulated
from service.decoding.soft import SoftReading, StructuredAppend, read_logits

PATIENT = 20.0
"""Seconds: tests do not depend on how busy the machine is."""
PAYLOAD = b"https://example.org/?id=4711"


def simulated(scene: Scene, version: int = 4, level: str = "M", seed: int = 1) -> Simulated:
    return simulate(symbol_modules(PAYLOAD, version, level), scene, np.random.default_rng(seed))


def only(readings: list[SoftReading]) -> SoftReading:
    assert len(readings) == 1
    return readings[0]


SCENES = {
    "upright": Scene(),
    "no quiet zone": Scene(quiet=0, busy=True),
    "tight crop": Scene(quiet=1, margin=4),
    "module of 4.4 pixels": Scene(module=4.4, noise=0.2, rotation=9),
    "module of 15 pixels": Scene(module=15, rotation=9),
    "seen aslant": Scene(perspective=0.4, rotation=33),
    "bent": Scene(bend=0.8, rotation=120),
    "strongly bent": Scene(bend=1.3, rotation=70, noise=0.1),
    "inverted": Scene(inverted=True, rotation=77),
    "mirrored": Scene(mirrored=True, rotation=200),
    "mirrored, inverted, aslant": Scene(mirrored=True, inverted=True, perspective=0.3, rotation=300),
    "at the wall": Scene(module=4.4, blur=0.42, noise=0.25, rotation=20, busy=True, quiet=2),
}


@pytest.mark.parametrize("name", SCENES)
def test_reads_a_symbol(name: str) -> None:
    scene = SCENES[name]
    truth = simulated(scene)
    reading = only(read_logits(truth.logits, deadline_s=PATIENT))
    assert reading.payload == PAYLOAD
    assert (reading.version, reading.level) == (4, "M")
    assert (reading.mirrored, reading.inverted) == (scene.mirrored, scene.inverted)
    assert reading.misread_bound <= 1e-9
    assert reading.modules_corrected >= round(0.5 * module_errors(truth, scene.inverted) * 33 * 33)
    # The corners lie half a module beyond the outermost centres, in the symbol's own order.
    outermost = truth.centres[[0, 0, -1, -1], [0, -1, -1, 0]]
    distance = np.linalg.norm(np.array(reading.corners) - outermost, axis=1) / scene.module
    assert distance.max() < (2.0 if scene.bend > 1 else 1.6)


@pytest.mark.parametrize("rotation", range(0, 360, 40))
def test_reads_whichever_way_it_is_turned(rotation: int) -> None:
    truth = simulated(Scene(rotation=rotation, noise=0.1), version=2, level="L")
    assert only(read_logits(truth.logits, deadline_s=PATIENT)).payload == PAYLOAD


def test_tells_the_place_in_a_sequence_and_the_declared_encoding() -> None:
    def read(symbol: segno.QRCode) -> SoftReading:
        modules = np.array([list(row) for row in symbol.matrix], dtype=bool)
        shown = simulate(modules, Scene(rotation=12, noise=0.1), np.random.default_rng(3))
        return only(read_logits(shown.logits, deadline_s=PATIENT))

    parts = [read(symbol) for symbol in segno.make_sequence("one long word", symbol_count=2)]
    assert b"".join(part.payload for part in parts) == b"one long word"
    parity = int(np.bitwise_xor.reduce(np.frombuffer(b"one long word", np.uint8)))
    expected = [StructuredAppend(index, 2, parity) for index in range(2)]
    assert [part.message.structured_append for part in parts] == expected
    (segment,) = read(segno.make("Ωmega", encoding="iso8859-7", eci=True, micro=False)).segments
    assert (segment.mode, segment.eci, segment.encoding) == ("byte", 9, "iso8859-7")


@pytest.mark.parametrize(("version", "level"), [(3, "Q"), (7, "H"), (10, "M"), (19, "L"), (40, "Q")])
def test_reads_larger_symbols(version: int, level: str) -> None:
    scene = Scene(module=4.5, rotation=6, perspective=0.05, noise=0.15, margin=20)
    reading = only(read_logits(simulated(scene, version, level).logits, deadline_s=PATIENT))
    assert (reading.payload, reading.version, reading.level) == (PAYLOAD, version, level)


@pytest.mark.parametrize("corner", [(3, 3), (3, -4), (-4, 3)])
def test_reads_with_a_finder_pattern_lost(corner: tuple[int, int]) -> None:
    truth = simulated(Scene(rotation=15), version=5, level="Q")
    x, y = truth.centres[corner]
    cv2.circle(truth.logits, (round(x), round(y)), 16, 5.0, -1)
    assert only(read_logits(truth.logits, deadline_s=PATIENT)).payload == PAYLOAD


def test_reads_two_symbols_in_one_picture() -> None:
    one = simulated(Scene(rotation=10)).logits
    other = simulate(symbol_modules(b"ANOTHER", 2), Scene(rotation=50), np.random.default_rng(3)).logits
    picture = np.full((max(len(one), len(other)), one.shape[1] + other.shape[1]), 6, np.float32)
    picture[: one.shape[0], : one.shape[1]] = one
    picture[: other.shape[0], one.shape[1] :] = other
    readings = read_logits(picture, deadline_s=PATIENT)
    assert {reading.payload for reading in readings} == {PAYLOAD, b"ANOTHER"}
    assert len(read_logits(picture, deadline_s=PATIENT, max_symbols=1)) == 1


def test_scale_of_the_logits_hardly_matters() -> None:
    truth = simulated(Scene(noise=0.15))
    for factor in (0.3, 2.5):
        readings = read_logits((truth.logits * factor).astype(np.float32), deadline_s=PATIENT)
        assert only(readings).payload == PAYLOAD


def _noise(rng: np.random.Generator) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.standard_normal((260, 300)), (0, 0), 2.2)
    return np.asarray(5 * noise / noise.std())


def _text(rng: np.random.Generator) -> np.ndarray:
    page = np.full((300, 300), 6.0)
    for line in range(20, 300, 22):
        words = "".join(rng.choice(list("abcdeHIKLMNO8Q ")) for _ in range(26))
        cv2.putText(page, words, (2, line), cv2.FONT_HERSHEY_SIMPLEX, 0.6, -6.0, 2)
    return cv2.GaussianBlur(page, (0, 0), 1)


def _blocks(rng: np.random.Generator) -> np.ndarray:
    blocks = np.where(rng.random((50, 50)) < 0.5, -6.0, 6.0)
    return cv2.GaussianBlur(np.kron(blocks, np.ones((5, 5))), (0, 0), 2)


def _finders_only(rng: np.random.Generator) -> np.ndarray:
    """Three good finder and two timing patterns around modules that mean nothing."""
    modules = symbol_modules(PAYLOAD, 4)
    modules[9:, 9:] = rng.random((24, 24)) < 0.5
    return simulate(modules, Scene(), rng).logits


def _half(rng: np.random.Generator) -> np.ndarray:
    truth = simulate(symbol_modules(PAYLOAD, 4), Scene(rotation=10), rng)
    return truth.logits[:, : truth.logits.shape[1] // 2]


@pytest.mark.parametrize("picture", [_noise, _text, _blocks, _finders_only, _half])
@pytest.mark.parametrize("seed", range(3))
def test_reads_nothing_where_there_is_no_symbol(picture: object, seed: int) -> None:
    assert callable(picture)
    logits = picture(np.random.default_rng(seed)).astype(np.float32)
    assert read_logits(logits) == []


def test_small_pictures_hold_no_symbol() -> None:
    assert read_logits(np.zeros((8, 500), np.float32)) == []
    assert read_logits(np.zeros((0, 0), np.float32)) == []


def test_no_time_no_reading() -> None:
    assert read_logits(simulated(Scene()).logits, deadline_s=0.0) == []
    assert read_logits(simulated(Scene()).logits, work=0.0) == []


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="logits"):
        read_logits(np.zeros((1, 100, 100), np.float32))
    with pytest.raises(ValueError, match="finite"):
        read_logits(np.full((100, 100), np.nan, np.float32))


@pytest.mark.slow
def test_wrong_payload_is_never_returned_near_the_wall() -> None:
    read = 0
    for seed in range(12):
        scene = replace(SCENES["at the wall"], noise=0.3, rotation=30.0 * seed)
        readings = read_logits(
            simulated(scene, level="MQ"[seed % 2], version=5, seed=seed).logits, deadline_s=PATIENT
        )
        assert all(reading.payload == PAYLOAD for reading in readings)
        read += len(readings)
    # Neither is it of any use to read nothing at all.
    assert read >= 3
