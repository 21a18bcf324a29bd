"""What a document is called in the bucket, what is stored along with it, and that nothing is overwritten."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from werkzeug.http import parse_options_header

from tests.bot.talk import MARKERS, NO_LIMITS, SAVED, in_each, markers, meet, only, said, send_raw, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World

MIB = 2**20


MADE_KEYS = {
    "a/b.txt": "a_b.txt",
    "../../etc/passwd": ".._.._etc_passwd",
    "C:\\report.txt": "C:_report.txt",
    "tab\tnew\nline\r\0.txt": "tabnewline.txt",
    "\u202etxt.exe": "txt.exe",
    "\u2066a\u2069\u202cb.txt": "ab.txt",
    "\x7f\x85del.txt": "del.txt",
    "\uffff\ufffe.txt": ".txt",
}


async def test_what_cannot_be_a_key_in_the_root_is_made_one_and_the_person_told(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        for number, (file_name, key) in enumerate(MADE_KEYS.items()):
            upload = proxy.hold("PutObject")
            side.send_named(chat, alice, file_name)
            await chat.wait_for(f"saving it as {key}.")
            upload.release()
            saved = (await chat.wait_for(SAVED, count=number + 1))[-1]
            assert f" {key}, 7 bytes" in saved["text"]
            assert "could not be its name there" in saved["text"]
    assert set(world.objects) == set(MADE_KEYS.values())


KEPT = (
    " leading and trailing spaces ",
    "-rf",
    "~",
    "CON",
    "a:b*c|d<e>.txt",
    "می‌خواهم.pdf",
    "سند.pdf",
    "é.txt",
    "e\u0301.txt",
    "%2e%2e%2f.txt",
    "100%.txt",
    "a&amp;b.xml",
    "]]>.txt",
    "...",
    "x.tar.gz",
    "{name}.txt",
    "\u200f\u200e.txt",
)


async def test_all_other_names_are_kept_letter_for_letter(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for name in KEPT:
            side.send_named(chat, alice, name, name.encode())
        for name in KEPT:
            await world.object(name)
    assert world.contents == {name: name.encode() for name in KEPT}
    assert "could not be its name" not in "".join(said(chat))


@only("telegram", "VK adds the extension of what is stored to a title")
async def test_a_document_without_a_usable_name_is_called_after_its_id_and_type(world: World) -> None:
    alice, chat = meet(world)
    fields: list[dict[str, Any]] = [
        {},
        *({"file_name": name} for name in ("", ".", "..", "   ", "\0", "\u202e", " .. ")),
    ]
    async with world.bot(NO_LIMITS):
        sent = [send_raw(world, chat, alice, mime_type="application/pdf", **named) for named in fields]
        keys = [message["document"]["file_unique_id"] + ".pdf" for message in sent]
        for key in keys:
            await world.object(key)
    assert set(world.objects) == set(keys)


@only("telegram", "VK tells a title and an extension of every document")
async def test_a_document_with_nothing_but_its_ids_is_saved(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        sent = send_raw(world, chat, alice, b"\x00\x01")
        await chat.wait_for(SAVED)
    key = sent["document"]["file_unique_id"]
    assert world.content(key) == b"\x00\x01"
    assert world.objects[key].content_type == "application/octet-stream"


async def test_half_a_character_in_a_name_becomes_a_question_mark(world: World, side: Side) -> None:
    """JSON can escape half a surrogate pair; UTF-8 can't carry it."""
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.send_named(chat, alice, "a\ud83d.txt")
        await chat.wait_for(SAVED)
    assert list(world.objects) == ["a?.txt"]


@pytest.mark.parametrize("letters", [800, 30_000])
async def test_an_over_long_name_is_cut_before_its_extension_and_the_person_told(
    world: World, side: Side, letters: int
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.send_named(chat, alice, "ё" * letters + ".pdf")
        saved = await chat.wait_for(SAVED)
        header = (await world.object("ё" * 510 + ".pdf")).headers["content-disposition"]
    assert list(world.objects) == ["ё" * 510 + ".pdf"]
    assert len(header) < 4096  # S3 takes 8 KiB of all headers together
    assert "could not be its name there" in saved["text"]


CONTENT_TYPES = (
    ("a.pdf", "application/pdf", "application/pdf"),
    ("a.pdf", None, "application/pdf"),
    ("a", "image/svg+xml", "image/svg+xml"),
    ("a", None, "application/octet-stream"),
    ("a.tar.gz", None, "application/octet-stream"),
    ("a.pdf", "no type", "application/pdf"),
    ("a.pdf", "text/html\r\nX-Evil: 1", "application/pdf"),
    ("a.pdf", "text/html; charset=x", "application/pdf"),
    ("a.pdf", "тип/вид", "application/pdf"),
    ("a.pdf", "x/" + "y" * 200, "application/pdf"),
)


@only("telegram", "VK tells no content types")
async def test_the_content_type_is_what_the_sender_says_if_it_can_be_one(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        for number, (file_name, mime_type, _) in enumerate(CONTENT_TYPES):
            send_raw(world, chat, alice, file_name=f"{number}{file_name}", mime_type=mime_type)
        for number, (file_name, _, stored) in enumerate(CONTENT_TYPES):
            assert (await world.object(f"{number}{file_name}")).content_type == stored


DISPOSED = ("report.pdf", "Отчёт 5.pdf", 'say "hi"; x=y.txt', "100%25.txt", "👩‍👩‍👧.png", "a'b(c)*.txt", "naïve.txt")


async def test_the_content_disposition_tells_browsers_the_whole_name(world: World, side: Side) -> None:
    """RFC 6266 and RFC 8187, read by somebody else's parser."""
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for name in DISPOSED:
            side.send_named(chat, alice, name)
        for name in DISPOSED:
            header = (await world.object(name)).headers["content-disposition"]
            assert parse_options_header(header) == ("attachment", {"filename": name})
            assert header.isascii()


async def test_the_content_disposition_keeps_the_name_as_sent_where_the_key_could_not(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.send_named(chat, alice, "5/6.txt")
        stored = await world.object("5_6.txt")
    assert parse_options_header(stored.headers["content-disposition"])[1]["filename"] == "5/6.txt"


@in_each("size", telegram=[7, 9 * MIB], vk=[7])
async def test_the_metadata_tells_where_an_object_came_from(world: World, side: Side, size: int) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        sent = chat.send_document(alice, "report.pdf", bytes(size))
        stored = await world.object("report.pdf")
        await chat.wait_for(SAVED)
    told = {name: stored.metadata[name] for name in ("messenger", "chat", "message")}
    assert told == {"messenger": side.name, "chat": str(chat.id), "message": str(sent["message_id"])}
    assert stored.content_type == "application/pdf"


async def test_the_same_name_again_is_kept_beside_the_first_and_the_person_told(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for number in range(3):
            chat.send_document(alice, "report.tar.gz", f"content {number}".encode())
            await chat.wait_for(SAVED, count=number + 1)
    keys = ["report.tar.gz", "report.tar (1).gz", "report.tar (2).gz"]
    assert [world.content(key) for key in keys] == [b"content 0", b"content 1", b"content 2"]
    answers = [text for text in said(chat) if text.startswith(SAVED)]
    assert [f" {key}, 9 bytes" in text for key, text in zip(keys, answers, strict=True)] == [True] * 3
    assert ["taken already" in text for text in answers] == [False, True, True]


async def test_names_that_differ_in_case_or_composition_are_different(world: World, side: Side) -> None:
    alice, chat = side.meet()
    names = ["readme.md", "README.md", "é.txt", "e\u0301.txt"]
    async with world.bot(NO_LIMITS):
        for name in names:
            side.send_named(chat, alice, name)
        for name in names:
            await world.object(name)
    assert set(world.objects) == set(names)


async def test_ten_documents_of_one_name_from_ten_chats_at_once_become_ten_objects(world: World, side: Side) -> None:
    meetings = [side.meet(f"Person {number}") for number in range(10)]
    async with world.bot({**NO_LIMITS, ("worker", "concurrent_workers"): "10"}):
        for number, (person, chat) in enumerate(meetings):
            chat.send_document(person, "report.pdf", f"content {number}".encode())
        answers = [await chat.wait_for(SAVED) for _, chat in meetings]
    assert set(world.objects) == {"report.pdf", *(f"report ({number}).pdf" for number in range(1, 10))}
    assert {world.content(key) for key in world.objects} == {f"content {number}".encode() for number in range(10)}
    for number, answer in enumerate(answers):
        key = answer["text"].partition("] ")[2].partition(",")[0]
        assert world.content(key) == f"content {number}".encode()


async def test_an_object_that_was_there_before_is_not_overwritten(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "report.pdf", b"somebody else's")
    world.s3.put(BUCKET, "report (2).pdf", b"somebody else's too")
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for number in (1, 3):
            chat.send_document(alice, "report.pdf", b"hers")
            await chat.wait_for(f"report ({number}).pdf")
    assert world.content("report.pdf") == b"somebody else's"
    assert world.content("report (2).pdf") == b"somebody else's too"
    assert world.content("report (1).pdf") == world.content("report (3).pdf") == b"hers"


@in_each("size", telegram=[7, 9 * MIB], vk=[7])
async def test_an_object_put_behind_the_bots_back_is_not_overwritten(world: World, side: Side, size: int) -> None:
    """It comes between the bot's look at the name and its own write."""
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        write = proxy.hold("PutObject" if size == 7 else "CompleteMultipartUpload")
        chat.send_document(alice, "report.pdf", bytes(size))
        await write.reached.wait()
        world.s3.put(BUCKET, "report.pdf", b"somebody else's")
        write.release()
        saved = await chat.wait_for(SAVED)
    assert world.content("report.pdf") == b"somebody else's"
    assert world.content("report (1).pdf") == bytes(size)
    assert "report (1).pdf" in saved["text"]
    assert "taken already" in saved["text"]
    assert world.s3.uploads(BUCKET) == []


@in_each("name", telegram=["odd.(1)", "a (1).b", "a.b (c", "x" * 1020 + ".pdf"], vk=["odd.(1)"])
async def test_numbers_are_found_for_names_that_look_like_numbered_ones(world: World, side: Side, name: str) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for number in range(12):
            side.send_named(chat, alice, name, f"content {number}".encode())
            with trio.fail_after(5):
                await chat.wait_for(SAVED, count=number + 1)
    assert {world.content(key) for key in world.objects} == {f"content {number}".encode() for number in range(12)}


@in_each("shout", telegram=[False, True], vk=[True])
async def test_a_marker_in_a_file_name_cannot_fake_an_answer(world: World, side: Side, shout: bool) -> None:
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "100 B"}):
        for marker in MARKERS:
            alice, chat = side.meet()
            written = marker.upper() if shout else marker
            for number, name in enumerate((f"{written} x.txt", f"{written}/x.txt")):
                side.send_named(chat, alice, name)
                await chat.wait_for(SAVED, count=number + 1)
            side.send_named(chat, alice, f"x {written}.txt", bytes(1000))
            await chat.wait_for("could not be saved")
            assert markers(chat) == ["[greeting]", *["[document]", SAVED] * 2, "[document]", ""]
            for text, own in zip(said(chat), markers(chat), strict=True):
                assert text.casefold().count(marker) == (own == marker)
            assert {f"{written} x.txt", f"{written}_x.txt"} <= set(world.objects)


async def test_a_marker_made_whole_by_what_is_dropped_from_a_name_cannot_fake_an_answer(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.send_named(chat, alice, "[document has\x00 been\u202e saved].txt")
        await chat.wait_for(SAVED)
    assert markers(chat) == ["[greeting]", "[document]", SAVED]
    assert [[marker in text for marker in MARKERS[2:]] for text in said(chat)] == [[0, 0], [1, 0], [0, 1]]


async def test_a_name_that_runs_from_right_to_left_does_not_turn_the_sentence_around(world: World, side: Side) -> None:
    """Unicode Standard Annex #9: the name stands in an isolate, FSI to PDI."""
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.send_named(chat, alice, "سند.pdf")
        saved = await chat.wait_for(SAVED)
    assert saved["text"] == f"{SAVED} \u2068سند.pdf\u2069, 7 bytes"


@only("telegram", "VK has no second word on a size")
async def test_a_wrong_size_in_the_message_does_no_harm(world: World) -> None:
    """What counts is what getFile says, and in the end what arrives."""
    alice, chat = meet(world)
    sizes = (0, 5, 2**40, -1)
    async with world.bot(NO_LIMITS):
        for size in sizes:
            send_raw(world, chat, alice, b"content", file_name=f"{size}.txt", file_size=size)
        for size in sizes:
            await world.object(f"{size}.txt")
    assert {world.content(key) for key in world.objects} == {b"content"}
