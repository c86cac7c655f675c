"""Pictures that a reader may mistake for a QR symbol: noise, texture, text, scenes, other codes.

Planes are `(H, W) float32` in [0, 1], before any camera. Textures of labels and tables are those of `surroundings`.
"""

from collections.abc import Callable

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scoring.scenes import Plane
from scoring.surroundings import KINDS, draw_surroundings
from service.decoding.soft import symbol_layout as layout

Shape = tuple[int, int]
Modules = NDArray[np.bool_]

OTHER_CODES = (
    zxingcpp.BarcodeFormat.DataMatrix,
    zxingcpp.BarcodeFormat.Aztec,
    zxingcpp.BarcodeFormat.PDF417,
    zxingcpp.BarcodeFormat.MaxiCode,
    zxingcpp.BarcodeFormat.MicroQRCode,
    zxingcpp.BarcodeFormat.RMQRCode,
    zxingcpp.BarcodeFormat.Code128,
)
_CHARACTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_MOST_CHARACTERS = {zxingcpp.BarcodeFormat.MicroQRCode: 14, zxingcpp.BarcodeFormat.Code128: 12}
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)


def noise(shape: Shape, rng: np.random.Generator) -> Plane:
    """White, coarse, coloured (power falling with frequency) or two-valued noise of any strength."""
    kind = rng.integers(4)
    if kind == 0:
        field = rng.standard_normal(shape)
    elif kind == 1:
        field = _blocks(shape, float(rng.uniform(1, 8)), rng, cv2.INTER_NEAREST)
    elif kind == 2:
        field = _blocks(shape, float(rng.uniform(1, 12)), rng, cv2.INTER_CUBIC)
    else:
        field = _coloured(shape, float(rng.uniform(0.5, 2.2)), rng)
    field = field / max(float(field.std()), 1e-6)
    if rng.random() < 0.3:
        field = np.sign(field)
    return _levelled(field, rng)


def texture(shape: Shape, rng: np.random.Generator) -> Plane:
    """The ground of labels, or a repeated pattern: stripes, dots, a chequerboard, concentric squares."""
    if rng.random() < 0.5:
        return draw_surroundings(KINDS[rng.integers(len(KINDS))], shape, rng)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    angle, pitch = rng.uniform(0, 2 * np.pi), rng.uniform(3, 24)
    u = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch + rng.uniform(0, 6.3)
    v = (y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / pitch + rng.uniform(0, 6.3)
    field = (
        np.sin(u),
        np.sin(u) * np.sin(v),
        np.sin(u) + np.sin(v) - 0.8,
        np.sin(np.maximum(abs(u - u.mean()), abs(v - v.mean()))),
        np.sin(np.hypot(u - u.mean(), v - v.mean())),
    )[rng.integers(5)]
    return _levelled(np.sign(field) if rng.random() < 0.6 else field, rng)


def text(shape: Shape, rng: np.random.Generator) -> Plane:
    """Lines of print in one of OpenCV's fonts, turned by any angle."""
    side = int(1.5 * max(shape))
    page = np.full((side, side), rng.uniform(0.6, 1.0), np.float32)
    ink, size = float(rng.uniform(0.0, 0.35)), float(rng.uniform(0.3, 2.0))
    if rng.random() < 0.2:
        page, ink = 1 - page, 1 - ink
    font, width = _FONTS[rng.integers(len(_FONTS))], int(rng.integers(1, 4))
    for line in range(0, side + 40, max(8, round(28 * size))):
        words = "".join(rng.choice([*_CHARACTERS, *"abcdeghiklmnopqrstuv  #%&@"], 60))
        cv2.putText(page, words, (-int(rng.integers(20)), line), font, size, ink, width, cv2.LINE_AA)
    angle = float(rng.choice([0, 0, 90, rng.uniform(0, 360)]))
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1)
    turned = cv2.warpAffine(page, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    y, x = (side - shape[0]) // 2, (side - shape[1]) // 2
    return np.asarray(turned[y : y + shape[0], x : x + shape[1]], np.float32)


def scene(shape: Shape, rng: np.random.Generator) -> Plane:
    """A substitute for a photograph: clouds of coloured noise, objects with edges in front, shadows, shine."""
    plane: NDArray[np.float64] = 0.5 + 0.2 * _coloured(shape, float(rng.uniform(1.2, 2.0)), rng)
    reach = max(shape)
    for _ in range(int(rng.integers(2, 14))):
        centre = rng.uniform(-0.1, 1.1, 2) * (shape[1], shape[0])
        corners = centre + rng.normal(0, 0.25 * reach, (int(rng.integers(3, 7)), 2))
        mask: Plane = np.zeros(shape, np.float32)
        if rng.random() < 0.5:
            cv2.fillPoly(mask, [corners.astype(np.int32)], 1.0, cv2.LINE_8)
        else:
            axes = (int(rng.integers(2, max(reach // 2, 3))), int(rng.integers(2, max(reach // 3, 3))))
            cv2.ellipse(
                mask, (int(centre[0]), int(centre[1])), axes, float(rng.uniform(0, 360)), 0, 360, 1.0, -1
            )
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(rng.choice([0.6, 1.5, 6.0]))), np.float32)
        skin = rng.uniform(0, 1) + rng.uniform(0, 0.2) * _coloured(shape, float(rng.uniform(0.6, 2)), rng)
        plane = plane * (1 - mask) + mask * skin
    return np.clip(plane, 0, 1).astype(np.float32)


def other_code(rng: np.random.Generator) -> Modules:
    """`(h, w)`, True for dark: another symbology with a random text, by zxing-cpp's writer."""
    kind = OTHER_CODES[rng.integers(len(OTHER_CODES))]
    letters = "".join(rng.choice(_CHARACTERS, int(rng.integers(3, _MOST_CHARACTERS.get(kind, 30)))))
    picture = np.array(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(letters, kind)))
    return np.asarray(picture < 128)


def hollow_symbol(rng: np.random.Generator) -> Modules:
    """Function patterns and format information of a QR symbol with meaningless data modules."""
    version = int(rng.integers(1, 5))
    known, dark = layout.function_pattern(version)
    modules: Modules = np.where(known, dark, rng.random(known.shape) < 0.5)
    word = layout.word_bits(layout.format_word(int(rng.integers(32))), layout.FORMAT_BITS)
    for positions in layout.format_positions(version):
        modules[positions[:, 0], positions[:, 1]] = word
    return modules


FIELDS: dict[str, Callable[[Shape, np.random.Generator], Plane]] = {
    "noise": noise,
    "texture": texture,
    "text": text,
    "scene": scene,
}


def _blocks(shape: Shape, grain: float, rng: np.random.Generator, interpolation: int) -> NDArray[np.float64]:
    coarse = rng.standard_normal((int(shape[0] / grain) + 2, int(shape[1] / grain) + 2))
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=interpolation), np.float64)


def _coloured(shape: Shape, exponent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose amplitude falls with the frequency to the power of `exponent`; unit variance."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * frequency**-exponent
    field = np.fft.irfft2(spectrum, s=shape)
    return np.asarray(field / max(float(field.std()), 1e-9))


def _levelled(field: NDArray[np.float64], rng: np.random.Generator) -> Plane:
    """The field at a random grey level with a random contrast."""
    return np.clip(rng.uniform(0.2, 0.8) + rng.uniform(0.05, 0.6) * field, 0, 1).astype(np.float32)
