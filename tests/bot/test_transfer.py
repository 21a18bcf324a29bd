"""Bytes on their way: what comes through whole is stored, what doesn't is fetched again, and nothing is left behind."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from tests.bot.talk import HASTY, NO_LIMITS, SAVED, in_each, markers, only, said, store_behind_proxy
from tests.sides import Chat, Person, Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.faults import (
    S3_INTERNAL_ERROR,
    CutRequest,
    Fault,
    Record,
    Request,
    Reset,
    When,
    s3_error,
)
from trio_s3_bot.sandbox.faults import Status as StoreStatus
from trio_s3_bot.sandbox.replies import CutBody, Html502, SlowBody, Status, WrongSize
from trio_s3_bot.sandbox.world import Content

MIB = 2**20
PARTS = {
    **NO_LIMITS,
    ("uploads", "part_size"): "5 MiB",
    ("uploads", "memory_limit"): "10 MiB",
}
"""The smallest parts that the settings allow."""
KNOWS_NONE = "the transfer knows no messenger"


async def send(chat: Chat, person: Person, size: int, name: str = "film.mkv") -> Content:
    content = Content.generated(size, name)
    chat.send_document(person, name, content)
    return content


def is_whole(world: World, content: Content, key: str = "film.mkv") -> bool:
    return world.s3.content(BUCKET, key).sha256() == content.sha256()


@in_each("size", telegram=[5 * MIB - 1, 5 * MIB, 12 * MIB], vk=[12 * MIB])
async def test_a_document_of_any_number_of_parts_arrives_as_it_was_sent(world: World, side: Side, size: int) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**PARTS, **settings}):
        content = await send(chat, alice, size)
        await chat.wait_for(SAVED)
        calls = [request.call for request in proxy.requests if request.path.endswith("/film.mkv")]
    assert is_whole(world, content)
    assert calls.count("UploadPart") == (0 if size < 5 * MIB else math.ceil(size / (5 * MIB)))
    assert calls.count("PutObject") == (1 if size < 5 * MIB else 0)


@only("telegram", KNOWS_NONE)
async def test_downloading_and_uploading_overlap(world: World, side: Side) -> None:
    """The first part is in the store before the last bytes have come."""
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=SlowBody(6 * MIB))
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**PARTS, **settings}):
        content = await send(chat, alice, 12 * MIB)
        await chat.wait_for(SAVED)
        parts = [request.time for request in proxy.requests if request.call == "UploadPart"]
    assert is_whole(world, content)
    assert max(parts) - min(parts) > 0.7


DOWNLOADS: dict[str, CutBody | WrongSize | Html502 | Status] = {
    "cut in the first part": CutBody(2 * MIB),
    "cut between parts": CutBody(5 * MIB),
    "cut at the last byte": CutBody(12 * MIB - 1),
    "too short": WrongSize(-1),
    "too long": WrongSize(1),
    "bad gateway": Html502(),
    "not found": Status(404),
}


@in_each("fault", telegram=list(DOWNLOADS), vk=["cut between parts", "too short", "not found"])
async def test_a_document_that_comes_through_wrong_is_fetched_again(world: World, side: Side, fault: str) -> None:
    alice, chat = side.meet()
    struck = side.world.faults.add(method="file", answer=DOWNLOADS[fault])
    async with world.bot(PARTS, HASTY):
        content = await send(chat, alice, 12 * MIB)
        await chat.wait_for(SAVED)
    assert struck.hits == 1
    assert is_whole(world, content)
    assert markers(chat) == ["[greeting]", "[document]", SAVED]
    assert list(world.objects) == ["film.mkv"]
    assert world.s3.uploads(BUCKET) == []


async def test_a_document_that_only_trickles_in_takes_its_slot_from_others_no_longer_than_it_is_given(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    trickle = side.world.faults.add(method="file", answer=SlowBody(100))
    hasty = replace(HASTY, timeouts=replace(HASTY.timeouts, piece=1))
    async with world.bot({**NO_LIMITS, ("uploads", "concurrent_uploads"): "1"}, hasty):
        await send(chat, alice, 12 * MIB)
        await side.world.wait(lambda: trickle.hits or None)
        chat.send_document(alice, "small.txt", b"small")
        await world.object("small.txt")
        await world.object("film.mkv")
    assert trickle.hits == 1


@in_each("size", telegram=[3 * MIB, 12 * MIB], vk=[12 * MIB])
async def test_a_document_that_never_comes_through_whole_is_given_up_and_leaves_nothing(
    world: World, side: Side, size: int
) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="file", answer=WrongSize(-1), times=None)
    async with world.bot(PARTS, HASTY):
        await send(chat, alice, size)
        answer = await chat.wait_for("could not be saved")
    assert "send it again" in answer["text"]
    assert world.objects == {}
    assert world.s3.uploads(BUCKET) == []


@only("telegram", KNOWS_NONE)
async def test_a_gap_between_stored_parts_is_filled_with_the_right_bytes(world: World, side: Side) -> None:
    """Part 1 is lost after part 2 was stored: then part 1 is read again, and the reading jumps to part 3."""
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**PARTS, **settings}, HASTY):
        one, three = (proxy.hold(partial(is_part, number)) for number in (1, 3))
        content = await send(chat, alice, 17 * MIB)
        await one.reached.wait()
        await three.reached.wait()
        one.release(Reset())
        three.release()
        await chat.wait_for(SAVED)
        sent = [request.query["partNumber"] for request in proxy.requests if is_film_part(request)]
    assert is_whole(world, content)
    assert sent.count("2") == 1
    assert sent.count("1") == 2


def is_part(number: int, request: Request) -> bool:
    return is_film_part(request) and request.query["partNumber"] == str(number)


def is_film_part(request: Request | Record) -> bool:
    return request.call == "UploadPart" and request.path.endswith("/film.mkv")


async def test_a_link_that_has_expired_is_asked_for_anew(world: World, side: Side) -> None:
    alice, chat = side.meet()
    side.world.file_lifetime = 0
    async with world.bot(PARTS, HASTY):
        content = await send(chat, alice, MIB)
        await side.world.wait(lambda: any(call.finished for call in side.world.calls(side.names.fetch)))
        side.world.file_lifetime = 3600
        await chat.wait_for(SAVED)
    assert len(side.world.calls(side.names.fetch)) >= 2
    assert is_whole(world, content)


UPLOADS: dict[str, tuple[str, Fault, When]] = {
    "create lost": ("CreateMultipartUpload", Reset(), When.BEFORE),
    "create unanswered": ("CreateMultipartUpload", Reset(), When.AFTER),
    "part lost": ("UploadPart", CutRequest(MIB), When.BEFORE),
    "part unanswered": ("UploadPart", Reset(), When.AFTER),
    "part refused": ("UploadPart", S3_INTERNAL_ERROR, When.BEFORE),
    "upload gone": ("UploadPart", s3_error(404, "NoSuchUpload", "Gone."), When.BEFORE),
    "complete lost": ("CompleteMultipartUpload", Reset(), When.BEFORE),
    "complete unanswered": ("CompleteMultipartUpload", Reset(), When.AFTER),
    "complete failed in a 200": (
        "CompleteMultipartUpload",
        StoreStatus(200, b"<Error><Code>InternalError</Code><Message>No.</Message></Error>", "application/xml"),
        When.BEFORE,
    ),
}


@in_each("case", telegram=list(UPLOADS), vk=["complete unanswered"])
async def test_a_large_document_becomes_one_object_whatever_is_lost_on_the_way(
    world: World, side: Side, case: str
) -> None:
    call, fault, when = UPLOADS[case]
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**PARTS, **settings}, HASTY):
        strike = proxy.add(fault, match=call, when=when)
        content = await send(chat, alice, 12 * MIB)
        await chat.wait_for(SAVED)
    assert strike.count == 1
    assert list(world.objects) == ["film.mkv"]
    assert is_whole(world, content)
    assert world.s3.uploads(BUCKET) == []
    assert "taken already" not in "".join(said(chat))


@in_each("when", telegram=["before", "after"], vk=["after"])
async def test_a_small_document_becomes_one_object_whatever_is_lost_on_the_way(
    world: World, side: Side, when: str
) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**PARTS, **settings}, HASTY):
        strike = proxy.add(Reset(), match="PutObject", when=When[when.upper()])
        content = await send(chat, alice, MIB)
        await chat.wait_for(SAVED)
    assert strike.count == 1
    assert list(world.objects) == ["film.mkv"]
    assert is_whole(world, content)
    assert "taken already" not in "".join(said(chat))


@only("telegram", KNOWS_NONE)
async def test_uploads_share_memory_for_two_parts_and_all_come_through(world: World, side: Side) -> None:
    """More slots than memory: they take turns, and none starves another."""
    settings = {**PARTS, ("uploads", "concurrent_uploads"): "6"}
    meetings = [side.meet(f"Person {number}") for number in range(6)]
    async with world.bot(settings):
        contents = [await send(chat, person, 11 * MIB, f"{person.id}.bin") for person, chat in meetings]
        for _, chat in meetings:
            await chat.wait_for(SAVED)
    for (person, _), content in zip(meetings, contents, strict=True):
        assert is_whole(world, content, f"{person.id}.bin")
