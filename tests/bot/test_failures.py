"""Documents that can't be saved, now or ever: every one of them ends in words."""

from __future__ import annotations

import json
from dataclasses import dataclass

from structlog.testing import capture_logs

from tests.bot.talk import HASTY, NO_LIMITS, SAVED, in_each, markers, only, said, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World
from trio_s3_bot.outages import WORTH_TELLING
from trio_s3_bot.sandbox.faults import S3_SLOW_DOWN, Fault, Reset, s3_error
from trio_s3_bot.sandbox.replies import Html502, Instead, Reply, SlowBody, Status, Work, json_reply
from trio_s3_bot.sandbox.telegram import BadRequest
from trio_s3_bot.sandbox.vk import ErrorPage
from trio_s3_bot.sandbox.world import Content
from trio_s3_bot.uploads import MOST_FAILURES

MIB = 2**20
SIZE = ("file_size", "size")  # what either messenger calls it
WHY = "could not be saved"


@only("telegram", "VK gives bots documents of any size")
async def test_a_document_over_telegrams_limit_is_answered_with_the_reason(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.send_document(alice, "film.mkv", Content.generated(20 * MIB + 1))
        answer = await chat.wait_for(WHY)
    assert markers(chat) == ["[greeting]", "[document]", ""]
    assert "film.mkv" in answer["text"]
    assert "20 MB" in answer["text"]
    assert "smaller pieces" in answer["text"]
    assert world.objects == {}


async def test_the_reason_is_told_in_the_persons_language(world: World, side: Side) -> None:
    alice, chat = side.meet(language="ru")
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "10 B"}):
        chat.send_document(alice, "film.mkv", bytes(11))
        answer = await chat.wait_for("film.mkv не сохранён")
    assert "10 байт" in answer["text"]


@in_each("announced", telegram=["in the message", "by getFile", "nowhere"], vk=["in the message", "nowhere"])
async def test_a_document_over_the_operators_limit_is_answered_with_the_reason(
    world: World, side: Side, announced: str
) -> None:
    omitted = () if announced == "in the message" else SIZE
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "1000 B"}):
        if announced == "nowhere":
            world.telegram.faults.add(method="getFile", answer=WithoutSize(), times=2)
        chat.send_document(alice, "big.bin", bytes(1001), omit=omitted)
        chat.send_document(alice, "fits.bin", bytes(1000), omit=omitted)
        answer = await chat.wait_for(WHY)
        await chat.wait_for(SAVED)
    assert markers(chat).count("") == 1
    assert "big.bin" in answer["text"]
    assert "1,000 bytes" in answer["text"]
    assert list(world.objects) == ["fits.bin"]
    assert len(side.world.calls(side.names.fetch)) == (1 if announced == "in the message" else 2)


async def test_a_document_that_grows_over_the_limit_leaves_nothing_behind_and_its_progress_at_rest(
    world: World,
    side: Side,
) -> None:
    settings = {
        ("limits", "max_file_size"): "11 MiB",
        ("uploads", "part_size"): "5 MiB",
        ("uploads", "progress_interval"): "1 s",
    }
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, **settings}):
        world.telegram.faults.add(method="getFile", answer=WithoutSize())
        side.world.faults.add(method="file", answer=SlowBody(4 * MIB))
        chat.send_document(alice, "big.bin", bytes(12 * MIB), omit=SIZE)
        await chat.wait_for(lambda message: "so far" in message["text"])
        await chat.wait_for(WHY)
        await chat.wait_for("not saved")
    assert said(chat)[1] == "[document] big.bin\nnot saved"
    assert "11 MB" in said(chat)[2]
    assert world.objects == {}
    assert world.s3.uploads(BUCKET) == []


@only("telegram", "VK does not tell for good that it has a document no more")
async def test_a_document_that_telegram_has_no_more_is_answered_with_the_reason(world: World, side: Side) -> None:
    alice, chat = side.meet()
    side.world.faults.add(method="getFile", answer=BadRequest("invalid file_id"))
    async with world.bot(NO_LIMITS):
        chat.send_document(alice, "report.pdf", b"content")
        answer = await chat.wait_for(WHY)
    assert markers(chat) == ["[greeting]", "[document]", ""]
    assert "send it again" in answer["text"]


AT_THE_MOMENT: dict[str, Instead] = {
    "outage": Html502(),
    "unavailable": BadRequest("wrong file_id or the file is temporarily unavailable"),
    "no path": Status(200, b'{"ok":true,"result":{"file_id":"A","file_unique_id":"B"}}'),
    "nonsense": Status(200, b'"\xff'),
    "page": ErrorPage(),
}


@in_each("fault", telegram=["outage", "unavailable", "no path", "nonsense"], vk=["outage", "page"])
async def test_a_document_that_the_messenger_cannot_give_at_the_moment_is_saved_later(
    world: World, side: Side, fault: str
) -> None:
    alice, chat = side.meet()
    struck = side.world.faults.add(method=side.names.fetch, answer=AT_THE_MOMENT[fault])
    async with world.bot(NO_LIMITS, HASTY):
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert struck.hits == 1
    assert markers(chat) == ["[greeting]", "[document]", SAVED]


async def test_a_document_whose_tries_are_used_up_is_answered_with_the_reason(world: World, side: Side) -> None:
    """Neither messenger tells what is gone from what is unavailable for a moment, so that is tried for a while."""
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS, HASTY):
        sent = chat.send_document(alice, "report.pdf", b"content")
        side.world.forget_file(side.sent_file(sent))
        answer = await chat.wait_for(WHY)
    assert len(side.world.calls(side.names.fetch)) == MOST_FAILURES
    assert markers(chat) == ["[greeting]", "[document]", ""]
    assert "send it again" in answer["text"]


async def test_one_document_that_fails_does_not_keep_the_others(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "10 B"}):
        for name, size in (("a.txt", 1), ("b.txt", 11), ("c.txt", 2)):
            chat.send_document(alice, name, bytes(size))
        await chat.wait_for(WHY)
        await chat.wait_for(lambda _: all(f"{n}, " in "".join(said(chat)) for n in ("a.txt", "c.txt")))
    assert set(world.objects) == {"a.txt", "c.txt"}


async def test_a_document_that_the_store_never_takes_is_answered_with_the_reason(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        proxy.add(s3_error(400, "XMinioInvalidObjectName", "No."), match="PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        answer = await chat.wait_for(WHY)
    assert markers(chat) == ["[greeting]", "[document]", ""]
    assert "storage does not take it" in answer["text"]


OUTAGES: dict[str, Fault] = {
    "keys refused": s3_error(403, "InvalidAccessKeyId", "Unknown key."),
    "no bucket": s3_error(404, "NoSuchBucket", "Gone."),
    "quota": s3_error(507, "XMinioStorageFull", "Full."),
    "clock": s3_error(403, "RequestTimeTooSkewed", "Wrong time."),
    "slow down": S3_SLOW_DOWN,
    "reset": Reset(),
}


@in_each("outage", telegram=list(OUTAGES), vk=["reset"])
async def test_a_document_waits_out_what_is_wrong_with_the_store_and_the_operator_is_told(
    world: World, side: Side, outage: str
) -> None:
    alice, chat = side.meet()
    with capture_logs() as logs:
        async with store_behind_proxy(world) as (proxy, settings), world.bot(settings, HASTY):
            strike = proxy.add(OUTAGES[outage], match="PutObject", times=2)
            chat.send_document(alice, "report.pdf", b"content")
            await chat.wait_for(SAVED)
    assert strike.count == 2
    assert markers(chat) == ["[greeting]", "[document]", SAVED]
    assert world.content("report.pdf") == b"content"
    events = [entry["event"] for entry in logs if entry.get("what") == "the S3 store"]
    assert events == ["out of order; documents wait"] * 2 + ["back in order"]


async def test_a_store_that_goes_down_is_waited_for_by_all_documents(world: World, side: Side) -> None:
    """Whether people are told so meanwhile depends on how long it takes."""
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings, HASTY):
        proxy.down()
        meetings = [side.meet(f"Person {number}") for number in range(5)]
        for number, (person, chat) in enumerate(meetings):
            chat.send_document(person, f"{number}.txt", b"content")
        for _, chat in meetings:
            await chat.wait_for("[document]")
        proxy.up()
        for _, chat in meetings:
            await chat.wait_for(SAVED)
    for _, chat in meetings:
        assert [marker for marker in markers(chat) if marker] == ["[greeting]", "[document]", SAVED]


async def test_people_are_told_once_that_their_document_has_to_wait(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings, HASTY):
        strike = proxy.add(S3_SLOW_DOWN, match="PutObject", times=None)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("is waiting")
        told = strike.count
        await strike.struck(told + 3)
        strike.disarm()
        await chat.wait_for(SAVED)
    assert told >= WORTH_TELLING
    assert markers(chat) == ["[greeting]", "[document]", "", SAVED]


async def test_a_person_who_blocks_the_bot_meanwhile_still_gets_the_document_saved_and_others_are_served(
    world: World,
    side: Side,
) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        upload = proxy.hold("PutObject")
        hers.send_document(alice, "hers.txt", b"content")
        await hers.wait_for("[document]")
        await upload.reached.wait()
        side.world.block(alice)
        upload.release()
        await world.object("hers.txt")
        his.send_document(bob, "his.txt", b"content")
        await his.wait_for(SAVED)
        side.world.unblock(alice)
        hers.say(alice, "I am back")
        await hers.wait_for("[document is required]")
    assert markers(hers) == ["[greeting]", "[document]", "[document is required]"]


@dataclass(frozen=True)
class WithoutSize:
    """`getFile` answers without `file_size`, which the Bot API calls optional."""

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002 - the protocol's
        reply = await work()
        answer = json.loads(reply.body.read(0, reply.body.size))
        del answer["result"]["file_size"]
        return json_reply(answer)
