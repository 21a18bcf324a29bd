"""Commands, in both languages, and what one person may send in a day."""

from __future__ import annotations

import re

from tests.bot.dialogue import Held, saved, toast
from tests.bot.talk import NO_LIMITS, SAVED, all_handled, in_each, markers, only, store_behind_proxy
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.world import Content

MIB = 2**20
UNKNOWN = ["/help", "/start", "/frobnicate", "/"]
FILES_A_DAY = ("limits", "files_per_day")
BYTES_A_DAY = ("limits", "bytes_per_day")


@only("telegram", "VK has no menu of commands")
async def test_the_commands_are_in_the_menu_in_both_languages(world: World) -> None:
    async with world.bot():
        pass
    registered = {
        language: {c["command"]: c["description"] for c in commands}
        for (_, language), commands in world.telegram.commands.items()
    }
    assert set(registered) == {"", "ru"}
    assert list(registered[""]) == list(registered["ru"]) == ["start", "help", "list", "status", "cancel"]
    assert registered[""]["list"] == "Your saved files"
    assert registered["ru"]["list"] == "Сохранённые файлы"


@in_each("command", telegram=[*UNKNOWN, "/rename@somebody_else x"], vk=[*UNKNOWN, "help", "начать"])
async def test_help_and_unknown_commands_are_answered_with_the_help(world: World, side: Side, command: str) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.say(alice, "hello")
        chat.say(alice, command)
        answer = await chat.wait_for("[document is required]")
    assert all(name in answer["text"] for name in ("/list", "/status", "/rename", "/link", "/delete", "/cancel"))


@in_each("command", telegram=["/help", "/frobnicate"], vk=["/help", "/frobnicate", "помощь"])
async def test_who_asks_for_help_first_is_greeted_and_gets_it_in_one_answer(
    world: World, side: Side, command: str
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.say(alice, command)
        answer = await chat.wait_for("[greeting]")
        await all_handled(chat, alice)
    assert all(name in answer["text"] for name in ("/list", "/status", "/rename", "/link", "/delete", "/cancel"))
    assert markers(chat) == ["[greeting]"]


@in_each("command", telegram=["/start"], vk=["/start", "начать"])
async def test_who_begins_with_start_is_just_greeted(world: World, side: Side, command: str) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.say(alice, command)
        assert "/list" not in (await chat.wait_for("[greeting]"))["text"]


async def test_a_command_may_open_the_conversation(world: World, side: Side) -> None:
    alice, chat = side.meet(language="ru")
    async with world.bot(NO_LIMITS):
        chat.say(alice, "/list")
        await chat.wait_for("Сохранённых файлов пока нет.")
        chat.say(alice, "/help")
        await chat.wait_for("/list – сохранённые файлы")
    assert markers(chat) == ["[greeting]", "", "[document is required]"]


@in_each("command", telegram=["/cancel"], vk=["/cancel", "отмена"])
async def test_with_nothing_to_cancel_cancel_says_so(world: World, side: Side, command: str) -> None:
    async with world.bot(NO_LIMITS):
        for language, nothing in (("en", "There is nothing to cancel."), ("ru", "Отменять нечего.")):
            alice, chat = side.meet(language=language)
            chat.send_document(alice, "report.pdf", b"content")
            await chat.wait_for(SAVED)
            chat.say(alice, command)
            await chat.wait_for(nothing)


async def test_cancel_gives_up_the_only_upload(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = proxy.hold("UploadPart")
        chat.send_document(alice, "big.bin", Content.generated(20 * MIB))
        await held.reached.wait()
        chat.say(alice, "/cancel")
        await chat.wait_for("[document] big.bin\ncancelled")
        held.release()
        await world.s3.wait(lambda: not world.s3.uploads("files"))
    assert world.objects == {}


async def test_cancel_with_several_uploads_needs_a_reply(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = [proxy.hold("PutObject") for _ in range(2)]
        sent = [chat.send_document(alice, name, name.encode()) for name in ("a.txt", "b.txt")]
        for hold in held:
            await hold.reached.wait()
        chat.say(alice, "/cancel")
        await chat.wait_for("On their way: 2")
        chat.say(alice, "/cancel", reply_to=sent[0]["message_id"])
        await chat.wait_for(lambda message: re.search(r"a\.txt(:|\n)\s?cancelled", message["text"]))
        for hold in held:
            hold.release()
        await chat.wait_for(f"{SAVED} b.txt")
        await world.s3.wait(lambda: list(world.objects) == ["b.txt"])


async def test_cancel_leaves_the_question_before_it_gives_up_an_upload(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = proxy.hold("PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        await held.reached.wait()
        side.press(chat, alice, await chat.wait_for("[document] report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "/cancel")
        await chat.wait_for("It will be called report.pdf.")
        chat.say(alice, "/cancel")
        await chat.wait_for("[document] report.pdf\ncancelled")
        held.release()


async def test_status_shows_what_waits_and_runs_and_its_buttons_work(world: World, side: Side) -> None:
    alice, chat = side.meet()
    one_slot = {("uploads", "concurrent_uploads"): "1"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **one_slot}):
        chat.say(alice, "/status")
        await chat.wait_for("Nothing is waiting or being saved.")
        held = proxy.hold("PutObject")
        for name in ("a.txt", "b.txt"):
            chat.send_document(alice, name, name.encode())
            await chat.wait_for(f"[document] {name}")
        await held.reached.wait()
        chat.say(alice, "/status")
        status = await chat.wait_for("On their way: 2")
        assert "• b.txt: waiting for its turn" in status["text"]
        side.press(chat, alice, status, "b.txt")
        side.press(chat, alice, await chat.wait_for("b.txt\nwaiting for its turn"), "Cancel")
        await chat.wait_for("[document] b.txt\ncancelled")
        held.release()
        await chat.wait_for(f"{SAVED} a.txt")
    assert list(world.objects) == ["a.txt"]


async def test_a_reply_with_a_new_name_to_the_rename_command_renames_at_once(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        sent = chat.send_document(alice, "report.pdf", b"content")
        done = await chat.wait_for(SAVED)
        chat.say(alice, "/rename first", reply_to=done["message_id"])
        await chat.wait_for("report.pdf is called first.pdf now.")
        chat.say(alice, "/rename second", reply_to=sent["message_id"])
        await chat.wait_for("first.pdf is called second.pdf now.")
        chat.say(alice, "/rename nothing like it")
        await chat.wait_for("nothing like it is not there (any more).")
    assert list(world.objects) == ["second.pdf"]


async def test_more_than_the_files_of_a_day_are_refused_also_after_a_restart(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, FILES_A_DAY: "1"}):
        await saved(chat, alice, "one.txt")
    async with world.bot({**NO_LIMITS, FILES_A_DAY: "1"}):
        chat.send_document(alice, "two.txt", b"2")
        refused = await chat.wait_for("two.txt was not saved")
    assert refused["text"].endswith("There is room again in 1 day.") or "in 24 hours" in refused["text"]
    assert list(world.objects) == ["one.txt"]


async def test_more_than_the_bytes_of_a_day_are_refused_and_what_never_fits_is_told_so(
    world: World, side: Side
) -> None:
    alice, chat = side.meet(language="ru")
    async with world.bot({**NO_LIMITS, BYTES_A_DAY: "10 B"}):
        await saved(chat, alice, "7.txt", bytes(7))
        chat.send_document(alice, "4.txt", bytes(4))
        await chat.wait_for("Файл 4.txt не сохранён: с ним вышло бы больше, чем можно одному человеку за сутки.")
        await saved(chat, alice, "3.txt", bytes(3))
        chat.send_document(alice, "11.txt", bytes(11))
        await chat.wait_for("Файл 11.txt не сохранён: одному человеку можно отправить 10 байт за сутки")
    assert set(world.objects) == {"7.txt", "3.txt"}


async def test_what_is_refused_of_an_album_is_told_in_one_message(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, FILES_A_DAY: "1"}):
        await saved(chat, alice, "first.txt")
        talk = Held()
        side.world.faults.add(method=side.names.send, answer=talk)
        chat.say(alice, "hello")
        await talk.reached.wait()
        side.send_album(chat, alice, {f"{number}.txt": b"content" for number in range(3)})
        await all_handled(chat, alice)
        talk.release()
        refused = await chat.wait_for("3 files not saved, as one person may only send so much in a day:")
    assert refused["text"].count("room again in") == 3
    assert list(world.objects) == ["first.txt"]


async def test_what_was_not_saved_does_not_count(world: World, side: Side) -> None:
    alice, chat = side.meet()
    limits = {FILES_A_DAY: "1", ("limits", "max_file_size"): "10 MiB"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **limits}):
        chat.send_document(alice, "large.bin", Content.generated(11 * MIB))
        await chat.wait_for("large.bin could not be saved.")
        held = proxy.hold("PutObject")
        chat.send_document(alice, "a.txt", b"a")
        await held.reached.wait()
        side.press(chat, alice, await chat.wait_for("[document] a.txt"), "Cancel")
        await chat.wait_for("[document] a.txt\ncancelled")
        held.release()
        await saved(chat, alice, "b.txt")
        chat.send_document(alice, "c.txt", b"c")
        await chat.wait_for("c.txt was not saved")
        await world.s3.wait(lambda: "a.txt" not in world.objects)
    assert list(world.objects) == ["b.txt"]


async def test_the_limits_are_for_each_person_alone(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with world.bot({**NO_LIMITS, FILES_A_DAY: "1"}):
        await saved(group, alice, "hers.txt")
        await saved(group, bob, "his.txt")
        own = side.world.private_chat(alice)
        own.send_document(alice, "again.txt", b"content")
        await own.wait_for("again.txt was not saved")
    assert set(world.objects) == {"hers.txt", "his.txt"}


async def test_a_button_that_carries_nonsense_says_that_it_is_over(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        done = await saved(chat, alice, "report.pdf")
        item = side.data(done, "Link").partition(":")[2]
        nonsense = ["", ":", "name", "name:", f"NAME:{item}", f"name:{item[:-1]}", "link:0:0:0", "yes:" + "f" * 32]
        for carried in nonsense:
            pressed = side.forge(chat, alice, done, carried)
            assert await toast(pressed) == "This button no longer works.", carried
        for carried in ("list:-1:", "list:99999:", "list:٣:", "stat:x", "list::::"):
            assert await toast(side.forge(chat, alice, done, carried)) == ""
        await all_handled(chat, alice)
    assert list(world.objects) == ["report.pdf"]


async def test_another_chats_file_is_out_of_reach_of_a_forged_button(world: World, side: Side) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    async with world.bot(NO_LIMITS):
        item = side.data(await saved(hers, alice, "report.pdf"), "Link").partition(":")[2]
        mine = await saved(his, bob, "mine.pdf")
        for verb in ("card", "link", "name", "del", "yes"):
            assert await toast(side.forge(his, bob, mine, f"{verb}:{item}")) == "This button no longer works."
        his.say(bob, "/delete report.pdf")
        await his.wait_for("report.pdf is not there (any more).")
    assert set(world.objects) == {"report.pdf", "mine.pdf"}


@in_each("command", telegram=["/rename", "/link", "/delete"], vk=["/rename", "/link", "/delete"])
async def test_of_two_of_one_name_on_their_way_it_is_told_that_they_are(world: World, side: Side, command: str) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **NO_LIMITS}):
        holds = [proxy.hold("PutObject"), proxy.hold("PutObject")]
        for content in (b"one", b"two"):
            chat.send_document(alice, "report.pdf", content)
        for hold in holds:
            await hold.reached.wait()
        chat.say(alice, f"{command} report.pdf")
        await chat.wait_for("On their way: 2")
        for hold in holds:
            hold.release()
