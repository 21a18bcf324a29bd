"""Which name a document gets: asked for, taken already, the same again, offered by a caption, put into a folder."""

from __future__ import annotations

import time

import pytest

from tests.bot.dialogue import ASK, pressed_again, saved, toast, without_buttons
from tests.bot.talk import NO_LIMITS, SAVED, all_handled, in_each, said, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World

ASKS = "Rename it before it is saved?"
CONFLICT = {**NO_LIMITS, ("names", "on_conflict"): "ask"}
ASKING = {**NO_LIMITS, **ASK}


async def test_with_ask_the_upload_begins_only_under_the_chosen_name(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **ASK}):
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for(ASKS)
        assert taken["text"].startswith("[document] report.pdf")
        assert side.buttons(taken) == [["✏️ Rename", "Keep name"], ["✖️ Cancel"]]
        side.press(chat, alice, taken, "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        assert world.objects == {}
        chat.say(alice, "chosen")
        await chat.wait_for(f"{SAVED} chosen.pdf")
        await chat.wait_for("[document] chosen.pdf\nsaved")
    assert list(world.objects) == ["chosen.pdf"]
    assert not any(record.call == "UploadPartCopy" for record in proxy.requests)


@pytest.mark.parametrize("words", ["Keep name", "keep", "no"])
async def test_what_the_button_says_is_no_name_though_one_was_asked_for(world: World, side: Side, words: str) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for(ASKS), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, words)
        await chat.wait_for(f"{SAVED} report.pdf")
    assert list(world.objects) == ["report.pdf"]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("renaming", [False, True])
async def test_with_ask_keep_name_saves_it_under_its_own(world: World, side: Side, typed: bool, renaming: bool) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for(ASKS)
        if renaming:
            side.press(chat, alice, taken, "Rename")
            await chat.wait_for("What shall report.pdf be called?")
        if typed:
            chat.say(alice, "/cancel" if renaming else "Keep name")
            await chat.wait_for("It will be called report.pdf.")
        else:
            assert await toast(side.press(chat, alice, taken, "Keep name")) == "Left as it is."
        await chat.wait_for(f"{SAVED} report.pdf")
        rests = await chat.wait_for("[document] report.pdf\nsaved")
    assert side.labels(rests) == []
    assert list(world.objects) == ["report.pdf"]


async def test_with_ask_the_person_is_asked_in_russian_and_answers_in_it(world: World, side: Side) -> None:
    alice, chat = side.meet(language="ru")
    async with world.bot(ASKING):
        chat.send_document(alice, "отчёт.pdf", b"content")
        await chat.wait_for("[document] отчёт.pdf: файл принят. Переименовать его перед сохранением?")
        chat.say(alice, "да")
        await chat.wait_for("Как назвать отчёт.pdf? Ответьте новым именем; /cancel – оставить прежнее.")
        chat.say(alice, "..")
        await chat.wait_for("Так файл назвать нельзя. Как назвать отчёт.pdf?")
        chat.say(alice, "итог за 12.05.2024")
        await chat.wait_for("Файл будет называться итог за 12.05.2024.pdf.")
        await chat.wait_for(f"{SAVED} итог за 12.05.2024.pdf")
    assert list(world.objects) == ["итог за 12.05.2024.pdf"]


async def test_with_ask_small_talk_is_no_name_but_a_file_name_is_one(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(ASKS)
        chat.say(alice, "thank you")
        await chat.wait_for("[document is required]")
        assert world.objects == {}
        chat.say(alice, "Annual report.pdf")
        await chat.wait_for(f"{SAVED} Annual report.pdf")
    assert list(world.objects) == ["Annual report.pdf"]


async def test_with_ask_a_reply_to_the_document_is_its_name(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        sent = [chat.send_document(alice, name, name.encode()) for name in ("a.txt", "b.txt")]
        await chat.wait_for(lambda _: all(f"{name}.txt" in "".join(said(chat)) for name in "ab"))
        chat.say(alice, "second", reply_to=sent[1]["message_id"])
        await chat.wait_for(f"{SAVED} second.txt")
        chat.say(alice, "/cancel", reply_to=sent[0]["message_id"])
        await chat.wait_for(f"{SAVED} a.txt")
    assert world.contents == {"second.txt": b"b.txt", "a.txt": b"a.txt"}


async def test_with_ask_no_answer_in_time_keeps_the_name(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**ASKING, ("names", "ask_timeout"): "1 s"}):
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(f"{SAVED} report.pdf")
    assert list(world.objects) == ["report.pdf"]


async def test_with_ask_a_document_is_cancelled_instead_of_named(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for(ASKS)
        keep = side.data(taken, "Keep name")
        side.press(chat, alice, taken, "Cancel")
        await chat.wait_for("[document] report.pdf\ncancelled")
        assert await toast(side.forge(chat, alice, taken, keep)) == "This button no longer works."
        chat.say(alice, "late.pdf")
        await chat.wait_for("[document is required]")
    assert world.objects == {}


async def test_with_off_nothing_offers_or_does_a_rename(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, ("names", "rename"): "off"}):
        chat.send_document(alice, "IMG_1.jpg", b"content", caption="Holiday.jpg")
        done = await chat.wait_for(SAVED)
        assert side.labels(done) == ["🔗 Link"]
        item = side.data(done, "Link").partition(":")[2]
        for verb in ("name", "capt"):
            pressed = side.forge(chat, alice, done, f"{verb}:{item}")
            assert await toast(pressed) == "This button no longer works."
        chat.say(alice, "/rename IMG_1.jpg")
        helped = await chat.wait_for("[document is required]")
        assert "/rename" not in helped["text"]
        chat.say(alice, "/list")
        side.press(chat, alice, await chat.wait_for("Your saved files"), "1")
        card = await chat.wait_for("7 bytes, saved")
    assert side.labels(card) == ["🔗 Link", "🗑 Delete", "‹ Back to the list"]
    assert list(world.objects) == ["IMG_1.jpg"]


async def test_a_name_that_is_taken_is_numbered_as_shipped(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "report.pdf", b"old")
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.send_document(alice, "report.pdf", b"new")
        done = await chat.wait_for(f"{SAVED} report (1).pdf")
    assert "The name report.pdf was taken already; nothing was overwritten." in done["text"]
    assert world.content("report.pdf") == b"old"
    assert world.content("report (1).pdf") == b"new"


DECISIONS: dict[str, dict[str, bytes]] = {
    "Replace": {"report.pdf": b"new"},
    "Keep both": {"report.pdf": b"old", "report (1).pdf": b"new"},
    "Cancel": {"report.pdf": b"old"},
}


@pytest.mark.parametrize("label", DECISIONS)
async def test_with_conflict_ask_the_sender_decides_by_a_button(world: World, side: Side, label: str) -> None:
    world.s3.put(BUCKET, "report.pdf", b"old")
    alice, chat = side.meet()
    async with world.bot(CONFLICT):
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("report.pdf is there already. Replace it, keep both, or cancel?")
        assert side.labels(question) == ["Replace", "Keep both", "✖️ Cancel"]
        assert world.content("report.pdf") == b"old"
        await all_handled(chat, alice)
        side.press(chat, alice, question, label)
        await chat.wait_for("cancelled" if label == "Cancel" else SAVED)
        await without_buttons(side, chat, question)
    assert world.contents == DECISIONS[label]


TYPED: dict[str, dict[str, bytes]] = {
    "replace": DECISIONS["Replace"],
    "both": DECISIONS["Keep both"],
    "/cancel": DECISIONS["Cancel"],
    "other.pdf": {"report.pdf": b"old", "other.pdf": b"new"},
}


@in_each("answer", telegram=list(TYPED), vk=["both"])
async def test_with_conflict_ask_the_sender_decides_by_a_word(world: World, side: Side, answer: str) -> None:
    world.s3.put(BUCKET, "report.pdf", b"old")
    alice, chat = side.meet()
    async with world.bot(CONFLICT):
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("report.pdf is there already.")
        await all_handled(chat, alice)
        chat.say(alice, answer)
        await chat.wait_for("cancelled" if answer == "/cancel" else SAVED)
        await without_buttons(side, chat, question)
    assert world.contents == TYPED[answer]


async def test_with_conflict_ask_the_question_is_put_in_russian(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "отчёт.pdf", b"old")
    alice, chat = side.meet(language="ru")
    async with world.bot(CONFLICT):
        chat.send_document(alice, "отчёт.pdf", b"new")
        question = await chat.wait_for("Файл отчёт.pdf уже есть. Заменить его, оставить оба или отменить?")
        assert side.labels(question) == ["Заменить", "Оставить оба", "✖️ Отменить"]
        chat.say(alice, "Заменить")
        await chat.wait_for(SAVED)
    assert world.content("отчёт.pdf") == b"new"


async def test_with_conflict_ask_another_name_that_is_taken_is_asked_about_again(world: World, side: Side) -> None:
    """Neither is "replace" said of one name taken for an answer about the other."""
    for key in ("report.pdf", "other.pdf"):
        world.s3.put(BUCKET, key, b"old")
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **CONFLICT}):
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("report.pdf is there already.")
        looked = proxy.hold(lambda request: request.call == "PutObject")
        side.press(chat, alice, question, "Replace")
        await looked.reached.wait()
        chat.say(alice, "/rename", reply_to=question["message_id"])
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "other.pdf")
        await chat.wait_for("It will be called other.pdf.")
        looked.release()
        await chat.wait_for("There is a file of that name already.")
        chat.say(alice, "/cancel")
        await chat.wait_for("Its name stays report.pdf.")
    assert world.contents == {"report.pdf": b"new", "other.pdf": b"old"}


async def test_with_conflict_ask_a_new_name_that_is_taken_too_is_asked_about(world: World, side: Side) -> None:
    for key in ("report.pdf", "other.pdf"):
        world.s3.put(BUCKET, key, b"old")
    alice, chat = side.meet()
    async with world.bot(CONFLICT):
        chat.send_document(alice, "report.pdf", b"new")
        await chat.wait_for("report.pdf is there already.")
        chat.say(alice, "other.pdf")
        side.press(chat, alice, await chat.wait_for("other.pdf is there already."), "Keep both")
        await chat.wait_for(f"{SAVED} other (1).pdf")
    assert world.content("other.pdf") == b"old"


async def test_a_reply_to_a_question_that_is_settled_does_not_answer_the_one_that_is_open(
    world: World, side: Side
) -> None:
    for key in ("report.pdf", "other.pdf"):
        world.s3.put(BUCKET, key, b"old")
    alice, chat = side.meet()
    async with world.bot(CONFLICT):
        chat.send_document(alice, "report.pdf", b"new")
        settled = await chat.wait_for("report.pdf is there already.")
        chat.say(alice, "other.pdf")
        question = await chat.wait_for("other.pdf is there already.")
        chat.say(alice, "replace", reply_to=settled["message_id"])
        await chat.wait_for("[document is required] That question is settled already.")
        chat.say(alice, "both", reply_to=question["message_id"])
        await chat.wait_for(f"{SAVED} other (1).pdf")
    assert world.contents == {"report.pdf": b"old", "other.pdf": b"old", "other (1).pdf": b"new"}


async def test_with_conflict_ask_no_answer_in_time_keeps_both(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "report.pdf", b"old")
    alice, chat = side.meet()
    async with world.bot({**CONFLICT, ("names", "ask_timeout"): "1 s"}):
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("report.pdf is there already.")
        await chat.wait_for(f"{SAVED} report (1).pdf")
        assert await toast(side.press(chat, alice, question, "Replace")) == "This button no longer works."
    assert world.content("report.pdf") == b"old"


async def test_with_overwrite_the_later_of_two_documents_of_one_name_stays(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "report.pdf", b"oldest")
    alice, chat = side.meet()
    overwrite = {("names", "on_conflict"): "overwrite"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **overwrite}):
        first = proxy.hold(lambda request: request.call == "HeadObject" and request.path.endswith("report.pdf"))
        chat.send_document(alice, "report.pdf", b"older")
        await first.reached.wait()
        chat.send_document(alice, "report.pdf", b"newest")
        await chat.wait_for("[document] report.pdf", count=2)
        await saved(chat, alice, "another.txt")
        first.release()
        await chat.wait_for(lambda _: "".join(said(chat)).count("report.pdf, ") == 2)
        chat.say(alice, "/list")
        await chat.wait_for("Your saved files: 2")
    assert world.content("report.pdf") == b"newest"


async def test_the_same_document_again_is_not_uploaded_again(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        sent = chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
        puts = sum(record.call == "PutObject" for record in proxy.requests)
        chat.forward(alice, sent)
        again = await chat.wait_for("It was there already, the very same file.")
        assert sum(record.call == "PutObject" for record in proxy.requests) == puts
        side.press(chat, alice, again, "Rename")
        await chat.wait_for("What shall report.pdf be called?")
    assert again["text"].startswith(f"{SAVED} report.pdf, 7 bytes")
    assert list(world.objects) == ["report.pdf"]


@in_each("change", telegram=["gone", "replaced", "renamed"], vk=["renamed"])
async def test_the_same_document_is_uploaded_again_if_it_is_there_no_longer(
    world: World, side: Side, change: str
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        sent = chat.send_document(alice, "report.pdf", b"content")
        done = await chat.wait_for(SAVED)
        if change == "gone":
            world.s3.delete(BUCKET, "report.pdf")
        elif change == "replaced":
            world.s3.put(BUCKET, "report.pdf", b"another")
        else:
            chat.say(alice, "/rename other.pdf", reply_to=done["message_id"])
            await chat.wait_for("report.pdf is called other.pdf now.")
        chat.forward(alice, sent)
        await chat.wait_for(SAVED, count=2)
    kept = {"gone": {}, "replaced": {"report.pdf": b"another"}, "renamed": {"other.pdf": b"content"}}[change]
    key = "report (1).pdf" if change == "replaced" else "report.pdf"
    assert {k: world.content(k) for k in world.objects} == {**kept, key: b"content"}


async def test_the_same_document_from_another_chat_is_saved_beside_it(world: World, side: Side) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    async with world.bot(NO_LIMITS):
        sent = hers.send_document(alice, "report.pdf", b"content")
        await hers.wait_for(SAVED)
        his.forward(bob, sent)
        await his.wait_for(f"{SAVED} report (1).pdf")
    assert set(world.objects) == {"report.pdf", "report (1).pdf"}


@pytest.mark.parametrize("late", [False, True])
async def test_a_caption_that_is_a_file_name_is_offered_as_the_new_name(world: World, side: Side, late: bool) -> None:
    """Also on the message that says it is saved: a small file is, before anybody can press."""
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS if late else ASKING):
        chat.send_document(alice, "IMG_0001.jpg", b"pixels", caption="Holiday.jpg")
        offered = await chat.wait_for(SAVED if late else ASKS)
        name_it = side.press(chat, alice, offered, "Name it Holiday.jpg")
        await chat.wait_for("IMG_0001.jpg is called Holiday.jpg now." if late else f"{SAVED} Holiday.jpg")
        assert await toast(pressed_again(chat, name_it)) == "This button no longer works."
    assert list(world.objects) == ["Holiday.jpg"]


@in_each("caption", telegram=["Look at this.", "From 12.05.2024", "two\nlines.txt", "report.pdf"], vk=["report.pdf"])
async def test_a_caption_that_is_no_new_file_name_is_not_offered(world: World, side: Side, caption: str) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        chat.send_document(alice, "report.pdf", b"content", caption=caption)
        taken = await chat.wait_for(ASKS)
    assert not [label for label in side.labels(taken) if label.startswith("Name it")]


async def test_a_key_template_puts_chats_and_months_into_folders_and_all_works_there(world: World, side: Side) -> None:
    alice, chat = side.meet()
    template = {("names", "key"): "{messenger}/{chat}/{date:%Y/%m}/{user}-{name}"}
    async with world.bot({**NO_LIMITS, **template}):
        for content in (b"1", b"2"):
            sent = chat.send_document(alice, "report.pdf", content)
            await chat.wait_for(SAVED, count=int(content))
        month = time.strftime("%Y/%m", time.gmtime(sent["date"]))
        folder = f"{side.name}/{chat.id}/{month}/{alice.id}-"
        assert set(world.objects) == {f"{folder}report.pdf", f"{folder}report (1).pdf"}
        chat.say(alice, "/rename report (1).pdf")
        await chat.wait_for("What shall report (1).pdf be called?")
        chat.say(alice, "other")
        await chat.wait_for("other.pdf now.")
        assert set(world.objects) == {f"{folder}report.pdf", f"{folder}other.pdf"}
        chat.say(alice, "/list OTHER")
        await chat.wait_for("in their name: 1")
        chat.say(alice, f"/list {side.name}")
        await chat.wait_for(f"No file has “{side.name}” in its name.")


async def test_a_new_name_leaves_room_for_the_rest_of_the_key(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**ASKING, ("names", "key"): "some/folder/{name}"}):
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(ASKS)
        chat.say(alice, "rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "x" * 2000)
        await chat.wait_for(SAVED)
    (key,) = world.objects
    assert len(key) == 1024
    assert key.endswith("x.pdf")
