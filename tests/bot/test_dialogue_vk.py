"""What a person can do with files in VK: the dialogue of `test_dialogue`, with VK's buttons, answers and messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from tests.bot.talk import UNHURRIED, fetched
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.replies import SlowBody
from trio_s3_bot.sandbox.vk import Chat, Content, User

ASK = {("names", "rename"): "ask"}
SAVED = "[document has been saved]"
OLD_CLIENT = ("text", "open_link")
"""What a client can do that knows no callback buttons: pressing one says its label."""


@pytest.fixture
def messengers() -> Sequence[str]:
    return ("vk",)


async def test_a_saved_file_is_renamed_by_its_button_and_an_answer(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for(SAVED)
        press = side.press(chat, alice, saved, "Rename")
        question = await chat.wait_for("What shall report.pdf be called?")
        await press.answered()
        chat.say(alice, "Annual report", reply_to=question["message_id"])
        await chat.wait_for("report.pdf is called Annual report.pdf now.")
    assert world.contents == {"Annual report.pdf": b"content"}


async def test_a_client_without_callback_buttons_gets_buttons_that_say_something(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = old_client(side)
        chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for(SAVED)
        said = side.press(chat, alice, saved, "Rename").message
        assert said["from_id"] == alice.id
        assert said["text"].endswith("Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "chosen")
        await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert list(world.objects) == ["chosen.pdf"]


async def test_a_client_without_callback_buttons_can_walk_through_its_files(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = old_client(side)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
        chat.say(alice, "/list")
        side.press(chat, alice, await chat.wait_for("Your saved files, 1 file:"), "1")
        side.press(chat, alice, await chat.wait_for("7 bytes, saved"), "Delete")
        side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}


async def test_a_client_without_buttons_in_messages_can_do_the_same_with_those_below_its_input(
    world: World, side: Side
) -> None:
    async with world.bot():
        alice, chat = old_client(side)
        alice.inline_keyboard = False
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
        chat.press(alice, None, "✏️ Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "chosen")
        await chat.wait_for("report.pdf is called chosen.pdf now.")
        chat.say(alice, "/delete chosen.pdf")
        await chat.wait_for("Delete chosen.pdf?")
        chat.press(alice, None, "Yes, delete")
        await chat.wait_for("chosen.pdf is deleted.")
    assert world.objects == {}


@pytest.mark.parametrize("word", ["Status", "list", "Помощь"])
async def test_a_word_that_is_a_command_is_the_new_name_where_one_was_asked_for(
    world: World, side: Side, word: str
) -> None:
    async with world.bot(UNHURRIED):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for(SAVED), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, word)
        await chat.wait_for(f"report.pdf is called {word}.pdf now.")
        chat.say(alice, "list")
        await chat.wait_for("Your saved files, 1 file:")
    assert list(world.objects) == [f"{word}.pdf"]


async def test_the_word_for_cancel_leaves_a_question_and_is_no_name(world: World, side: Side) -> None:
    async with world.bot(UNHURRIED):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for(SAVED), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "Отмена")
        await chat.wait_for("Its name is report.pdf.")
        chat.say(alice, "Отмена")
        await chat.wait_for("There is nothing to cancel.")
    assert list(world.objects) == ["report.pdf"]


async def test_a_word_that_is_a_command_is_no_answer_to_whether_to_delete_or_to_rename(
    world: World, side: Side
) -> None:
    async with world.bot({**UNHURRIED, **ASK}):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
        chat.say(alice, "status")
        await chat.wait_for("On their way, 1 file:")
        side.press(chat, alice, taken, "Keep name")
        await chat.wait_for(SAVED)
        chat.say(alice, "/delete report.pdf")
        question = await chat.wait_for("Delete report.pdf?")
        chat.say(alice, "list")
        await chat.wait_for("Your saved files, 1 file:")
        side.press(chat, alice, question, "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}


async def test_three_files_are_renamed_each_by_the_answer_to_its_own_question(world: World, side: Side) -> None:
    names = ("a.txt", "b.txt", "c.txt")
    async with world.bot():
        alice, chat = side.meet()
        for name in names:
            chat.send_document(alice, name, name.encode())
            side.press(chat, alice, await chat.wait_for(f"{SAVED} {name}"), "Rename")
        questions = {name: await chat.wait_for(f"What shall {name} be called?") for name in names}
        for name in ("c.txt", "a.txt", "b.txt"):
            chat.say(alice, f"new-{name}", reply_to=questions[name]["message_id"])
        for name in names:
            await chat.wait_for(f"{name} is called new-{name} now.")
    assert world.contents == {f"new-{name}": name.encode() for name in names}


async def test_with_ask_the_upload_begins_only_under_the_chosen_name(world: World, side: Side) -> None:
    async with world.bot(ASK):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for("Rename it before it is saved?"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        assert world.objects == {}
        chat.say(alice, "chosen")
        await chat.wait_for(f"{SAVED} chosen.pdf")
    assert list(world.objects) == ["chosen.pdf"]


async def test_with_ask_keep_name_saves_it_and_takes_the_buttons_away(world: World, side: Side) -> None:
    async with world.bot(ASK):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
        press = side.press(chat, alice, taken, "Keep name")
        assert (await press.answered())["type"] == "show_snackbar"
        await chat.wait_for(f"{SAVED} report.pdf")
        await chat.wait_for(
            lambda message: message["message_id"] == taken["message_id"] and side.buttons(message) == []
        )
    assert list(world.objects) == ["report.pdf"]


async def test_with_ask_typed_answers_do_what_the_buttons_do(world: World, side: Side) -> None:
    async with world.bot(ASK):
        alice, chat = side.meet(language="ru")
        chat.send_document(alice, "отчёт.pdf", b"content")
        await chat.wait_for("Переименовать его перед сохранением?")
        chat.say(alice, "да")
        await chat.wait_for("Как назвать отчёт.pdf?")
        chat.say(alice, "итог")
        await chat.wait_for(f"{SAVED} итог.pdf")
    assert list(world.objects) == ["итог.pdf"]


async def test_a_text_that_is_a_file_name_is_offered_as_the_new_name(world: World, side: Side) -> None:
    async with world.bot(ASK):
        alice, chat = side.meet()
        chat.send_document(alice, "IMG_0001.jpg", b"pixels", caption="Holiday.jpg")
        taken = await chat.wait_for("Rename it before it is saved?")
        side.press(chat, alice, taken, "Name it Holiday.jpg")
        await chat.wait_for(f"{SAVED} Holiday.jpg")
    assert list(world.objects) == ["Holiday.jpg"]


async def test_progress_is_shown_by_edits_that_keep_the_reply_and_the_buttons(world: World, side: Side) -> None:
    world.vk.faults.add(method="file", answer=SlowBody(5 * 2**20))
    async with world.bot({("uploads", "progress_interval"): "1 s", ("vk", "chat_messages_per_second"): "1000"}):
        alice, chat = side.meet()
        document = chat.send_document(alice, "film.mkv", Content.generated(15 * 2**20))
        shown = await chat.wait_for("%")
        assert side.answered(shown) == document["message_id"]
        assert any("Cancel" in label for label in side.buttons(shown)[0])
        await chat.wait_for(SAVED)
        rested = await chat.wait_for("\nsaved")
    assert rested["message_id"] == shown["message_id"]
    assert side.buttons(rested) == []
    edits = [deed.text or "" for deed in chat.history if deed.method == "messages.edit"]
    percents = [int(found[1]) for found in (re.search(r"(\d+)\s?%", text) for text in edits) if found]
    assert len(set(percents)) >= 2
    assert percents == sorted(percents)


async def test_an_upload_is_cancelled_by_its_button_and_leaves_nothing(world: World, side: Side) -> None:
    world.vk.faults.add(method="file", answer=SlowBody(2_000_000))
    async with world.bot():
        alice, chat = side.meet()
        chat.send_document(alice, "big.bin", Content.generated(30 * 2**20))
        taken = await chat.wait_for("[document] big.bin")
        await world.s3.wait(lambda: world.s3.uploads("files"))
        side.press(chat, alice, taken, "Cancel")
        await chat.wait_for("[document] big.bin\ncancelled")
    assert world.objects == {}
    assert world.s3.uploads("files") == []


async def test_a_listed_file_is_shown_linked_and_deleted_in_the_place_of_the_list(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
        chat.say(alice, "/list")
        listed = await chat.wait_for("Your saved files, 1 file:")
        assert "1. report.pdf, 7 bytes" in listed["text"]
        side.press(chat, alice, listed, "1")
        card = await chat.wait_for("7 bytes, saved")
        assert card["message_id"] == listed["message_id"]
        side.press(chat, alice, card, "Link")
        link = await chat.wait_for("http://")
        assert await fetched(link["text"].splitlines()[-1]) == b"content"
        side.press(chat, alice, card, "Delete")
        side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
        chat.say(alice, "/files")
        await chat.wait_for("You have no saved files yet.")
    assert world.objects == {}


async def test_a_long_list_fits_vks_keyboard_and_can_be_leafed_through(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet()
        for start in range(0, 12, 6):
            chat.send_documents(alice, [(f"{number}.txt", b"content") for number in range(start, start + 6)])
        await world.s3.wait(lambda: len(world.objects) == 12)
        await chat.wait_for("11.txt")
        await chat.wait_for(SAVED, count=2)
        chat.say(alice, "/list")
        listed = await chat.wait_for("Your saved files, 12 files")
        assert sum(map(len, side.buttons(listed))) <= 10
        side.press(chat, alice, listed, "›")
        turned = await chat.wait_for("6. ")
        assert turned["message_id"] == listed["message_id"]


async def test_with_conflict_ask_the_sender_decides(world: World, side: Side) -> None:
    world.s3.put("files", "report.pdf", b"old")
    async with world.bot({("names", "on_conflict"): "ask"}):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("report.pdf is there already.")
        assert world.content("report.pdf") == b"old"
        side.press(chat, alice, question, "Replace")
        await chat.wait_for(SAVED)
    assert world.contents == {"report.pdf": b"new"}


async def test_documents_of_one_message_are_listed_in_one_and_said_to_be_saved_in_one(world: World, side: Side) -> None:
    files = {f"{number}.txt": b"content %d" % number for number in range(4)}
    async with world.bot():
        alice, chat = side.meet()
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        chat.send_documents(alice, list(files.items()))
        saved = await chat.wait_for(f"{SAVED} 4 files:")
    assert all(name in saved["text"] for name in files)
    said = [deed.text for deed in chat.history if deed.method == "messages.send"]
    assert len([text for text in said if text.startswith("[document] ")]) == 1
    assert world.contents == files


async def test_a_document_among_photos_is_saved_and_the_photos_are_not(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet()
        document = chat.send_document(alice, "report.pdf", b"content")["attachments"]
        await chat.wait_for(SAVED)
        photo = chat.send_photo(alice)["attachments"]
        await chat.wait_for("[document is required]")
        again = world.vk.docs.add(alice.id, "other.pdf", Content.of(b"other"))
        chat.post(alice, {"attachments": [*photo, {"type": "doc", "doc": world.vk.docs.as_json(again)}, *photo]})
        await chat.wait_for(f"{SAVED} other.pdf")
    assert document[0]["type"] == "doc"
    assert world.contents == {"report.pdf": b"content", "other.pdf": b"other"}


@pytest.mark.parametrize("end", [f"{SAVED} film.mkv", "film.mkv\ncancelled"])
async def test_a_message_that_vk_lets_nobody_edit_any_more_is_left_alone_and_the_end_is_told(
    world: World, side: Side, end: str
) -> None:
    world.vk.faults.add(method="file", answer=SlowBody(1_500_000))
    async with world.bot({**UNHURRIED, ("uploads", "progress_interval"): "1 s"}):
        alice, chat = side.meet()
        chat.send_document(alice, "film.mkv", Content.generated(9 * 2**20))
        await chat.wait_for("%")
        world.vk.edit_window = -1
        edits = len(world.vk.calls("messages.edit"))
        await world.vk.wait(lambda: len(world.vk.calls("messages.edit")) > edits)
        if "cancelled" in end:
            chat.say(alice, "/cancel")
        await chat.wait_for(end)
        assert len(world.vk.calls("messages.edit")) == edits + 1


async def test_in_a_group_that_shows_the_bot_only_what_is_addressed_to_it_a_mention_is_enough(
    world: World, side: Side
) -> None:
    world.vk.privacy = True
    bot = f"@club{world.vk.group_id}"
    async with world.bot(UNHURRIED):
        alice, _ = side.meet()
        group = world.vk.group("Team", [alice])
        group.send_document(alice, "unseen.txt", b"unseen")
        group.send_document(alice, "a.txt", b"a", caption=bot)
        saved = await group.wait_for(SAVED)
        group.say(alice, f"{bot} список")
        await group.wait_for("Your saved files, 1 file:")
        side.press(group, alice, saved, "Rename")
        question = await group.wait_for("What shall a.txt be called?")
        group.say(alice, "chosen", reply_to=question["message_id"])
        await group.wait_for("a.txt is called chosen.txt now.")
    assert list(world.objects) == ["chosen.txt"]


async def test_other_peoples_buttons_do_nothing(world: World, side: Side) -> None:
    async with world.bot():
        (alice, _), (bob, _) = side.meet("Alice"), side.meet("Bob")
        group = world.vk.group("Team", [alice, bob])
        group.send_document(alice, "report.pdf", b"content")
        saved = await group.wait_for(SAVED)
        press = side.press(group, bob, saved, "Rename")
        assert (await press.answered())["text"] == "Only the one who sent the file can do that."
    assert list(world.objects) == ["report.pdf"]


async def test_an_open_question_survives_a_restart(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(ASK):
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for("Rename it before it is saved?"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
    async with world.bot(ASK):
        chat.say(alice, "chosen")
        await chat.wait_for(f"{SAVED} chosen.pdf")
    assert list(world.objects) == ["chosen.pdf"]


async def test_a_name_that_looks_like_a_mention_notifies_nobody(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet()
        chat.send_document(alice, "[id1|Pavel] @id2.txt", b"content")
        await chat.wait_for(SAVED)
    assert chat.mentions == []
    assert list(world.objects) == ["[id1|Pavel] @id2.txt"]


async def test_a_key_template_puts_each_chat_into_a_folder_of_its_own(world: World, side: Side) -> None:
    async with world.bot({("names", "key"): "{messenger}/{chat}/{name}"}):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert list(world.objects) == [f"vk/{alice.id}/report.pdf"]


def old_client(side: Side) -> tuple[User, Chat]:
    """A person whose client knows no callback buttons, and the private chat with the bot."""
    alice, chat = side.meet()
    alice.button_actions = OLD_CLIENT
    return alice, chat
