"""Several documents sent together: one message that lists them, one that says they are saved."""

from __future__ import annotations

from tests.bot.dialogue import ASK, Held, toast
from tests.bot.talk import NO_LIMITS, SAVED, all_handled, only, said, store_behind_proxy
from tests.sides import Chat, Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox import telegram as tg

IN_ONE = "VK's are in one message, so that none comes later"
FREQUENT = {("uploads", "progress_interval"): "1 s"}


def files_of(*names: str) -> dict[str, bytes]:
    """Documents of these names, each holding its own."""
    return {name: name.encode() for name in names}


def taken(chat: Chat) -> list[str]:
    return [text for text in said(chat) if text.startswith("[document] ")]


def told_saved(chat: Chat) -> list[str]:
    return [text for text in said(chat) if text.startswith(SAVED)]


async def test_an_album_has_one_message_of_its_documents_and_one_that_says_they_are_saved(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    names = [f"{number}.txt" for number in range(4)]
    async with world.bot(NO_LIMITS):
        side.send_album(chat, alice, files_of(*names))
        done = await chat.wait_for(f"{SAVED} 4 files:")
        await chat.wait_for(lambda message: message["text"].count(": saved") == 4)
    assert len(taken(chat)) == 1
    assert len(told_saved(chat)) == 1
    assert [line.partition(",")[0] for line in done["text"].splitlines()[1:]] == [f"• {name}" for name in names]
    assert set(world.objects) == set(names)


def send_members(chat: tg.Chat, person: tg.User, *names: str, album: str = "album") -> None:
    """Send some documents of one of Telegram's albums; others may come later."""
    for name in names:
        chat.send_document(person, name, name.encode(), album=album)


@only("telegram", IN_ONE)
async def test_members_that_come_later_join_the_message_of_the_first(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **FREQUENT}):
        first = proxy.hold("PutObject")
        send_members(chat, alice, "a.txt")
        message = await chat.wait_for("[document] a.txt: got it, saving it.")
        await first.reached.wait()
        send_members(chat, alice, "b.txt")
        joined = await chat.wait_for("[document] 2 files taken, saving them:")
        await chat.wait_for("b.txt: saved")
        assert told_saved(chat) == []
        first.release()
        await chat.wait_for(f"{SAVED} 2 files:")
    assert joined["message_id"] == message["message_id"]


@only("telegram", IN_ONE)
async def test_a_member_that_comes_when_the_others_are_saved_still_joins_their_message(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        send_members(chat, alice, "a.txt")
        await chat.wait_for(f"{SAVED} a.txt")
        await chat.wait_for("[document] a.txt\nsaved")
        send_members(chat, alice, "b.txt")
        await chat.wait_for(f"{SAVED} b.txt")
        await chat.wait_for("• a.txt: saved\n• b.txt: saved")
    assert len(taken(chat)) == 1


@only("telegram", IN_ONE)
async def test_albums_that_were_told_together_go_on_together(world: World, side: Side) -> None:
    """Two albums and a document that come while nothing can be said are folded into one message."""
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **FREQUENT}):
        talk = Held()
        side.world.faults.add(method=side.names.send, answer=talk)
        chat.say(alice, "hello")
        await talk.reached.wait()
        upload = proxy.hold(lambda request: request.call == "PutObject" and request.path.endswith("b1.txt"))
        send_members(chat, alice, "a1.txt", album="a")
        send_members(chat, alice, "b1.txt", album="b")
        chat.send_document(alice, "alone.txt", b"alone")
        await upload.reached.wait()
        await all_handled(chat, alice)
        talk.release()
        await chat.wait_for("[document] 3 files taken")
        send_members(chat, alice, "a2.txt", album="a")
        await chat.wait_for("a2.txt: saved")
        send_members(chat, alice, "b2.txt", album="b")
        await chat.wait_for("b2.txt: saved")
        assert "b2.txt" not in "".join(told_saved(chat))
        upload.release()
        await chat.wait_for(lambda _: "b1.txt" in "".join(told_saved(chat)))
    assert len(taken(chat)) == 1
    assert "b2.txt" in told_saved(chat)[-1]


async def test_a_member_that_fails_is_told_by_itself_and_the_others_are_called_saved_together(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "10 B"}):
        side.send_album(chat, alice, {"a.txt": b"a", "large.bin": bytes(11), "c.txt": b"c"})
        failed = await chat.wait_for("large.bin could not be saved.")
        await chat.wait_for(f"{SAVED} 2 files:")
        await chat.wait_for("large.bin: not saved")
    assert "10 bytes" in failed["text"]
    assert set(world.objects) == {"a.txt", "c.txt"}


async def test_a_member_is_cancelled_by_its_button_and_the_others_are_saved(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = proxy.hold(lambda request: request.call == "PutObject" and request.path.endswith("b.txt"))
        side.send_album(chat, alice, files_of("a.txt", "b.txt", "c.txt"))
        listed = await chat.wait_for("[document] 3 files taken")
        await held.reached.wait()
        side.press(chat, alice, listed, "b.txt")
        side.press(chat, alice, await chat.wait_for(lambda message: message["text"].startswith("b.txt\n")), "Cancel")
        await chat.wait_for("• b.txt: cancelled")
        held.release()
        await chat.wait_for(f"{SAVED} 2 files:")
    assert set(world.objects) == {"a.txt", "c.txt"}


async def test_more_documents_than_one_keyboard_holds_are_reached_from_the_list(world: World, side: Side) -> None:
    alice, chat = side.meet()
    names = [f"{number:02}.txt" for number in range(side.status_page + 2)]
    async with world.bot({**NO_LIMITS, **ASK, **FREQUENT}):
        side.send_album(chat, alice, files_of(*names))
        listed = await chat.wait_for(lambda message: f"[document] {len(names)} files taken" in message["text"])
        assert side.labels(listed) == ["Files…"]
        side.press(chat, alice, listed, "Files…")
        on_their_way = await chat.wait_for(f"On their way: {len(names)}")
        assert side.labels(on_their_way) == [*names[: side.status_page], "›"]
        side.press(chat, alice, on_their_way, "›")
        page = await chat.wait_for("page 2 of 2")
        side.press(chat, alice, page, names[-1])
        side.press(chat, alice, await chat.wait_for(f"{names[-1]}\nwaiting for your answer"), "Keep name")
        await chat.wait_for(f"• {names[-1]}: saved")
    assert list(world.objects) == [names[-1]]


async def test_one_word_keeps_the_names_of_a_whole_album(world: World, side: Side) -> None:
    alice, chat = side.meet(language="ru")
    async with world.bot({**NO_LIMITS, **ASK}):
        side.send_album(chat, alice, files_of("а.txt", "б.txt", "в.txt"))
        await chat.wait_for("[document] Принято: 3 файла")
        chat.say(alice, "оставить")
        done = await chat.wait_for(f"{SAVED} 3 файла:")
    assert set(world.objects) == {"а.txt", "б.txt", "в.txt"}
    assert side.labels(done) == ["а.txt", "б.txt", "в.txt"]


async def test_a_name_that_could_be_meant_for_any_of_an_album_is_given_to_none(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, **ASK, **FREQUENT}):
        side.send_album(chat, alice, files_of("a.txt", "b.txt"))
        listed = await chat.wait_for("[document] 2 files taken")
        chat.say(alice, "name.txt", reply_to=listed["message_id"])
        await chat.wait_for("[document is required]")
        side.press(chat, alice, listed, "a.txt")
        side.press(chat, alice, await chat.wait_for("a.txt\nwaiting"), "Rename")
        question = await chat.wait_for("What shall a.txt be called?")
        chat.say(alice, "name.txt", reply_to=question["message_id"])
        await chat.wait_for("• name.txt: saved")
    assert list(world.objects) == ["name.txt"]


async def test_a_saved_member_is_renamed_from_the_message_that_says_it(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.send_album(chat, alice, files_of("a.txt", "b.txt"))
        done = await chat.wait_for(f"{SAVED} 2 files:")
        side.press(chat, alice, done, "b.txt")
        side.press(chat, alice, await chat.wait_for("b.txt\n5 bytes, saved"), "Rename")
        await chat.wait_for("What shall b.txt be called?")
        chat.say(alice, "c.txt")
        await chat.wait_for("b.txt is called c.txt now.")
    assert set(world.objects) == {"a.txt", "c.txt"}


@only("telegram", "what is the same is told from the documents, whichever messenger they come from")
async def test_the_same_document_in_an_album_is_said_to_have_been_there(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        sent = chat.send_document(alice, "a.txt", b"content")
        await chat.wait_for(SAVED)
        chat.post(alice, {"document": sent["document"], "media_group_id": "album"})
        send_members(chat, alice, "b.txt")
        done = await chat.wait_for(f"{SAVED} 2 files:")
    assert "• a.txt, 7 bytes (it was there already)" in done["text"]


async def test_buttons_of_an_albums_members_are_safe_from_others(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with world.bot(NO_LIMITS):
        side.send_album(group, alice, files_of("a.txt", "b.txt"))
        done = await group.wait_for(f"{SAVED} 2 files:")
        assert await toast(side.press(group, bob, done, "a.txt")) == "Only the one who sent the file can do that."
        item = side.data(done, "b.txt").partition(":")[2]
        for verb in ("name", "link", "del", "yes", "stop"):
            pressed = side.forge(group, bob, done, f"{verb}:{item}")
            assert await toast(pressed) == "Only the one who sent the file can do that."
    assert world.s3.uploads(BUCKET) == []
    assert set(world.objects) == {"a.txt", "b.txt"}
