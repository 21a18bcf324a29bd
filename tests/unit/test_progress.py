"""How far an upload is: what is counted in threads and shown in a chat."""

from __future__ import annotations

import threading

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_s3_bot.progress import Meter, report
from trio_s3_bot.texts import Sample

INTERVAL = 3.0  # seconds


def sampled(meter: Meter) -> Sample:
    meter.sample()
    newest: Sample = meter.value.value
    return newest


async def pass_time(clock: MockClock, seconds: float) -> None:
    """Let time pass in steps in which every task gets its turn."""
    for _ in range(round(seconds / 0.25)):
        clock.jump(0.25)
        await wait_all_tasks_blocked()


async def test_the_parts_under_way_are_added_up(mock_clock: MockClock) -> None:
    meter = Meter(100)
    meter.begin()
    meter.sent(1)(30)
    meter.sent(2)(5)
    meter.sent(1)(40)
    mock_clock.jump(1)
    assert sampled(meter).done == 45


async def test_what_has_come_in_and_not_gone_out_counts_half(mock_clock: MockClock) -> None:
    meter = Meter(100)
    meter.begin()
    meter.fetched(1)(40)
    assert sampled(meter).done == 20
    meter.sent(1)(10)
    meter.fetched(2)(10)
    mock_clock.jump(1)
    assert sampled(meter).done == 30
    meter.sent(1)(40)
    meter.sent(2)(10)
    mock_clock.jump(1)
    assert sampled(meter).done == 50


async def test_an_attempt_that_goes_on_begins_with_what_the_store_has(mock_clock: MockClock) -> None:
    meter = Meter(100)
    meter.begin(already=60)
    meter.sent(4)(10)
    mock_clock.jump(1)
    assert sampled(meter).done == 70


async def test_a_second_attempt_is_not_seen_until_it_has_come_further_than_the_first(mock_clock: MockClock) -> None:
    meter = Meter(100)
    meter.begin()
    meter.sent(1)(50)
    assert sampled(meter).done == 50
    meter.begin()
    seen = []
    for count in (0, 20, 50, 70):
        mock_clock.jump(1)
        meter.sent(1)(count)
        seen.append(sampled(meter).done)
    assert seen == [50, 50, 50, 70]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    attempts=st.lists(
        st.tuples(st.integers(0, 1000), st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1000), st.floats(0, 20)))),
        max_size=4,
    )
)
def test_progress_never_goes_back_whatever_the_attempts_are(
    attempts: list[tuple[int, list[tuple[int, int, float]]]],
) -> None:
    clock = MockClock()

    async def watch() -> list[Sample]:
        meter, seen = Meter(1000), []
        for already, steps in attempts:
            meter.begin(already)
            for part, count, seconds in steps:
                clock.jump(seconds)
                meter.sent(part)(count)
                seen.append(sampled(meter))
        return seen

    seen = trio.run(watch, clock=clock)
    assert [sample.done for sample in seen] == sorted(sample.done for sample in seen)
    assert all(sample.speed is None or sample.speed > 0 for sample in seen)


async def test_the_speed_is_that_of_the_last_ten_seconds(mock_clock: MockClock) -> None:
    meter = Meter(10_000)
    meter.begin()
    done = 0
    for second in range(32):
        done += 100 if second < 20 else 10
        mock_clock.jump(1)
        meter.sent(1)(done)
        meter.sample()
    assert meter.value.value.speed == pytest.approx(10)
    assert meter.value.value.left == pytest.approx((10_000 - done) / 10)


async def test_there_is_no_speed_before_there_are_two_samples_and_none_while_nothing_moves(
    mock_clock: MockClock,
) -> None:
    meter = Meter(100)
    meter.begin()
    meter.sent(1)(10)
    assert sampled(meter) == Sample(10, 100, None, None)
    for _ in range(20):
        mock_clock.jump(1)
        meter.sample()
    assert meter.value.value == Sample(10, 100, None, None)


async def test_where_the_size_is_not_known_there_is_a_speed_and_no_time_left(mock_clock: MockClock) -> None:
    meter = Meter(None)
    meter.begin()
    meter.sample()
    mock_clock.jump(2)
    meter.sent(1)(50)
    assert sampled(meter) == Sample(50, None, 25, None)


async def test_counting_from_many_threads_loses_nothing() -> None:
    meter = Meter(None)
    meter.begin()

    def count(number: int) -> None:
        counter = meter.sent(number)
        for done in range(1001):
            counter(done)

    threads = [threading.Thread(target=count, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sampled(meter).done == 8000


class Shown:
    """When something was shown, and what it was."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.at: dict[float, int] = {}

    def __call__(self) -> None:
        self.at[trio.current_time()] = self._meter.value.value.done


async def test_nothing_is_shown_before_the_first_interval_is_over(mock_clock: MockClock) -> None:
    meter = Meter(1000)
    shown = Shown(meter)
    meter.begin()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(report, meter, INTERVAL, shown)
        await wait_all_tasks_blocked()
        for done in range(1, 12):
            meter.sent(1)(done)
            await pass_time(mock_clock, 0.25)
        assert shown.at == {}
        await pass_time(mock_clock, 0.25)
        assert list(shown.at) == [3]
        nursery.cancel_scope.cancel()


async def test_the_newest_value_is_shown_four_times_an_interval_as_long_as_it_changes(mock_clock: MockClock) -> None:
    meter = Meter(1000)
    shown = Shown(meter)
    meter.begin()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(report, meter, INTERVAL, shown)
        await wait_all_tasks_blocked()
        for done in range(1, 21):
            meter.sent(1)(done)
            await pass_time(mock_clock, 0.25)
        nursery.cancel_scope.cancel()
    assert shown.at == {3: 12, 3.75: 15, 4.5: 18}


async def test_nothing_is_shown_while_nothing_moves(mock_clock: MockClock) -> None:
    meter = Meter(1000)
    shown = Shown(meter)
    meter.begin()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(report, meter, INTERVAL, shown)
        await wait_all_tasks_blocked()
        await pass_time(mock_clock, 600)
        nursery.cancel_scope.cancel()
    assert shown.at == {3: 0}


async def test_showing_ends_with_its_upload_and_leaves_nothing_running(mock_clock: MockClock) -> None:
    meter = Meter(1000)
    shown = Shown(meter)
    with trio.move_on_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(report, meter, INTERVAL, shown)
            await wait_all_tasks_blocked()
            await pass_time(mock_clock, 10)
    shown.at.clear()
    meter.sent(1)(5)
    await pass_time(mock_clock, 10)
    assert shown.at == {}
