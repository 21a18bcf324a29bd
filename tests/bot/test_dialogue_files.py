"""Saved files: the list, one file's card, links and deletions."""

from __future__ import annotations

import math
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from tests.bot.dialogue import on_record, pressed_again, saved, toast, without_buttons
from tests.bot.talk import HASTY, NO_LIMITS, SAVED, all_handled, fetched, in_each, said, store_behind_proxy
from tests.sides import Shown, Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.faults import S3_SLOW_DOWN, Timeout

LISTED = "Your saved files: "


def numbers(side: Side, message: Shown) -> list[str]:
    return [label for label in side.labels(message) if label.isdigit()]


async def test_a_listed_file_is_shown_linked_and_deleted_in_the_place_of_the_list(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for(f"{LISTED}1")
        assert "1. report.pdf, 7 bytes" in listed["text"]
        side.press(chat, alice, listed, "1")
        card = await chat.wait_for("report.pdf\n7 bytes, saved")
        assert side.buttons(card) == [["🔗 Link", "✏️ Rename"], ["🗑 Delete"], ["‹ Back to the list"]]
        side.press(chat, alice, card, "Link")
        link = await chat.wait_for("http://")
        assert await fetched(link["text"].splitlines()[-1]) == b"content"
        side.press(chat, alice, card, "Delete")
        side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        deleted = await chat.wait_for("report.pdf is deleted.")
        assert side.labels(deleted) == ["‹ Back to the list"]
        side.press(chat, alice, deleted, "Back")
        back = await chat.wait_for("You have no saved files yet.")
    assert {message["message_id"] for message in (listed, card, deleted, back)} == {listed["message_id"]}
    assert world.objects == {}


async def test_the_way_back_from_a_deletion_keeps_the_page_and_the_search(world: World, side: Side) -> None:
    alice, chat = side.meet()
    await on_record(world, side, chat, [f"report {n}.txt" for n in range(side.page)] + ["picture.png"])
    async with world.bot(NO_LIMITS):
        for name in ("old report.txt", "new report.txt"):
            await saved(chat, alice, name)
        chat.say(alice, "/list report")
        side.press(chat, alice, await chat.wait_for("page 1 of 2"), "1")
        side.press(chat, alice, await chat.wait_for("new report.txt\n7 bytes, saved"), "Delete")
        side.press(chat, alice, await chat.wait_for("Delete new report.txt?"), "Yes, delete")
        side.press(chat, alice, await chat.wait_for("new report.txt is deleted."), "Back")
        back = await chat.wait_for(f"Files with “report” in their name: {side.page + 1}")
    assert "1. old report.txt" in back["text"]


async def test_a_deletion_that_was_typed_leads_to_no_list(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        assert side.labels(await chat.wait_for("report.pdf is deleted.")) == []


async def test_the_list_speaks_russian(world: World, side: Side) -> None:
    alice, chat = side.meet(language="ru")
    async with world.bot(NO_LIMITS):
        chat.say(alice, "/list")
        await chat.wait_for("Сохранённых файлов пока нет.")
        await saved(chat, alice, "отчёт.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for("Сохранённые файлы: 1")
        assert "1. отчёт.pdf, 7 байт" in listed["text"]
        side.press(chat, alice, listed, "1")
        card = await chat.wait_for("отчёт.pdf\n7 байт, сохранён")
        side.press(chat, alice, card, "Удалить")
        side.press(chat, alice, await chat.wait_for("Удалить отчёт.pdf?"), "Нет")
        card = await chat.wait_for("7 байт, сохранён")
        side.press(chat, alice, card, "К списку")
        await chat.wait_for("Сохранённые файлы: 1")
    assert list(world.objects) == ["отчёт.pdf"]


async def test_a_list_shows_only_the_files_of_its_chat_and_those_that_are_asked_for(world: World, side: Side) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    async with world.bot(NO_LIMITS):
        await saved(his, bob, "secret report.pdf")
        for name in ("report 1.pdf", "REPORT 2.pdf", "picture.png"):
            await saved(hers, alice, name)
        hers.say(alice, "/list report")
        found = await hers.wait_for("Files with “report” in their name: 2")
        hers.say(alice, "/list nothing like it")
        await hers.wait_for("No file has “nothing like it” in its name.")
    assert "report 1.pdf" in found["text"]
    assert "REPORT 2.pdf" in found["text"]
    assert "picture" not in found["text"]
    assert "secret" not in found["text"]


@in_each("files", telegram=[0, 1, 10, 11, 10_000], vk=[8, 9])
async def test_a_list_has_so_many_files_a_page_the_newest_first(world: World, side: Side, files: int) -> None:
    alice, chat = side.meet()
    pages = math.ceil(files / side.page)
    await on_record(world, side, chat, [f"{number}.txt" for number in range(files)])
    async with world.bot(NO_LIMITS):
        chat.say(alice, "/list")
        if not files:
            await chat.wait_for("You have no saved files yet.")
            return
        listed = await chat.wait_for(LISTED)
        shown = [line.split()[1].rstrip(",") for line in listed["text"].splitlines() if line[0].isdigit()]
        assert shown == [f"{files - 1 - number}.txt" for number in range(min(files, side.page))]
        assert numbers(side, listed) == [str(number + 1) for number in range(min(files, side.page))]
        assert ("›" in side.labels(listed)) == (pages > 1)
        if pages > 1:
            assert f"page 1 of {pages}" in listed["text"].replace(",", "")
            side.press(chat, alice, listed, "›")
            turned = await chat.wait_for(f"page 2 of {pages}")
            assert turned["message_id"] == listed["message_id"]
            assert numbers(side, turned)[0] == str(side.page + 1)
            side.press(chat, alice, turned, "‹")
            await chat.wait_for(f"page 1 of {pages}")
            chat.say(alice, f"/list #{pages}")
            last = await chat.wait_for(f"page {pages} of {pages}")
            assert " 0.txt" in last["text"]
            assert "›" not in side.labels(last)


@pytest.mark.parametrize("search", ["отчёт", "отчёт о доходах и расходах за минувший год"])
async def test_the_way_back_from_a_card_keeps_the_page_and_the_search(world: World, side: Side, search: str) -> None:
    alice, chat = side.meet()
    names = [f"{search} {n}.txt" for n in range(side.page + 1)]
    await on_record(world, side, chat, [*names, "picture.png", f"{search[:-1]}.txt"])
    async with world.bot(NO_LIMITS):
        chat.say(alice, f"/list {search} #2")
        listed = await chat.wait_for("page 2 of 2")
        side.press(chat, alice, listed, str(side.page + 1))
        card = await chat.wait_for(lambda message: "Back" in str(side.labels(message)))
        side.press(chat, alice, card, "Back")
        back = await chat.wait_for("page 2 of 2", after=listed["message_id"] - 1)
    assert back["text"].splitlines()[0] == f"Files with “{search}” in their name: {side.page + 1}"
    assert numbers(side, back) == [str(side.page + 1)]


async def test_a_page_that_is_there_no_more_is_the_last_one(world: World, side: Side) -> None:
    alice, chat = side.meet()
    await on_record(world, side, chat, [f"{number}.txt" for number in range(side.page)])
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "another.txt")
        chat.say(alice, "/list #2")
        listed = await chat.wait_for("page 2 of 2")
        chat.say(alice, "/delete another.txt")
        side.press(chat, alice, await chat.wait_for("Delete another.txt?"), "Yes, delete")
        await chat.wait_for("another.txt is deleted.")
        side.forge(chat, alice, listed, "list:1:")
        again = await chat.wait_for(f"{LISTED}{side.page}")
    assert len(numbers(side, again)) == side.page
    assert "page" not in again["text"]


async def test_a_file_that_somebody_removed_or_replaced_is_shown_as_gone_and_comes_back(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for name in ("removed.txt", "replaced.txt", "kept.txt"):
            await saved(chat, alice, name)
        world.s3.delete(BUCKET, "removed.txt")
        world.s3.put(BUCKET, "replaced.txt", b"CONTENT")
        chat.say(alice, "/list")
        listed = await chat.wait_for(f"{LISTED}3")
        assert [line.partition(", ")[2] == "gone from the storage" for line in listed["text"].splitlines()[1:]] == [
            False,
            True,
            True,
        ]
        side.press(chat, alice, listed, "2")
        card = await chat.wait_for("replaced.txt\ngone from the storage")
        assert side.labels(card) == ["Take off the list", "‹ Back to the list"]
        chat.say(alice, "/link removed.txt")
        await chat.wait_for("removed.txt is not there (any more).")
        world.s3.put(BUCKET, "replaced.txt", b"content")
        side.press(chat, alice, card, "Back")
        await chat.wait_for("2. replaced.txt, 7 bytes")


async def test_a_file_that_somebody_removed_is_taken_off_the_list(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for name in ("removed.txt", "kept.txt"):
            await saved(chat, alice, name)
        world.s3.delete(BUCKET, "removed.txt")
        chat.say(alice, "/list")
        side.press(chat, alice, await chat.wait_for(f"{LISTED}2"), "2")
        card = await chat.wait_for("removed.txt\ngone from the storage")
        pressed = side.press(chat, alice, card, "Take off the list")
        listed = await chat.wait_for(f"{LISTED}1")
        assert await toast(pressed_again(chat, pressed)) == "This button no longer works."
    assert listed["message_id"] == card["message_id"]
    assert "1. kept.txt" in listed["text"]
    assert list(world.objects) == ["kept.txt"]


async def test_a_file_that_is_there_again_stays_on_the_list(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.txt")
        world.s3.delete(BUCKET, "report.txt")
        chat.say(alice, "/list")
        side.press(chat, alice, await chat.wait_for(f"{LISTED}1"), "1")
        card = await chat.wait_for("report.txt\ngone from the storage")
        world.s3.put(BUCKET, "report.txt", b"content")
        take_off = side.data(card, "Take off the list")
        side.forge(chat, alice, card, f"{take_off}picture")
        await chat.wait_for("No file has “picture” in its name.")  # so that no list has looked at it
        assert await toast(side.forge(chat, alice, card, take_off)) == "This button no longer works."
        chat.say(alice, "/list")
        assert "1. report.txt, 7 bytes" in (await chat.wait_for(f"{LISTED}1"))["text"]
    assert list(world.objects) == ["report.txt"]


async def test_a_list_does_not_wait_for_a_store_that_does_not_answer(world: World, side: Side) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    async with store_behind_proxy(world) as (proxy, settings):
        one_worker = {("worker", "concurrent_workers"): "1"}
        async with world.bot({**settings, **one_worker}):
            await saved(hers, alice, "report.pdf")
            proxy.add(Timeout(), match="HeadObject", times=None)
            hers.say(alice, "/list")
            his.say(bob, "hello")
            await hers.wait_for(f"{LISTED}1")
            await his.wait_for("[greeting]")
            proxy.down()


async def test_a_link_lives_as_long_as_the_settings_say_and_is_nowhere_but_in_the_chat(
    world: World, side: Side
) -> None:
    (alice, hers), (_, his) = side.meet("Alice"), side.meet("Bob")
    with capture_logs() as logs:
        async with world.bot({**NO_LIMITS, ("links", "lifetime"): "90 s", ("log", "level"): "DEBUG"}):
            side.press(hers, alice, await saved(hers, alice, "report.pdf"), "Link")
            link = await hers.wait_for("http://")
    url = link["text"].splitlines()[-1]
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["90"]
    assert "Link to report.pdf, good for 90 sec." in link["text"]
    assert "Signature" not in str(logs)
    assert his.messages == []


@pytest.mark.parametrize("letters", [250, 510])
async def test_a_link_to_a_file_with_a_very_long_name_comes_whole(world: World, side: Side, letters: int) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.send_document(alice, f"{'ж' * letters}.pdf", b"content")
        side.press(chat, alice, await chat.wait_for(SAVED), "Link")
        link = await chat.wait_for("http://")
        assert await fetched(link["text"].splitlines()[-1]) == b"content"


async def test_a_link_is_given_by_a_typed_name_and_by_a_reply(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        done = await saved(chat, alice, "Annual report.pdf")
        chat.say(alice, "/link annual REPORT.pdf")
        chat.say(alice, "/link", reply_to=done["message_id"])
        chat.say(alice, "/link")
        await chat.wait_for("http://", count=2)
        await chat.wait_for("Which file?")


async def test_a_deletion_is_asked_about_once_and_dismissed_by_no(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        confirm = await chat.wait_for("Delete report.pdf? It can't be brought back.")
        yes = side.data(confirm, "Yes, delete")
        assert await toast(side.press(chat, alice, confirm, "No")) == "Left as it is."
        await chat.wait_for("7 bytes, saved")
        assert await toast(side.forge(chat, alice, confirm, yes)) == "This button no longer works."
        chat.say(alice, "/list")
        await chat.wait_for(f"{LISTED}1")
    assert list(world.objects) == ["report.pdf"]


@in_each("answer", telegram=["yes", "Да", "no", "hello"], vk=["yes", "no"])
async def test_a_deletion_is_decided_by_the_next_text(world: World, side: Side, answer: str) -> None:
    deleted = answer in ("yes", "Да")
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        question = await chat.wait_for("Delete report.pdf?")
        await all_handled(chat, alice)
        chat.say(alice, answer)
        await chat.wait_for("report.pdf is deleted." if deleted else "report.pdf is still there.")
        await without_buttons(side, chat, question)
    assert bool(world.objects) is not deleted


async def test_cancel_dismisses_a_deletion(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        await chat.wait_for("Delete report.pdf?")
        chat.say(alice, "/cancel")
        await chat.wait_for("report.pdf is still there.")
    assert list(world.objects) == ["report.pdf"]


async def test_a_deletion_does_not_touch_what_has_taken_the_files_place(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        confirm = await chat.wait_for("Delete report.pdf?")
        world.s3.put(BUCKET, "report.pdf", b"somebody else's")
        side.press(chat, alice, confirm, "Yes, delete")
        await chat.wait_for("report.pdf was gone already.")
    assert world.content("report.pdf") == b"somebody else's"


async def test_a_file_that_is_replaced_while_its_deletion_waits_is_told_in_the_place_of_the_question(
    world: World, side: Side
) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    overwrite = {("names", "on_conflict"): "overwrite"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **overwrite}, HASTY):
        await saved(hers, alice, "report.txt", b"Alice's")
        strike = proxy.add(S3_SLOW_DOWN, match="DeleteObject", times=None)
        hers.say(alice, "/delete report.txt")
        question = await hers.wait_for("Delete report.txt?")
        side.press(hers, alice, question, "Yes, delete")
        await strike.struck()
        await saved(his, bob, "report.txt", b"Bob's")
        told = await hers.wait_for("report.txt is deleted.")
    assert told["message_id"] == question["message_id"]
    assert world.contents == {"report.txt": b"Bob's"}


async def test_while_a_file_is_being_deleted_it_cannot_be_renamed(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        done = await saved(chat, alice, "report.pdf")
        held = proxy.hold("DeleteObject")
        chat.say(alice, "/delete report.pdf")
        yes = side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        await held.reached.wait()
        assert await toast(side.press(chat, alice, done, "Rename")) == "Still working on it."
        assert await toast(pressed_again(chat, yes)) == "Still working on it."
        chat.say(alice, "/rename report.pdf")
        await chat.wait_for("report.pdf: still working on what you asked before.")
        held.release()
        await chat.wait_for("report.pdf is deleted.")
        assert await toast(side.press(chat, alice, done, "Rename")) == "This button no longer works."
    assert world.objects == {}


async def test_an_answer_to_a_message_that_was_deleted_is_a_message_of_its_own(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for(LISTED)
        one = side.data(listed, "1")
        chat.delete(listed["message_id"])
        side.forge(chat, alice, listed, one)
        card = await chat.wait_for("report.pdf\n7 bytes, saved")
    assert card["message_id"] > listed["message_id"]


async def test_of_several_files_of_a_name_the_one_that_is_meant_is_chosen_from_a_list(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        for name in ("report.pdf", "REPORT.PDF", "Report.pdf"):
            await saved(chat, alice, name, name.encode())
        chat.say(alice, "/delete report.PDF")
        await chat.wait_for("Files with “report.PDF” in their name: 3")
        chat.say(alice, "/delete REPORT.PDF")
        side.press(chat, alice, await chat.wait_for("Delete REPORT.PDF?"), "Yes, delete")
        await chat.wait_for("REPORT.PDF is deleted.")
    assert set(world.objects) == {"report.pdf", "Report.pdf"}


async def test_a_button_pressed_twice_does_its_work_once(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        done = await saved(chat, alice, "report.pdf")
        presses = [side.press(chat, alice, done, "Rename") for _ in range(3)]
        assert [await toast(pressed) for pressed in presses] == [""] * 3
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "/delete", reply_to=done["message_id"])
        confirm = await chat.wait_for("Delete report.pdf?")
        twice = [side.forge(chat, alice, confirm, side.data(confirm, "Yes")) for _ in range(2)]
        await chat.wait_for("report.pdf is deleted.")
        assert await toast(twice[0]) == ""
    texts = said(chat)
    assert sum("What shall" in text for text in texts) == 1
    assert texts.count("report.pdf is deleted.") == 1
