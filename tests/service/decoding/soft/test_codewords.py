"""Block structure and placement against segno's tables and symbols."""

from typing import Any

import numpy as np
import pytest
from segno import consts

from service.decoding.soft import codewords, reed_solomon, symbol_layout
from tests.service.decoding.soft.modules import clear, segno_modules

# segno says nothing of the types of its tables.
_ECC: Any = consts.ECC
_CAPACITY: Any = consts.SYMBOL_CAPACITY


@pytest.mark.parametrize("level", codewords.LEVELS)
def test_block_structure_equals_table_9(level: codewords.Level) -> None:
    for version in range(1, 41):
        structure = codewords.block_structure(version, level)
        expected = [
            (block.num_total, block.num_data)
            for block in _ECC[version][consts.ERROR_MAPPING[level]]
            for _ in range(block.num_blocks)
        ]
        found = [(data + structure.checks, data) for data in structure.data_lengths.tolist()]
        assert found == expected, version
        assert structure.data_codewords == sum(data for _, data in expected)
        assert 8 * structure.data_codewords == _CAPACITY[version][consts.ERROR_MAPPING[level]]


@pytest.mark.parametrize("level", codewords.LEVELS)
def test_every_block_of_a_clean_symbol_is_a_code_word(level: codewords.Level) -> None:
    for version in (1, 2, 5, 7, 10, 14, 21, 27, 40):
        mask = version % 8
        dark = segno_modules("Blocks", version=version, error=level.lower(), mask=mask)
        llr = codewords.block_reliabilities(clear(dark), version, level, mask)
        words = np.packbits(llr > 0, axis=2)[:, :, 0]
        structure = codewords.block_structure(version, level)
        assert not reed_solomon.syndromes(words, structure.checks).any(), version
        # Encoding the data anew gives the same blocks, and the blocks the same modules.
        data = words[:, : structure.length - structure.checks]
        np.testing.assert_array_equal(reed_solomon.encode(data, structure.checks), words)
        drawn = codewords.modules_of_blocks(words, version, level, mask)
        order = symbol_layout.data_order(version)
        np.testing.assert_array_equal(
            drawn[order[:, 0], order[:, 1]], dark[order[:, 0], order[:, 1]], err_msg=str(version)
        )


def test_absent_codewords_are_certain_zeros() -> None:
    llr = codewords.block_reliabilities(clear(segno_modules("1", version=5, error="q")), 5, "Q", 0)
    structure = codewords.block_structure(5, "Q")
    assert structure.short_blocks == 2
    np.testing.assert_array_equal(np.isneginf(llr).all(axis=2).sum(axis=1), [1, 1, 0, 0])
