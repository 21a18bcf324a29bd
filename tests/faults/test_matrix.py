"""Every call that the bot makes, gone wrong in every way, before and after the server has done its work."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import trio

from tests.faults.column import MATRICES, run_column
from tests.faults.log import recording
from tests.faults.matrix import Matrix
from tests.faults.table import REASONS, Outcome, Place
from tests.faults.verdict import Verdict
from trio_s3_bot.sandbox.faults import When

COLUMNS = [
    pytest.param(matrix, fault, id=f"{matrix.messenger}-{fault}") for matrix in MATRICES for fault in matrix.faults
]


@pytest.mark.parametrize("matrix", MATRICES, ids=["telegram", "vk", "vk's long poll"])
def test_no_cell_is_empty(matrix: Matrix) -> None:
    """Each call, struck in each way at each time, has its outcome or the reason why that can't be."""
    rows = (*matrix.starts, *matrix.rows)
    assert set(matrix.stated) == {Place(*place) for place in itertools.product(rows, When, matrix.faults)}
    assert all(isinstance(stated, Outcome) or stated in REASONS for stated in matrix.stated.values())


@pytest.mark.parametrize(("matrix", "fault"), COLUMNS)
async def test_what_comes_of_it_is_what_the_table_says(
    matrix: Matrix, fault: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """And whatever it is, no promise is broken."""
    verdicts: dict[Place, Verdict] = {}
    with recording():
        async with trio.open_nursery() as nursery:
            for when in When:
                nursery.start_soon(run_column, matrix, fault, when, tmp_path, verdicts)
    for place, stated in matrix.possible(fault).items():
        with subtests.test(row=place.row, when=place.when.value):
            assert verdicts[place] == Verdict(stated), verdicts[place]
