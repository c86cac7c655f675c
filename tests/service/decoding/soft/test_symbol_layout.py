"""The layout rules against segno, an independent encoder that keeps the standard's tables as tables."""

from typing import Any

import numpy as np
import pytest
import segno
from segno import consts

from service.decoding.soft import symbol_layout as layout

VERSIONS = [pytest.param(version, id=f"v{version}") for version in layout.VERSIONS]

# segno says nothing of the types of its tables.
_ECC: Any = consts.ECC


def module_types(version: int) -> np.ndarray:
    symbol = segno.make("1", version=version, error="l", boost_error=False, mask=3)
    types = np.array([list(row) for row in symbol.matrix_iter(border=0, verbose=True)])
    # segno 1.6 draws data there (clause 7.9.1: eight modules of row 8) but calls it format information.
    types[8, -9] = consts.TYPE_DATA_DARK
    return types


def modules_of(content: str, **options: Any) -> np.ndarray:
    return np.array([list(row) for row in segno.make(content, **options).matrix_iter(border=0)], dtype=bool)


@pytest.mark.parametrize("version", VERSIONS)
def test_function_pattern_is_where_and_as_dark_as_the_encoder_draws_it(version: int) -> None:
    types = module_types(version)
    data = (types == consts.TYPE_DATA_DARK) | (types == consts.TYPE_DATA_LIGHT)
    formats = (types == consts.TYPE_FORMAT_DARK) | (types == consts.TYPE_FORMAT_LIGHT)
    known, dark = layout.function_pattern(version)
    assert known.shape == (layout.size(version), layout.size(version))
    np.testing.assert_array_equal(known, ~data & ~formats)
    np.testing.assert_array_equal(dark, known & (types >> 8 > 0))


@pytest.mark.parametrize("version", VERSIONS)
def test_data_order_visits_every_data_module_once(version: int) -> None:
    types = module_types(version)
    data = (types == consts.TYPE_DATA_DARK) | (types == consts.TYPE_DATA_LIGHT)
    order = layout.data_order(version)
    seen = np.zeros_like(data, dtype=int)
    np.add.at(seen, (order[:, 0], order[:, 1]), 1)
    np.testing.assert_array_equal(seen, data)
    codewords = sum(block.num_blocks * block.num_total for block in _ECC[version][consts.ERROR_LEVEL_L])
    assert len(order) // 8 == codewords
    assert len(order) % 8 in (0, 3, 4, 7)


@pytest.mark.parametrize("version", VERSIONS)
def test_alignment_coordinates_equal_the_tabulated_ones(version: int) -> None:
    if version == 1:
        assert layout.alignment_coordinates(1) == ()
        assert layout.alignment_centres(1).shape == (0, 2)
    else:
        assert layout.alignment_coordinates(version) == tuple(consts.ALIGNMENT_POS[version - 2])
        count = len(consts.ALIGNMENT_POS[version - 2])
        assert layout.alignment_centres(version).shape == (count * count - 3, 2)


@pytest.mark.parametrize("index", range(8))
def test_mask_turns_one_masked_symbol_into_another(index: int) -> None:
    for version in (1, 7, 22):
        plain, other = (
            np.array(
                [
                    list(row)
                    for row in segno.make("A1", version=version, error="q", mask=m).matrix_iter(border=0)
                ]
            )
            for m in (index, (index + 1) % 8)
        )
        changed = layout.mask(index, version) ^ layout.mask((index + 1) % 8, version)
        order = layout.data_order(version)
        rows, columns = order[:, 0], order[:, 1]
        np.testing.assert_array_equal((plain != other)[rows, columns], changed[rows, columns])
        known = layout.function_pattern(version)[0]
        assert not (known & layout.mask(index, version)).any()


def test_format_words_and_places() -> None:
    assert tuple(layout.format_word(data) for data in range(32)) == tuple(consts.FORMAT_INFO)
    for version in (1, 6, 7, 40):
        for level, indicator in zip("LMQH", (1, 0, 3, 2), strict=True):
            drawn = modules_of("1", version=version, error=level, boost_error=False, mask=5)
            bits = layout.word_bits(consts.FORMAT_INFO[indicator << 3 | 5], layout.FORMAT_BITS)
            for positions in layout.format_positions(version):
                np.testing.assert_array_equal(drawn[positions[:, 0], positions[:, 1]], bits)


def test_version_words() -> None:
    assert tuple(layout.version_word(version) for version in range(7, 41)) == tuple(consts.VERSION_INFO)


def test_sizes_and_their_limits() -> None:
    assert [layout.version_of_size(layout.size(version)) for version in layout.VERSIONS] == list(range(1, 41))
    for wrong in (0, 41):
        with pytest.raises(ValueError, match="versions are 1 to 40"):
            layout.size(wrong)
    for wrong in (17, 22, 181):
        with pytest.raises(ValueError, match="modules a side"):
            layout.version_of_size(wrong)
    with pytest.raises(ValueError, match="0 to 7"):
        layout.mask(8, 1)


def test_arrays_kept_for_reuse_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        layout.mask(0, 1)[0, 0] = True
