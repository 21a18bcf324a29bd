"""Saved files: the list, one file's card, links and deletions."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from tests.bot.dialogue import button, button_rows, buttons, on_record, press, saved, toast
from tests.bot.talk import NO_LIMITS, fetched, meet, said, store_behind_proxy
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.faults import Timeout
from trio_s3_bot.sandbox.telegram import Message

LISTED = "Your saved files, "


def numbers(message: Message) -> list[str]:
    return [label for label in buttons(message) if label.isdigit()]


async def test_a_listed_file_is_shown_linked_and_deleted_in_the_place_of_the_list(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for(f"{LISTED}1 file:")
        assert "1. report.pdf, 7 bytes" in listed["text"]
        press(chat, alice, listed, "1")
        card = await chat.wait_for("report.pdf\n7 bytes, saved")
        assert button_rows(card) == [["🔗 Link", "✏️ Rename"], ["🗑 Delete"], ["‹ Back to the list"]]
        press(chat, alice, card, "Link")
        link = await chat.wait_for("http://")
        assert await fetched(link["text"].splitlines()[-1]) == b"content"
        press(chat, alice, card, "Delete")
        press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        deleted = await chat.wait_for("report.pdf is deleted.")
        chat.say(alice, "/files")
        await chat.wait_for("You have no saved files yet.")
    assert {message["message_id"] for message in (listed, card, deleted)} == {listed["message_id"]}
    assert buttons(deleted) == {}
    assert world.objects == {}


async def test_the_list_speaks_russian(world: World) -> None:
    alice, chat = meet(world, language="ru")
    async with world.bot(NO_LIMITS):
        chat.say(alice, "/list")
        await chat.wait_for("Сохранённых файлов пока нет.")
        await saved(chat, alice, "отчёт.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for("Ваши сохранённые файлы, 1 файл:")
        assert "1. отчёт.pdf, 7 байт" in listed["text"]
        press(chat, alice, listed, "1")
        card = await chat.wait_for("отчёт.pdf\n7 байт, сохранён")
        press(chat, alice, card, "Удалить")
        press(chat, alice, await chat.wait_for("Удалить отчёт.pdf?"), "Нет")
        card = await chat.wait_for("7 байт, сохранён")
        press(chat, alice, card, "К списку")
        await chat.wait_for("Ваши сохранённые файлы, 1 файл:")
    assert list(world.objects) == ["отчёт.pdf"]


async def test_a_list_shows_only_the_files_of_its_chat_and_those_that_are_asked_for(world: World) -> None:
    (alice, hers), (bob, his) = meet(world, "Alice"), meet(world, "Bob")
    async with world.bot(NO_LIMITS):
        await saved(his, bob, "secret report.pdf")
        for name in ("report 1.pdf", "REPORT 2.pdf", "picture.png"):
            await saved(hers, alice, name)
        hers.say(alice, "/list report")
        found = await hers.wait_for("Files with “report” in their name, 2 files:")
        hers.say(alice, "/list nothing like it")
        await hers.wait_for("No file has “nothing like it” in its name.")
    assert "report 1.pdf" in found["text"]
    assert "REPORT 2.pdf" in found["text"]
    assert "picture" not in found["text"]
    assert "secret" not in found["text"]


@pytest.mark.parametrize(("files", "pages"), [(0, 0), (1, 1), (10, 1), (11, 2), (10_000, 1000)])
async def test_a_list_has_ten_files_a_page_the_newest_first(world: World, files: int, pages: int) -> None:
    alice, chat = meet(world)
    await on_record(world, chat, [f"{number}.txt" for number in range(files)])
    async with world.bot(NO_LIMITS):
        chat.say(alice, "/list")
        if not files:
            await chat.wait_for("You have no saved files yet.")
            return
        listed = await chat.wait_for(LISTED)
        shown = [line.split()[1].rstrip(",") for line in listed["text"].splitlines() if line[0].isdigit()]
        assert shown == [f"{files - 1 - number}.txt" for number in range(min(files, 10))]
        assert numbers(listed) == [str(number + 1) for number in range(min(files, 10))]
        assert ("›" in buttons(listed)) == (pages > 1)
        if pages > 1:
            assert f"page 1 of {pages}" in listed["text"].replace(",", "")
            press(chat, alice, listed, "›")
            turned = await chat.wait_for(f"page 2 of {pages}")
            assert turned["message_id"] == listed["message_id"]
            assert numbers(turned)[0] == "11"
            press(chat, alice, turned, "‹")
            await chat.wait_for(f"page 1 of {pages}")
            chat.say(alice, f"/list #{pages}")
            last = await chat.wait_for(f"page {pages} of {pages}")
            assert " 0.txt" in last["text"]
            assert "›" not in buttons(last)


async def test_the_way_back_from_a_card_keeps_the_page_and_the_search(world: World) -> None:
    alice, chat = meet(world)
    await on_record(world, chat, [f"отчёт {n}.txt" for n in range(11)] + ["picture.png"])
    async with world.bot(NO_LIMITS):
        chat.say(alice, "/list отчёт #2")
        listed = await chat.wait_for("page 2 of 2")
        press(chat, alice, listed, "11")
        card = await chat.wait_for(lambda message: "Back" in str(buttons(message)))
        press(chat, alice, card, "Back")
        back = await chat.wait_for("page 2 of 2", after=listed["message_id"] - 1)
    assert back["text"].splitlines()[0] == "Files with “отчёт” in their name, 11 files:"
    assert numbers(back) == ["11"]


async def test_a_page_that_is_there_no_more_is_the_last_one(world: World) -> None:
    alice, chat = meet(world)
    await on_record(world, chat, [f"{number}.txt" for number in range(10)])
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "eleventh.txt")
        chat.say(alice, "/list #2")
        listed = await chat.wait_for("page 2 of 2")
        chat.say(alice, "/delete eleventh.txt")
        press(chat, alice, await chat.wait_for("Delete eleventh.txt?"), "Yes, delete")
        await chat.wait_for("eleventh.txt is deleted.")
        chat.press(alice, listed["message_id"], "list:1:", forged=True)
        again = await chat.wait_for(f"{LISTED}10 files:")
    assert len(numbers(again)) == 10
    assert "page" not in again["text"]


async def test_a_file_that_somebody_removed_or_replaced_is_shown_as_gone_and_comes_back(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        for name in ("removed.txt", "replaced.txt", "kept.txt"):
            await saved(chat, alice, name)
        world.s3.delete(BUCKET, "removed.txt")
        world.s3.put(BUCKET, "replaced.txt", b"CONTENT")
        chat.say(alice, "/list")
        listed = await chat.wait_for(f"{LISTED}3 files:")
        assert [line.partition(", ")[2] == "gone from the storage" for line in listed["text"].splitlines()[1:]] == [
            False,
            True,
            True,
        ]
        press(chat, alice, listed, "2")
        card = await chat.wait_for("replaced.txt\ngone from the storage")
        assert list(buttons(card)) == ["‹ Back to the list"]
        chat.say(alice, "/link removed.txt")
        await chat.wait_for("removed.txt is not there (any more).")
        world.s3.put(BUCKET, "replaced.txt", b"content")
        press(chat, alice, card, "Back")
        await chat.wait_for("2. replaced.txt, 7 bytes")


async def test_a_list_does_not_wait_for_a_store_that_does_not_answer(world: World) -> None:
    (alice, hers), (bob, his) = meet(world, "Alice"), meet(world, "Bob")
    async with store_behind_proxy(world) as (proxy, settings):
        one_worker = {("worker", "concurrent_workers"): "1"}
        async with world.bot({**settings, **one_worker}):
            await saved(hers, alice, "report.pdf")
            proxy.add(Timeout(), match="HeadObject", times=None)
            hers.say(alice, "/list")
            his.say(bob, "hello")
            await hers.wait_for(f"{LISTED}1 file:")
            await his.wait_for("[greeting]")
            proxy.down()


async def test_a_link_lives_as_long_as_the_settings_say_and_is_nowhere_but_in_the_chat(world: World) -> None:
    (alice, hers), (_, his) = meet(world, "Alice"), meet(world, "Bob")
    with capture_logs() as logs:
        async with world.bot({**NO_LIMITS, ("links", "lifetime"): "90 s", ("log", "level"): "DEBUG"}):
            press(hers, alice, await saved(hers, alice, "report.pdf"), "Link")
            link = await hers.wait_for("http://")
    url = link["text"].splitlines()[-1]
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["90"]
    assert "report.pdf, for 90 sec" in link["text"]
    assert "Signature" not in str(logs)
    assert his.messages == []


async def test_a_link_is_given_by_a_typed_name_and_by_a_reply(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        done = await saved(chat, alice, "Annual report.pdf")
        chat.say(alice, "/link annual REPORT.pdf")
        chat.say(alice, "/link", reply_to=done["message_id"])
        chat.say(alice, "/link")
        await chat.wait_for("http://", count=2)
        await chat.wait_for("Which file?")


async def test_a_deletion_is_asked_about_once_and_dismissed_by_no(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        confirm = await chat.wait_for("Delete report.pdf? It can't be brought back.")
        yes = button(confirm, "Yes, delete")
        assert await toast(press(chat, alice, confirm, "No")) == "All stays as it is."
        await chat.wait_for("7 bytes, saved")
        assert await toast(chat.press(alice, confirm["message_id"], yes, forged=True)) == "That is over."
        chat.say(alice, "/list")
        await chat.wait_for(f"{LISTED}1 file:")
    assert list(world.objects) == ["report.pdf"]


@pytest.mark.parametrize(("answer", "deleted"), [("yes", True), ("Да", True), ("no", False), ("hello", False)])
async def test_a_deletion_is_decided_by_the_next_text(world: World, answer: str, deleted: bool) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        await chat.wait_for("Delete report.pdf?")
        chat.say(alice, answer)
        await chat.wait_for("report.pdf is deleted." if deleted else "report.pdf is still there.")
    assert bool(world.objects) is not deleted


async def test_cancel_dismisses_a_deletion(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        await chat.wait_for("Delete report.pdf?")
        chat.say(alice, "/cancel")
        await chat.wait_for("report.pdf is still there.")
    assert list(world.objects) == ["report.pdf"]


async def test_a_deletion_does_not_touch_what_has_taken_the_files_place(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        confirm = await chat.wait_for("Delete report.pdf?")
        world.s3.put(BUCKET, "report.pdf", b"somebody else's")
        press(chat, alice, confirm, "Yes, delete")
        await chat.wait_for("report.pdf was gone already.")
    assert world.content("report.pdf") == b"somebody else's"


async def test_while_a_file_is_being_deleted_it_cannot_be_renamed(world: World) -> None:
    alice, chat = meet(world)
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        done = await saved(chat, alice, "report.pdf")
        held = proxy.hold("DeleteObject")
        chat.say(alice, "/delete report.pdf")
        yes = press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        await held.reached.wait()
        assert await toast(press(chat, alice, done, "Rename")) == "Still working on it."
        assert await toast(chat.press(alice, yes.message_id, yes.data, forged=True)) == "Still working on it."
        chat.say(alice, "/rename report.pdf")
        await chat.wait_for("report.pdf: still working on what you asked before.")
        held.release()
        await chat.wait_for("report.pdf is deleted.")
        assert await toast(press(chat, alice, done, "Rename")) == "That is over."
    assert world.objects == {}


async def test_an_answer_to_a_message_that_was_deleted_is_a_message_of_its_own(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for(LISTED)
        one = button(listed, "1")
        chat.delete(listed["message_id"])
        chat.press(alice, listed["message_id"], one, forged=True)
        card = await chat.wait_for("report.pdf\n7 bytes, saved")
    assert card["message_id"] > listed["message_id"]


async def test_of_several_files_of_a_name_the_one_that_is_meant_is_chosen_from_a_list(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        for name in ("report.pdf", "REPORT.PDF", "Report.pdf"):
            await saved(chat, alice, name, name.encode())
        chat.say(alice, "/delete report.PDF")
        await chat.wait_for("Files with “report.PDF” in their name, 3 files:")
        chat.say(alice, "/delete REPORT.PDF")
        press(chat, alice, await chat.wait_for("Delete REPORT.PDF?"), "Yes, delete")
        await chat.wait_for("REPORT.PDF is deleted.")
    assert set(world.objects) == {"report.pdf", "Report.pdf"}


async def test_a_button_pressed_twice_does_its_work_once(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(NO_LIMITS):
        done = await saved(chat, alice, "report.pdf")
        presses = [press(chat, alice, done, "Rename") for _ in range(3)]
        assert [await toast(pressed) for pressed in presses] == [""] * 3
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "/delete", reply_to=done["message_id"])
        confirm = await chat.wait_for("Delete report.pdf?")
        twice = [chat.press(alice, confirm["message_id"], button(confirm, "Yes"), forged=True) for _ in range(2)]
        await chat.wait_for("report.pdf is deleted.")
        assert await toast(twice[0]) == ""
    texts = said(chat)
    assert sum("What shall" in text for text in texts) == 1
    assert texts.count("report.pdf is deleted.") == 1
