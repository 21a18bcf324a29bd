"""The `[document]` message shows how far an upload is: seldom, forwards only, and never for ever."""

from __future__ import annotations

import itertools
import re

from tests.bot.talk import HASTY, NO_LIMITS, SAVED, in_each, only, said, store_behind_proxy
from tests.sides import Chat, Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.faults import SlowRequest
from trio_s3_bot.sandbox.replies import Delay, Html502, Instead, SlowBody
from trio_s3_bot.sandbox.telegram import TooManyRequests
from trio_s3_bot.sandbox.telegram_room import Deed
from trio_s3_bot.sandbox.vk import ApiError
from trio_s3_bot.sandbox.world import Content

MIB = 2**20
QUICK = {
    **NO_LIMITS,
    ("uploads", "progress_interval"): "1 s",
    ("uploads", "part_size"): "5 MiB",
    ("uploads", "memory_limit"): "40 MiB",
}
"""The shortest interval and the smallest parts that the settings allow."""
KNOWS_NONE = "how far an upload is has nothing to do with the messenger"


@only("telegram", KNOWS_NONE)
async def test_an_upload_that_takes_less_than_the_interval_shows_no_progress(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(QUICK):
        for size in (1, 100_000, 6 * MIB):
            chat.send_document(alice, f"{size}.bin", Content.generated(size))
            await chat.wait_for(f"{SAVED} {size}.bin")
    assert not [deed.text for deed in chat.history if re.search("%|▰|▱", deed.text or "")]


async def test_progress_is_shown_at_intervals_forwards_and_comes_to_rest_in_words(world: World, side: Side) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(5 * MIB))
    async with world.bot(QUICK):
        sent = chat.send_document(alice, "film.mkv", Content.generated(15 * MIB))
        moving = await chat.wait_for("%")
        await chat.wait_for(SAVED)
        rested = await chat.wait_for("\nsaved")
    assert [side.answered(message) for message in (moving, rested)] == [sent["message_id"]] * 2
    assert (len(side.labels(moving)), side.labels(rested)) == (2, [])
    shown = edits(side, chat)
    percents = [percent_in(deed) for deed in shown[:-1]]
    assert len(set(percents)) >= 2
    assert percents == sorted(percents)
    assert all(0 <= percent <= 100 for percent in percents)
    assert all("of 15 MB" in (deed.text or "") for deed in shown[:-1])
    assert all(later.time - earlier.time >= 0.9 for earlier, later in itertools.pairwise(shown[:-1]))
    assert len({deed.text for deed in shown}) == len(shown)
    assert said(chat)[1] == "[document] film.mkv\nsaved"


@only("telegram", KNOWS_NONE)
async def test_progress_counts_bytes_as_they_come_from_the_messenger(world: World, side: Side) -> None:
    """A document is seen to move while its only part is still being fetched."""
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(5 * MIB))
    async with world.bot({**QUICK, ("uploads", "part_size"): "32 MiB"}):
        chat.send_document(alice, "film.mkv", Content.generated(18 * MIB))
        await chat.wait_for("\nsaved")
    percents = [percent_in(deed) for deed in edits(side, chat)[:-1]]
    assert len({percent for percent in percents if 0 < percent <= 50}) >= 2


@only("telegram", KNOWS_NONE)
async def test_progress_counts_bytes_as_they_go_to_the_store_and_not_by_parts(world: World, side: Side) -> None:
    """A document of one part is seen to move while that part is on its way."""
    alice, chat = side.meet()
    settings = {**QUICK, ("uploads", "part_size"): "32 MiB"}
    async with store_behind_proxy(world) as (proxy, store), world.bot({**settings, **store}):
        proxy.add(SlowRequest(6 * MIB), match="PutObject")
        chat.send_document(alice, "film.mkv", Content.generated(18 * MIB))
        await chat.wait_for(SAVED)
        await chat.wait_for("\nsaved")
    percents = [percent_in(deed) for deed in edits(side, chat)[:-1]]
    assert len(set(percents)) >= 2
    assert percents == sorted(percents)


@only("telegram", KNOWS_NONE)
async def test_an_upload_that_begins_again_does_not_go_back_in_what_it_shows(world: World, side: Side) -> None:
    """The connection is lost after a second; begun again, it is slower."""
    alice, chat = side.meet()
    settings = {**QUICK, ("uploads", "part_size"): "16 MiB"}
    async with store_behind_proxy(world) as (proxy, store), world.bot({**settings, **store}, HASTY):
        proxy.add(SlowRequest(8 * MIB), match="PutObject")
        slower = proxy.add(SlowRequest(5 * MIB), match="PutObject")
        chat.send_document(alice, "film.mkv", Content.generated(14 * MIB))
        await chat.wait_for("%")
        proxy.down()
        proxy.up()
        await chat.wait_for("\nsaved")
    assert slower.count == 1
    percents = [percent_in(deed) for deed in edits(side, chat)[:-1]]
    assert len(percents) >= 2
    assert percents == sorted(percents)


async def test_several_documents_in_one_message_each_show_their_own_progress_and_come_to_rest(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(4 * MIB), times=2)
    side.world.faults.add(method=side.names.send, answer=Delay(0.5))  # so that all three wait for the greeting
    async with world.bot({**QUICK, ("limits", "max_file_size"): "11 MiB"}):
        for number in range(3):
            chat.send_document(alice, f"{number}.bin", Content.generated(10 * MIB if number else 12 * MIB))
        status = await chat.wait_for(lambda message: message["text"].count("%") == 2)
        await chat.wait_for(lambda message: message["text"].count(": saved") == 2)
    lines = world_text(chat, status["message_id"]).splitlines()
    assert lines == ["[document] 3 files:", "• 0.bin: not saved", "• 1.bin: saved", "• 2.bin: saved"]


async def test_a_message_that_its_reader_deleted_shows_nothing_more_and_the_document_is_saved(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(5 * MIB))
    async with world.bot(QUICK):
        chat.send_document(alice, "film.mkv", Content.generated(10 * MIB))
        status = await chat.wait_for("[document]")
        chat.delete(status["message_id"])
        await chat.wait_for(SAVED)
    assert world.objects["film.mkv"].size == 10 * MIB


FAULTS: dict[str, Instead] = {"outage": Html502(), "flood": TooManyRequests(1), "too many": ApiError(6)}


@in_each("fault", telegram=["outage", "flood"], vk=["too many"])
async def test_a_message_comes_to_rest_even_if_that_edit_fails_at_first(world: World, side: Side, fault: str) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(5 * MIB))
    async with store_behind_proxy(world) as (proxy, store), world.bot({**QUICK, **store}, HASTY):
        last = proxy.hold("CompleteMultipartUpload")
        chat.send_document(alice, "film.mkv", Content.generated(10 * MIB))
        await chat.wait_for("%")
        await last.reached.wait()
        struck = side.world.faults.add(
            method=side.names.edit,
            answer=FAULTS[fault],
            match=lambda call: "\nsaved" in call.params[side.names.text],
        )
        last.release()
        await chat.wait_for("\nsaved")
    assert struck.hits == 1
    assert world.s3.uploads(BUCKET) == []


async def test_a_message_that_showed_progress_before_a_stop_comes_to_rest_after_the_restart(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(5 * MIB))
    async with world.bot({**QUICK, ("stop", "grace_period"): "0 s"}) as bot:
        chat.send_document(alice, "film.mkv", Content.generated(20 * MIB))
        await chat.wait_for("%")
        bot.stop.set()
    assert "%" in said(chat)[1]
    async with world.bot(QUICK):
        await chat.wait_for("\nsaved")
    assert said(chat)[1] == "[document] film.mkv\nsaved"
    assert len(said(chat)) == 3


def edits(side: Side, chat: Chat) -> list[Deed]:
    return [deed for deed in chat.history if deed.method == side.names.edit]


def percent_in(deed: Deed) -> int:
    found = re.search(r"(\d+)%", deed.text or "")
    assert found is not None, deed.text
    return int(found[1])


def world_text(chat: Chat, message_id: int) -> str:
    message = chat.find(message_id)
    assert message is not None
    return str(message["text"])
