"""The benchmark knows where the modules of its pictures are."""

import cv2
import numpy as np
import pytest

from scoring.cases import module_centres, picture
from scoring.families import FAMILIES
from scoring.symbols import draw_symbol


@pytest.mark.parametrize("family", ["clean", "camera", "perspective", "curved", "jpeg-10"])
def test_the_picture_shows_each_module_at_its_centre(family: str) -> None:
    for number in range(4):
        rng = np.random.default_rng([number, 3])
        symbol = draw_symbol(2 + 2 * number, rng)
        case = FAMILIES[family](rng)
        shown = picture(case, symbol, 6.0, [number, 3]).astype(np.float32)
        centres = (module_centres(case, symbol, 6.0) - 0.5).astype(np.float32)
        seen = cv2.remap(shown, centres[..., 0], centres[..., 1], cv2.INTER_LINEAR)
        # Light and dark are told apart by their neighbourhood, since the light is uneven.
        level = cv2.boxFilter(shown, -1, (61, 61))
        around = cv2.remap(level, centres[..., 0], centres[..., 1], cv2.INTER_LINEAR)
        assert np.mean((seen < around) != (symbol.modules == 1)) < 0.02
        # A module away the same picture does not fit, so that the check can fail.
        assert np.mean((np.roll(seen, 1, axis=1) < around) != (symbol.modules == 1)) > 0.3
