"""One table of the fault matrix, with what it takes to fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.scenes import Row
from tests.faults.starts import Start
from tests.faults.table import Outcome, Place


@dataclass(frozen=True)
class Matrix:
    """
    What each call in each situation is to come to, for a bot in one messenger.

    `starts` are the calls that are made at a start only, by row, `rows` all others.
    """

    messenger: str
    stated: Mapping[Place, Outcome | str]
    starts: Mapping[str, Start]
    rows: Mapping[str, Row]

    @property
    def faults(self) -> tuple[str, ...]:
        """The columns, in the table's order."""
        return tuple(dict.fromkeys(place.fault for place in self.stated))

    @property
    def calls(self) -> set[str]:
        """All calls of the table."""
        return {row.call for row in self.rows.values()} | {start.call for start in self.starts.values()}

    def possible(self, fault: str) -> dict[Place, Outcome]:
        """The cells of a column that can be."""
        cells = self.stated.items()
        return {place: stated for place, stated in cells if isinstance(stated, Outcome) and place.fault == fault}
