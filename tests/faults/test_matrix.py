"""Every call that the bot makes, gone wrong in every way, before and after the server has done its work."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import trio

from tests.faults.column import POSSIBLE, STARTS, run_column
from tests.faults.log import recording
from tests.faults.scenes import ROWS
from tests.faults.table import FAULTS, REASONS, STATED, Outcome, Place
from tests.faults.verdict import Verdict
from trio_s3_bot.sandbox.faults import When


def test_no_cell_is_empty() -> None:
    """Each call, struck in each way at each time, has its outcome or the reason why that can't be."""
    assert set(STATED) == {Place(*place) for place in itertools.product((*STARTS, *ROWS), When, FAULTS)}
    assert all(isinstance(stated, Outcome) or stated in REASONS for stated in STATED.values())


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_comes_of_it_is_what_the_table_says(fault: str, tmp_path: Path, subtests: pytest.Subtests) -> None:
    """And whatever it is, no promise is broken."""
    verdicts: dict[Place, Verdict] = {}
    with recording():
        async with trio.open_nursery() as nursery:
            for when in When:
                nursery.start_soon(run_column, fault, when, tmp_path, verdicts)
    for place, stated in POSSIBLE.items():
        if place.fault == fault:
            with subtests.test(row=place.row, when=place.when.value):
                assert verdicts[place] == Verdict(stated)
