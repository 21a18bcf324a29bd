"""Renaming: while a document is on its way, and when it is saved."""

from __future__ import annotations

from tests.bot.dialogue import ASK, saved
from tests.bot.talk import HASTY, NO_LIMITS, SAVED, said, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.faults import S3_SLOW_DOWN
from trio_s3_bot.sandbox.world import Content

MIB = 2**20


async def test_a_saved_file_is_renamed_by_its_button_and_an_answer(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        question = await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "Annual report", reply_to=question["message_id"])
        await chat.wait_for("report.pdf is called Annual report.pdf now.")
    (stored,) = world.objects.values()
    assert stored.key == "Annual report.pdf"
    assert stored.content_type == "application/pdf"
    assert "Annual%20report.pdf" in stored.headers["content-disposition"]
    assert world.content("Annual report.pdf") == b"content"
    assert world.s3.uploads(BUCKET) == []


async def test_a_rename_keeps_what_the_object_says_of_its_origin(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "a.txt"), "Rename")
        before = world.objects["a.txt"].metadata
        await chat.wait_for("What shall a.txt be called?")
        chat.say(alice, "b.txt")
        await chat.wait_for("a.txt is called b.txt now.")
    assert before
    assert world.objects["b.txt"].metadata == before


async def test_an_empty_document_is_renamed_too(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "empty.txt", b""), "Rename")
        await chat.wait_for("What shall empty.txt be called?")
        chat.say(alice, "still empty.txt")
        await chat.wait_for("empty.txt is called still empty.txt now.")
    assert world.contents == {"still empty.txt": b""}


async def test_a_document_of_several_parts_is_renamed_too(world: World, side: Side) -> None:
    alice, chat = side.meet()
    content = Content.generated(12 * MIB)
    async with world.bot({**NO_LIMITS, ("uploads", "part_size"): "5 MiB"}):
        chat.send_document(alice, "big.bin", content)
        side.press(chat, alice, await chat.wait_for(SAVED), "Rename")
        await chat.wait_for("What shall big.bin be called?")
        chat.say(alice, "large.bin")
        await chat.wait_for("big.bin is called large.bin now.")
    assert list(world.objects) == ["large.bin"]
    assert world.s3.content(BUCKET, "large.bin").sha256() == content.sha256()
    assert world.s3.uploads(BUCKET) == []


async def test_a_file_is_renamed_again_and_again_and_back(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "a.txt")
        for old, new in (("a.txt", "b.txt"), ("b.txt", "c.txt"), ("c.txt", "a.txt")):
            chat.say(alice, f"/rename {old}")
            await chat.wait_for(f"What shall {old} be called?")
            chat.say(alice, new)
            await chat.wait_for(f"{old} is called {new} now.")
    assert list(world.objects) == ["a.txt"]


async def test_a_name_that_is_taken_is_asked_for_again_and_nothing_is_overwritten(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "taken.pdf", b"somebody else's")
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "taken.pdf")
        await chat.wait_for("There is a file of that name already.")
        chat.say(alice, "free.pdf")
        await chat.wait_for("report.pdf is called free.pdf now.")
    assert world.contents == {
        "taken.pdf": b"somebody else's",
        "free.pdf": b"content",
    }


async def test_an_impossible_name_is_asked_for_again(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "..")
        await chat.wait_for("That can't be the name of a file.")
        chat.say(alice, "sub/folder")
        await chat.wait_for("report.pdf is called sub_folder.pdf now.")
    assert list(world.objects) == ["sub_folder.pdf"]


async def test_three_files_at_once_are_renamed_each_by_the_answer_to_its_own_question(world: World, side: Side) -> None:
    alice, chat = side.meet()
    names = ("a.txt", "b.txt", "c.txt")
    async with world.bot(NO_LIMITS):
        for name in names:
            side.press(chat, alice, await saved(chat, alice, name, name.encode()), "Rename")
        questions = {name: await chat.wait_for(f"What shall {name} be called?") for name in names}
        for name in ("c.txt", "a.txt", "b.txt"):
            chat.say(alice, f"new-{name}", reply_to=questions[name]["message_id"])
        for name in names:
            await chat.wait_for(f"{name} is called new-{name} now.")
    assert world.contents == {f"new-{name}": name.encode() for name in names}


async def test_a_text_that_could_answer_two_questions_answers_none(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for name in ("a.txt", "b.txt"):
            side.press(chat, alice, await saved(chat, alice, name), "Rename")
            await chat.wait_for(f"What shall {name} be called?")
        chat.say(alice, "c.txt")
        await chat.wait_for("[document is required]")
    assert set(world.objects) == {"a.txt", "b.txt"}


async def test_a_document_that_waits_goes_up_under_its_new_name(world: World, side: Side) -> None:
    alice, chat = side.meet()
    one_slot = {("uploads", "concurrent_uploads"): "1"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **one_slot}):
        held = proxy.hold("PutObject")
        chat.send_document(alice, "first.txt", b"first")
        await chat.wait_for("[document] first.txt")
        await held.reached.wait()
        chat.send_document(alice, "second.txt", b"second")
        side.press(chat, alice, await chat.wait_for("[document] second.txt"), "Rename")
        await chat.wait_for("What shall second.txt be called?")
        chat.say(alice, "chosen.txt")
        await chat.wait_for("It will be called chosen.txt.")
        held.release()
        await chat.wait_for(lambda _: any(text.startswith(SAVED) and "chosen.txt, " in text for text in said(chat)))
    assert set(world.objects) == {"first.txt", "chosen.txt"}
    assert not any(record.call == "UploadPartCopy" for record in proxy.requests)


async def test_a_document_that_is_renamed_while_it_goes_up_is_renamed_when_it_is_there(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = proxy.hold("PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        await held.reached.wait()
        side.press(chat, alice, await chat.wait_for("[document] report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "chosen")
        await chat.wait_for("It will be called chosen.pdf.")
        held.release()
        await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert list(world.objects) == ["chosen.pdf"]
    assert world.objects["chosen.pdf"].content_type == "application/pdf"


async def test_a_name_chosen_while_it_goes_up_that_turns_out_to_be_taken_is_asked_for_again(
    world: World, side: Side
) -> None:
    world.s3.put(BUCKET, "taken.pdf", b"somebody else's")
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = proxy.hold("PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        await held.reached.wait()
        side.press(chat, alice, await chat.wait_for("[document] report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "taken.pdf")
        held.release()
        await chat.wait_for("There is a file of that name already.")
        chat.say(alice, "free.pdf")
        await chat.wait_for("report.pdf is called free.pdf now.")
    assert world.content("taken.pdf") == b"somebody else's"


async def test_a_chosen_name_replaces_one_that_could_not_be_a_key_also_where_it_is_downloaded(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, **ASK}):
        chat.send_document(alice, "a/b.pdf", b"content")
        side.press(chat, alice, await chat.wait_for("Rename it before it is saved?"), "Rename")
        await chat.wait_for("What shall a_b.pdf be called?")
        chat.say(alice, "chosen.pdf")
        done = await chat.wait_for(SAVED)
    assert "a/b.pdf" not in done["text"]
    assert "filename*=UTF-8''chosen.pdf" in world.objects["chosen.pdf"].headers["content-disposition"]


async def test_a_file_that_is_gone_does_not_become_another_one_by_a_rename(world: World, side: Side) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    async with world.bot(NO_LIMITS):
        await saved(his, bob, "secret.txt", b"Bob's")
        side.press(hers, alice, await saved(hers, alice, "report.txt", b"Alice's"), "Rename")
        await hers.wait_for("What shall report.txt be called?")
        world.s3.delete(BUCKET, "report.txt")
        hers.say(alice, "secret.txt")
        await hers.wait_for("There is a file of that name already.")
        hers.say(alice, "free.txt")
        await hers.wait_for("report.txt is not there (any more).")
        his.say(bob, "/list")
        assert "secret.txt" in (await his.wait_for("Your saved files: 1"))["text"]
    assert world.content("secret.txt") == b"Bob's"


async def test_a_file_that_is_replaced_while_its_rename_waits_is_told_and_holds_up_no_other(
    world: World, side: Side
) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    overwrite = {("names", "on_conflict"): "overwrite"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **overwrite}, HASTY):
        done = await saved(hers, alice, "report.txt", b"Alice's")
        others = await saved(hers, alice, "other.txt", b"other")
        strike = proxy.add(S3_SLOW_DOWN, match="UploadPartCopy", times=None)
        side.press(hers, alice, done, "Rename")
        await hers.wait_for("What shall report.txt be called?")
        hers.say(alice, "mine.txt")
        await strike.struck()
        await saved(his, bob, "report.txt", b"Bob's")
        await hers.wait_for("report.txt is not there (any more).")
        strike.disarm()
        side.press(hers, alice, others, "Rename")
        await hers.wait_for("What shall other.txt be called?")
        hers.say(alice, "another.txt")
        await hers.wait_for("other.txt is called another.txt now.")
    assert world.contents == {"report.txt": b"Bob's", "another.txt": b"other"}


async def test_cancel_leaves_the_question_and_the_name(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "/cancel")
        await chat.wait_for("Its name stays report.pdf.")
        chat.say(alice, "new.pdf")
        await chat.wait_for("[document is required]")
    assert list(world.objects) == ["report.pdf"]
