"""How many dialogues there are."""

from __future__ import annotations

import pytest

SAME_EACH_TIME = 250


def pytest_addoption(parser: pytest.Parser) -> None:
    text = f"other dialogues than the {SAME_EACH_TIME} of each run, so many"
    parser.getgroup("dialogues").addoption("--dialogues", type=int, help=text)


@pytest.fixture
def dialogues(request: pytest.FixtureRequest) -> int | None:
    """How many random ones are wanted; `None`: the same ones each time."""
    wanted: int | None = request.config.getoption("--dialogues", default=None)
    return wanted
