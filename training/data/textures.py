"""A bank of surroundings of symbols, as on labels and screens: text, boxes, stripes, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 512
"""Height and width of a texture."""


def make_textures(count: int, seed: int) -> NDArray[np.float32]:
    """`(count, 1, SIZE, SIZE) float32` in [0, 1], the same for the same seed."""
    rng = np.random.default_rng([seed, 0x7E])
    return np.stack([_texture(rng) for _ in range(count)])[:, None]


def _texture(rng: np.random.Generator) -> NDArray[np.float32]:
    picture = _ground(rng)
    for _ in range(rng.integers(0, 4)):
        _MARKS[rng.integers(len(_MARKS))](picture, rng)
    if rng.random() < 0.3:
        picture += _smooth_noise(rng, int(rng.integers(64, 256))) * rng.uniform(0.05, 0.3)
    return np.clip(picture, 0, 1).astype(np.float32)


def _ground(rng: np.random.Generator) -> NDArray[np.float32]:
    kind = rng.random()
    if kind < 0.35:
        return np.full((SIZE, SIZE), rng.uniform(0.6, 1), np.float32)
    if kind < 0.55:
        return np.full((SIZE, SIZE), rng.uniform(0, 1), np.float32)
    level = rng.uniform(0, 1)
    noise = _smooth_noise(rng, int(rng.integers(2, 48))) * rng.uniform(0.1, 0.6)
    return np.asarray(np.clip(level + noise, 0, 1), np.float32)


def _smooth_noise(rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)


def _text(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    ink = float(rng.uniform(0, 1))
    scale = float(rng.uniform(0.4, 2.2))
    face = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX]))
    step = int(scale * rng.uniform(26, 44))
    for y in range(step, SIZE, step):
        words = "".join(
            rng.choice(list("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"), 60)
        )
        cv2.putText(
            picture,
            words,
            (int(rng.integers(-30, 30)), y),
            face,
            scale,
            ink,
            int(rng.integers(1, 4)),
            cv2.LINE_AA,
        )


def _boxes(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 40)):
        x, y = rng.integers(0, SIZE, 2)
        w, h = rng.integers(4, 160, 2)
        thickness = -1 if rng.random() < 0.7 else int(rng.integers(1, 8))
        cv2.rectangle(
            picture, (int(x), int(y)), (int(x + w), int(y + h)), float(rng.uniform(0, 1)), thickness
        )


def _stripes(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A bar code or a fine pattern, in any direction."""
    period, angle = rng.uniform(4, 60), rng.uniform(0, np.pi)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    top, height = rng.integers(0, SIZE - 32), rng.integers(32, SIZE)
    picture[top : top + height] = np.where(wave > 0, rng.uniform(0, 1), rng.uniform(0, 1))[top : top + height]


def _lines(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    for _ in range(rng.integers(3, 40)):
        (x0, y0), (x1, y1) = rng.integers(0, SIZE, (2, 2))
        ink, width = float(rng.uniform(0, 1)), int(rng.integers(1, 9))
        cv2.line(picture, (int(x0), int(y0)), (int(x1), int(y1)), ink, width, cv2.LINE_AA)


_MARKS = (_text, _boxes, _stripes, _lines)
