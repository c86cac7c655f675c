"""A symbol as it was printed, drawn anew: crisp, in the same version, level, mask and modules."""

from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding.reading import Kind, Modules

QUIET_ZONE = {"qr": 4, "qr_model_1": 4, "micro_qr": 2, "rmqr": 2}
"""Modules of quiet zone that each kind must have around it (ISO/IEC 18004:2015, 9.1; ISO/IEC 23941:2022, 6.3.10)."""
_DAMAGED, _UNSURE = "#d33", "#e90"


def unpacked(modules: Modules, packed: bytes) -> NDArray[np.bool_]:
    """`(rows, columns)` of one of the maps of `Modules`."""
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=modules.rows * modules.columns)
    return bits.reshape(modules.rows, modules.columns).astype(bool)


def matrix(modules: Modules) -> list[str]:
    """A row of the symbol each, `1` for a dark module and `0` for a light one; without quiet zone."""
    return ["".join(row) for row in np.where(unpacked(modules, modules.dark), "1", "0")]


def places(modules: Modules, packed: bytes) -> list[tuple[int, int]]:
    """Row and column of every module of a map, from the top left."""
    return [(int(row), int(column)) for row, column in np.argwhere(unpacked(modules, packed))]


def svg(modules: Modules, kind: Kind, *, damage: bool = False) -> str:
    """One user unit a module, with the quiet zone; `damage` marks damaged modules red and unsure ones orange."""
    quiet = QUIET_ZONE[kind]
    width, height = modules.columns + 2 * quiet, modules.rows + 2 * quiet
    layers = [("#000", _path(unpacked(modules, modules.dark), quiet))]
    if damage:
        layers.append((_DAMAGED, _path(unpacked(modules, modules.damaged), quiet, 0.25)))
        if modules.unsure is not None:
            layers.append((_UNSURE, _path(unpacked(modules, modules.unsure), quiet, 0.25)))
    paths = "".join(
        f"<path fill={quoteattr(colour)} d={quoteattr(path)}/>" for colour, path in layers if path
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" shape-rendering="crispEdges">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{paths}</svg>'
    )


def png(modules: Modules, kind: Kind, scale: int, *, damage: bool = False) -> bytes:
    """`scale` pixels a module, with the quiet zone; black on white, colours as in `svg`."""
    quiet = QUIET_ZONE[kind]
    dark = np.pad(unpacked(modules, modules.dark), quiet)
    image: NDArray[np.uint8] = np.kron(
        np.where(dark, 0, 255).astype(np.uint8), np.ones((scale, scale), np.uint8)
    ).astype(np.uint8)
    if damage:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR).astype(np.uint8)
        inset = scale // 4
        marks = [(modules.damaged, (51, 51, 221))]
        if modules.unsure is not None:
            marks.append((modules.unsure, (0, 153, 238)))
        for packed, colour in marks:
            for row, column in places(modules, packed):
                y, x = (row + quiet) * scale, (column + quiet) * scale
                image[y + inset : y + scale - inset, x + inset : x + scale - inset] = colour
    done, data = cv2.imencode(".png", image)
    if not done:
        raise RuntimeError("OpenCV did not write the PNG image")
    return data.tobytes()


def _path(dark: NDArray[np.bool_], quiet: int, inset: float = 0.0) -> str:
    """Runs of dark modules of a row as rectangles; single modules where they are drawn smaller."""
    parts = []
    for row, line in enumerate(dark):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
        for start, end in edges.reshape(-1, 2).tolist():
            if not inset:
                parts.append(f"M{start + quiet} {row + quiet}h{end - start}v1h-{end - start}z")
                continue
            side = 1 - 2 * inset
            for column in range(start, end):
                x, y = column + quiet + inset, row + quiet + inset
                parts.append(f"M{x:g} {y:g}h{side:g}v{side:g}h-{side:g}z")
    return "".join(parts)
