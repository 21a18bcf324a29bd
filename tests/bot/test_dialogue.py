"""What a person can do with files beyond sending them: rename, list, links, delete, cancel, conflicts, albums."""

from __future__ import annotations

from tests.bot.talk import fetched
from tests.world import World
from trio_s3_bot.sandbox.telegram import Chat, Content, Message, SlowBody, User

ASK = {("names", "rename"): "ask"}


async def test_a_saved_file_is_renamed_by_its_button_and_an_answer(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content", mime_type="application/pdf")
        saved = await chat.wait_for("[document has been saved]")
        chat.press(alice, saved["message_id"], button(saved, "Rename"))
        question = await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "Annual report", reply_to=question["message_id"])
        await chat.wait_for("report.pdf is called Annual report.pdf now.")
    (stored,) = world.objects.values()
    assert stored.key == "Annual report.pdf"
    assert stored.content_type == "application/pdf"
    assert world.content("Annual report.pdf") == b"content"
    assert world.s3.uploads("files") == []


async def test_a_name_that_is_taken_is_asked_for_again_and_nothing_is_overwritten(world: World) -> None:
    world.s3.put("files", "taken.pdf", b"somebody else's")
    async with world.bot():
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for("[document has been saved]")
        chat.press(alice, saved["message_id"], button(saved, "Rename"))
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "taken.pdf")
        await chat.wait_for("There is a file of that name already.")
        chat.say(alice, "free.pdf")
        await chat.wait_for("report.pdf is called free.pdf now.")
    assert set(world.objects) == {"taken.pdf", "free.pdf"}
    assert world.content("taken.pdf") == b"somebody else's"


async def test_three_files_at_once_are_renamed_each_by_the_answer_to_its_own_question(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        for name in ("a.txt", "b.txt", "c.txt"):
            chat.send_document(alice, name, name.encode())
            saved = await chat.wait_for(f"[document has been saved] {name}")
            chat.press(alice, saved["message_id"], button(saved, "Rename"))
        questions = {name: await chat.wait_for(f"What shall {name} be called?") for name in ("a.txt", "b.txt", "c.txt")}
        for name in ("c.txt", "a.txt", "b.txt"):
            chat.say(alice, f"new-{name}", reply_to=questions[name]["message_id"])
        for name in ("a.txt", "b.txt", "c.txt"):
            await chat.wait_for(f"{name} is called new-{name} now.")
    assert {key: world.content(key) for key in world.objects} == {
        "new-a.txt": b"a.txt",
        "new-b.txt": b"b.txt",
        "new-c.txt": b"c.txt",
    }


async def test_with_ask_the_upload_begins_only_under_the_chosen_name(world: World) -> None:
    async with world.bot(ASK):
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
        assert taken["text"].startswith("[document] ")
        chat.press(alice, taken["message_id"], button(taken, "Rename"))
        await chat.wait_for("What shall report.pdf be called?")
        assert world.objects == {}
        chat.say(alice, "chosen")
        await chat.wait_for("[document has been saved] chosen.pdf")
    assert list(world.objects) == ["chosen.pdf"]


async def test_with_ask_keep_name_saves_it_under_its_own(world: World) -> None:
    async with world.bot(ASK):
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
        chat.press(alice, taken["message_id"], button(taken, "Keep name"))
        await chat.wait_for("[document has been saved] report.pdf")
        await chat.wait_for(
            lambda message: message["message_id"] == taken["message_id"] and not message.get("reply_markup")
        )
    assert list(world.objects) == ["report.pdf"]


async def test_with_ask_typed_answers_do_what_the_buttons_do(world: World) -> None:
    async with world.bot(ASK):
        alice, chat = person(world, language="ru")
        chat.send_document(alice, "отчёт.pdf", b"content")
        await chat.wait_for("Переименовать его перед сохранением?")
        chat.say(alice, "да")
        await chat.wait_for("Как назвать отчёт.pdf?")
        chat.say(alice, "итог")
        await chat.wait_for("[document has been saved] итог.pdf")
    assert list(world.objects) == ["итог.pdf"]


async def test_with_ask_no_answer_in_time_keeps_the_name(world: World) -> None:
    async with world.bot({**ASK, ("names", "ask_timeout"): "1 s"}):
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document has been saved] report.pdf")
    assert list(world.objects) == ["report.pdf"]


async def test_an_upload_is_cancelled_by_its_button_and_leaves_nothing(world: World) -> None:
    world.telegram.cloud_limit = None
    world.telegram.faults.add(method="file", answer=SlowBody(2_000_000))
    async with world.bot():
        alice, chat = person(world)
        chat.send_document(alice, "big.bin", Content.generated(30 * 2**20))
        taken = await chat.wait_for("[document] big.bin")
        await world.s3.wait(lambda: world.s3.uploads("files"))
        chat.press(alice, taken["message_id"], button(taken, "Cancel"))
        await chat.wait_for("[document] big.bin\ncancelled")
    assert world.objects == {}
    assert world.s3.uploads("files") == []


async def test_a_listed_file_is_shown_linked_and_deleted(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document has been saved]")
        chat.say(alice, "/list")
        listed = await chat.wait_for("Your saved files, 1 file:")
        assert "1. report.pdf, 7 bytes" in listed["text"]
        chat.press(alice, listed["message_id"], button(listed, "1"))
        card = await chat.wait_for("7 bytes, saved")
        chat.press(alice, card["message_id"], button(card, "Link"))
        link = await chat.wait_for("http://")
        assert await fetched(link["text"].splitlines()[-1]) == b"content"
        chat.press(alice, card["message_id"], button(card, "Delete"))
        confirm = await chat.wait_for("Delete report.pdf?")
        chat.press(alice, confirm["message_id"], button(confirm, "Yes, delete"))
        await chat.wait_for("report.pdf is deleted.")
        chat.say(alice, "/files")
        await chat.wait_for("You have no saved files yet.")
    assert world.objects == {}


async def test_a_list_shows_only_the_files_of_its_chat_and_those_that_are_asked_for(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        bob = world.telegram.user("Bob", language="en")
        bobs = world.telegram.private_chat(bob)
        bobs.send_document(bob, "secret report.pdf", b"Bob's")
        await bobs.wait_for("[document has been saved]")
        for name in ("report 1.pdf", "REPORT 2.pdf", "picture.png"):
            chat.send_document(alice, name, name.encode())
            await chat.wait_for(f"[document has been saved] {name}")
        chat.say(alice, "/list report")
        listed = await chat.wait_for("Files with “report” in their name, 2 files:")
    assert "report 1.pdf" in listed["text"]
    assert "REPORT 2.pdf" in listed["text"]
    assert "picture" not in listed["text"]
    assert "secret" not in listed["text"]


async def test_a_file_that_somebody_removed_is_shown_as_gone(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document has been saved]")
        world.s3.delete("files", "report.pdf")
        chat.say(alice, "/list")
        await chat.wait_for("1. report.pdf, gone from the storage")


async def test_the_same_document_again_is_not_uploaded_again(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        first = chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document has been saved]")
        chat.forward(alice, first)
        await chat.wait_for("It was there already, the very same file.")
    assert list(world.objects) == ["report.pdf"]


async def test_with_conflict_ask_the_sender_decides(world: World) -> None:
    world.s3.put("files", "report.pdf", b"old")
    async with world.bot({("names", "on_conflict"): "ask"}):
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("There is a report.pdf already.")
        assert world.content("report.pdf") == b"old"
        chat.press(alice, question["message_id"], button(question, "Replace"))
        await chat.wait_for("[document has been saved]")
    assert world.content("report.pdf") == b"new"


async def test_with_overwrite_the_new_document_replaces_the_old_one(world: World) -> None:
    world.s3.put("files", "report.pdf", b"old")
    async with world.bot({("names", "on_conflict"): "overwrite"}):
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"new")
        await chat.wait_for("[document has been saved]")
    assert {key: world.content(key) for key in world.objects} == {"report.pdf": b"new"}


async def test_an_album_is_one_message_that_lists_its_documents_and_one_that_says_they_are_saved(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        for number in range(4):
            chat.send_document(alice, f"{number}.txt", b"content", album="album")
        saved = await chat.wait_for("[document has been saved] 4 files:")
    assert all(f"{number}.txt" in saved["text"] for number in range(4))
    said = [entry.text or "" for entry in chat.history if entry.method == "sendMessage"]
    assert len([text for text in said if text.startswith("[document] ")]) == 1


async def test_other_peoples_buttons_do_nothing(world: World) -> None:
    async with world.bot():
        alice, bob = world.telegram.user("Alice", language="en"), world.telegram.user("Bob", language="en")
        group = world.telegram.group("Team", [alice, bob])
        group.send_document(alice, "report.pdf", b"content")
        saved = await group.wait_for("[document has been saved]")
        press = group.press(bob, saved["message_id"], button(saved, "Rename"))
        assert (await press.answered())["text"] == "Only the one who sent the file can do that."
    assert list(world.objects) == ["report.pdf"]


async def test_a_stale_button_says_so(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for("[document has been saved]")
        item = button(saved, "Rename").partition(":")[2]
        press = chat.press(alice, saved["message_id"], f"stop:{item}", forged=True)
        assert (await press.answered())["text"] == "That is over."


async def test_an_open_question_survives_a_restart(world: World) -> None:
    alice, chat = person(world)
    async with world.bot(ASK):
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
        chat.press(alice, taken["message_id"], button(taken, "Rename"))
        await chat.wait_for("What shall report.pdf be called?")
    async with world.bot(ASK):
        chat.say(alice, "chosen")
        await chat.wait_for("[document has been saved] chosen.pdf")
    assert list(world.objects) == ["chosen.pdf"]


async def test_more_than_the_files_of_a_day_are_refused_until_there_is_room_again(world: World) -> None:
    async with world.bot({("limits", "files_per_day"): "1"}):
        alice, chat = person(world)
        chat.send_document(alice, "one.txt", b"1")
        await chat.wait_for("[document has been saved]")
        chat.send_document(alice, "two.txt", b"2")
        refused = await chat.wait_for("two.txt was not saved")
    assert "There is room again in" in refused["text"]
    assert list(world.objects) == ["one.txt"]


async def test_a_key_template_puts_each_chat_into_a_folder_of_its_own(world: World) -> None:
    async with world.bot({("names", "key"): "{messenger}/{chat}/{name}"}):
        alice, chat = person(world)
        for content in (b"1", b"2"):
            chat.send_document(alice, "report.pdf", content)
            await chat.wait_for("[document has been saved]", count=1 if content == b"1" else 2)
    folder = f"telegram/{chat.id}"
    assert set(world.objects) == {f"{folder}/report.pdf", f"{folder}/report (1).pdf"}


async def test_a_caption_that_is_a_file_name_is_offered_as_the_new_name(world: World) -> None:
    async with world.bot(ASK):
        alice, chat = person(world)
        chat.send_document(alice, "IMG_0001.jpg", b"pixels", caption="Holiday.jpg")
        taken = await chat.wait_for("Rename it before it is saved?")
        chat.press(alice, taken["message_id"], button(taken, "Name it Holiday.jpg"))
        await chat.wait_for("[document has been saved] Holiday.jpg")
    assert list(world.objects) == ["Holiday.jpg"]


async def test_an_unknown_command_gets_the_help(world: World) -> None:
    async with world.bot():
        alice, chat = person(world)
        chat.say(alice, "hello")
        chat.say(alice, "/frobnicate")
        answer = await chat.wait_for("[document is required]")
    assert "/list" in answer["text"]


async def test_the_commands_are_in_the_menu_in_both_languages(world: World) -> None:
    async with world.bot():
        pass
    registered = {
        language: [c["command"] for c in commands] for (_, language), commands in world.telegram.commands.items()
    }
    assert set(registered) == {"", "ru"}
    assert registered[""] == registered["ru"] == ["start", "help", "list", "status", "cancel"]


def person(world: World, language: str = "en") -> tuple[User, Chat]:
    alice = world.telegram.user("Alice", language=language)
    return alice, world.telegram.private_chat(alice)


def button(message: Message, label: str) -> str:
    """What the button of that label carries."""
    rows = message["reply_markup"]["inline_keyboard"]
    found: list[str] = [b["callback_data"] for row in rows for b in row if label in b["text"]]
    assert found, f"no button {label!r} in {[b['text'] for row in rows for b in row]}"
    return found[0]
