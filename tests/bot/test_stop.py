"""The stop: short and clean, whatever is under way; the next start goes on where this one ended."""

from __future__ import annotations

import signal
from collections.abc import Mapping

import pytest
import trio

from tests.bot.program import running
from tests.bot.talk import HASTY, NO_LIMITS, SAVED, in_each, markers, meet, said, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.telegram import Chat, Content, Delay, Html502, SlowBody

MIB = 2**20
SOON = 3  # seconds; more than a stop needs and less than the grace period that ships
STUCK: Mapping[str, Delay | SlowBody] = {"silent": Delay(3600), "crawling": SlowBody(1)}


def graced(seconds: float) -> Mapping[tuple[str, str], str]:
    return {**NO_LIMITS, ("stop", "grace_period"): f"{seconds} s", ("uploads", "part_size"): "5 MiB"}


async def test_an_idle_bot_stops_at_once_without_another_poll(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot() as bot:
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        await side.world.wait(lambda: side.world.polled)
        polls = len(side.world.calls(side.names.poll))
        bot.stop.set()
        before = trio.current_time()
    assert trio.current_time() - before < SOON
    assert len(side.world.calls(side.names.poll)) == polls


async def test_an_upload_that_ends_within_the_grace_period_is_finished_and_told(world: World, side: Side) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(6 * MIB))
    async with world.bot() as bot:
        chat.send_document(alice, "film.mkv", Content.generated(4 * MIB))
        await side.world.wait(lambda: side.world.calls("file"))
        bot.stop.set()
    assert markers(chat) == ["[greeting]", "[document]", SAVED]
    assert world.objects["film.mkv"].size == 4 * MIB


async def test_what_was_taken_in_before_the_stop_is_answered(world: World, side: Side) -> None:
    """Messages that the messenger was slow to take are waited for."""
    side.world.faults.add(method=side.names.send, answer=Delay(0.5), times=2)
    meetings = [side.meet(f"Person {number}") for number in range(2)]
    async with world.bot() as bot:
        for person, chat in meetings:
            chat.say(person, "hello")
        await side.world.wait(lambda: len(side.world.calls(side.names.send)) == 2)
        bot.stop.set()
    assert [markers(chat) for _, chat in meetings] == [["[greeting]"]] * 2


@pytest.mark.parametrize("how", STUCK)
async def test_a_stuck_download_is_parked_within_the_grace_period_and_saved_once_after_the_restart(
    world: World, how: str
) -> None:
    alice, chat = meet(world)
    stuck = world.telegram.faults.add(method="file", answer=STUCK[how], times=None)
    content = Content.generated(12 * MIB)
    async with world.bot(graced(1)) as bot:
        chat.send_document(alice, "film.mkv", content)
        await chat.wait_for("[document]")
        await world.telegram.wait(lambda: stuck.hits)
        bot.stop.set()
        before = trio.current_time()
    assert trio.current_time() - before < 1 + SOON
    assert world.objects == {}
    world.telegram.faults.clear()
    async with world.bot(graced(10)):
        await chat.wait_for(SAVED)
    assert_saved_once(world, chat, content)


async def test_an_upload_in_the_middle_of_its_parts_is_parked_and_finished_once_after_the_restart(
    world: World,
) -> None:
    alice, chat = meet(world)
    world.telegram.faults.add(method="file", answer=SlowBody(6 * MIB))
    content = Content.generated(18 * MIB)
    async with store_behind_proxy(world) as (proxy, store):
        async with world.bot({**graced(0), **store}) as bot:
            chat.send_document(alice, "film.mkv", content)
            await world.s3.wait(lambda: any(upload.parts for upload in world.s3.uploads(BUCKET)))
            bot.stop.set()
        assert len(world.s3.uploads(BUCKET)) == 1
        async with world.bot({**graced(10), **store}):
            await chat.wait_for(SAVED)
        begun = [request for request in proxy.requests if request.call == "CreateMultipartUpload"]
    assert len([request for request in begun if request.path.endswith("film.mkv")]) == 1
    assert_saved_once(world, chat, content)


async def test_documents_that_wait_for_a_slot_are_saved_once_after_the_restart(world: World) -> None:
    alice, chat = meet(world)
    stuck = world.telegram.faults.add(method="file", answer=Delay(3600), times=None)
    names = {f"{number}.txt" for number in range(12)}
    async with world.bot({**graced(0), ("uploads", "concurrent_uploads"): "2"}) as bot:
        for name in sorted(names):
            chat.send_document(alice, name, name.encode())
        await chat.wait_for("[document]")
        await world.telegram.wait(lambda: stuck.hits == 2)
        bot.stop.set()
    world.telegram.faults.clear()
    async with world.bot(graced(10)):
        await chat.wait_for(lambda _: all(f"{name}, " in "".join(said(chat)) for name in names))
    assert {key: world.content(key) for key in world.objects} == {name: name.encode() for name in names}


async def test_messages_that_were_not_sent_before_the_stop_are_sent_after_the_restart(world: World, side: Side) -> None:
    alice, chat = side.meet()
    outage = side.world.faults.add(method=side.names.send, answer=Html502(), times=None)
    async with world.bot(graced(1), HASTY) as bot:
        chat.say(alice, "hello")
        chat.send_document(alice, "report.pdf", b"content")
        await world.object("report.pdf")
        await side.world.wait(lambda: outage.hits)
        bot.stop.set()
    assert said(chat) == []
    side.world.faults.clear()
    async with world.bot(graced(10)):
        await chat.wait_for(SAVED)
    assert markers(chat) == ["[greeting]", "[document]", SAVED]


@in_each("number", telegram=[signal.SIGINT, signal.SIGTERM], vk=[signal.SIGTERM])
async def test_a_signal_ends_the_program_with_exit_code_0(world: World, side: Side, number: signal.Signals) -> None:
    alice, chat = side.meet()
    async with running(world.settings, world.folder) as program:
        await side.world.wait(lambda: side.world.polled)
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        program.signal(number)
        with trio.fail_after(SOON):
            ended = await program.ended()
    assert ended.code == 0
    assert "Traceback" not in ended.err


async def test_ctrl_c_in_the_middle_of_an_upload_ends_in_time_and_the_next_run_saves_it_once(world: World) -> None:
    alice, chat = meet(world)
    world.telegram.faults.add(method="file", answer=SlowBody(6 * MIB))
    settings = {**world.settings, **graced(1)}
    content = Content.generated(18 * MIB)
    async with running(settings, world.folder) as program:
        chat.send_document(alice, "film.mkv", content)
        await world.s3.wait(lambda: any(upload.parts for upload in world.s3.uploads(BUCKET)))
        program.signal(signal.SIGINT)
        with trio.fail_after(1 + SOON):
            ended = await program.ended()
    assert ended.code == 0
    assert "Traceback" not in ended.err
    assert world.objects == {}
    async with running(settings, world.folder) as program:
        await chat.wait_for(SAVED)
        program.signal(signal.SIGINT)
        assert (await program.ended()).code == 0
    assert_saved_once(world, chat, content)


async def test_a_store_that_never_answers_does_not_hold_the_program_longer_than_the_grace_period(world: World) -> None:
    """The thread that waits for the store sees no cancel; what it did is found again at the next start."""
    alice, chat = meet(world)
    content = Content.generated(3 * MIB)
    async with store_behind_proxy(world) as (proxy, store):
        settings = {**world.settings, **graced(1), **store}
        async with running(settings, world.folder) as program:
            await world.telegram.wait(lambda: world.telegram.polled)
            put = proxy.hold("PutObject")
            chat.send_document(alice, "film.mkv", content)
            await put.reached.wait()
            program.signal(signal.SIGTERM)
            with trio.fail_after(1 + SOON):
                assert (await program.ended()).code == 0
        put.release()
        async with running(settings, world.folder) as program:
            await chat.wait_for(SAVED)
            program.signal(signal.SIGTERM)
            assert (await program.ended()).code == 0
    assert_saved_once(world, chat, content)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_leaves_at_once_with_130(world: World, second: signal.Signals) -> None:
    alice, chat = meet(world)
    async with (
        store_behind_proxy(world) as (proxy, store),
        running({**world.settings, **graced(600), **store}, world.folder) as program,
    ):
        await world.telegram.wait(lambda: world.telegram.polled)
        put = proxy.hold("PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        await put.reached.wait()
        program.signal(signal.SIGINT)
        await world.telegram.wait(lambda: not world.telegram.polled)
        program.signal(second)
        with trio.fail_after(SOON):
            ended = await program.ended()
    assert ended.code == 130
    assert "Traceback" not in ended.err


async def test_a_stop_while_the_checks_at_start_wait_for_a_store_is_short(world: World) -> None:
    async with store_behind_proxy(world) as (proxy, store):
        listing = proxy.hold("ListObjectsV2")
        async with running({**world.settings, **store}, world.folder) as program:
            await listing.reached.wait()
            program.signal(signal.SIGTERM)
            with trio.fail_after(SOON):
                ended = await program.ended()
    assert ended.code == 0
    assert "Traceback" not in ended.err


def assert_saved_once(world: World, chat: Chat, content: Content) -> None:
    assert list(world.objects) == ["film.mkv"]
    assert world.s3.content(BUCKET, "film.mkv").sha256() == content.sha256()
    assert world.s3.uploads(BUCKET) == []
    assert markers(chat).count(SAVED) == markers(chat).count("[document]") == 1
