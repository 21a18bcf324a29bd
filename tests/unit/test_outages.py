"""When something that all need is out of order: one pause for all, growing, with jitter, and a word to the operator."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs
from trio.testing import MockClock

from trio_s3_bot.errors import StoreUnavailable
from trio_s3_bot.outages import Outage
from trio_s3_bot.patience import Pauses

ERROR = StoreUnavailable("503 SlowDown")


def outage() -> Outage:
    return Outage("the store", Pauses(2, 300))


def fail(outage: Outage, clock: MockClock) -> float:
    """Fail once, and wait until it is to be tried again; returns how long that was."""
    outage.failed(ERROR)
    pause = outage.until - clock.current_time()
    clock.jump(pause)
    assert outage.over
    return pause


async def test_nothing_is_out_of_order_at_first(mock_clock: MockClock) -> None:
    assert outage().over
    assert outage().until < mock_clock.current_time()
    assert not outage().worth_telling


async def test_pauses_double_up_to_the_longest(mock_clock: MockClock) -> None:
    store = outage()
    for expected in (2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300):
        assert 0.7 * expected <= fail(store, mock_clock) <= expected


async def test_pauses_differ_so_that_not_all_come_back_at_the_same_moment(mock_clock: MockClock) -> None:
    assert len({round(fail(outage(), mock_clock), 3) for _ in range(30)}) > 10


async def test_thousands_of_failures_do_not_overflow(mock_clock: MockClock) -> None:
    store = outage()
    assert max(fail(store, mock_clock) for _ in range(5000)) <= 300


async def test_attempts_that_fail_together_count_once(mock_clock: MockClock) -> None:
    store = outage()
    store.failed(ERROR)
    until = store.until
    mock_clock.jump(0.5)
    for _ in range(10):
        store.failed(ERROR)
    assert store.until == until
    assert not store.worth_telling


async def test_a_pause_that_was_asked_for_is_kept(mock_clock: MockClock) -> None:
    store = outage()
    store.failed(ERROR, at_least=500)
    assert store.until == mock_clock.current_time() + 500


async def test_a_pause_that_is_asked_for_during_another_one_is_kept_too(mock_clock: MockClock) -> None:
    store = outage()
    store.failed(ERROR)
    store.failed(ERROR, at_least=500)
    store.failed(ERROR, at_least=10)
    assert store.until == mock_clock.current_time() + 500


async def test_people_are_told_from_the_fourth_failure_on_about_fifteen_seconds_in(mock_clock: MockClock) -> None:
    store = outage()
    for _ in range(3):
        fail(store, mock_clock)
        assert not store.worth_telling
    store.failed(ERROR)
    assert store.worth_telling
    assert 9 <= mock_clock.current_time() <= 15


async def test_a_success_ends_it_and_the_next_one_begins_with_a_short_pause(mock_clock: MockClock) -> None:
    store = outage()
    for _ in range(8):
        fail(store, mock_clock)
    store.worked()
    assert not store.worth_telling
    assert fail(store, mock_clock) <= 2


async def test_a_success_ends_it_at_once_but_for_a_pause_that_was_asked_for(mock_clock: MockClock) -> None:
    store = outage()
    store.failed(ERROR)
    store.worked()
    assert store.over
    store.failed(ERROR, at_least=5)
    until = store.until
    store.worked()
    assert store.until == until == mock_clock.current_time() + 5


@pytest.mark.usefixtures("mock_clock")
async def test_what_failed_is_suspected_until_something_works() -> None:
    store = outage()
    store.failed(ERROR, of="a")
    store.failed(ERROR, of="b")
    assert store.suspects == {"a", "b"}
    store.worked()
    assert store.suspects == set()


async def test_the_operator_reads_what_is_out_of_order_why_for_how_long_and_when_it_is_over(
    mock_clock: MockClock,
) -> None:
    store = outage()
    with capture_logs() as logs:
        pauses = [fail(store, mock_clock) for _ in range(3)]
        store.worked()
        store.worked()
    *warnings, over = logs
    assert [(line["log_level"], line["what"], line["error"], line["pause"]) for line in warnings] == [
        ("warning", "the store", "503 SlowDown", round(pause, 1)) for pause in pauses
    ]
    assert over == {"event": "back in order", "log_level": "info", "what": "the store", "after_failures": 3}
