"""The chat page for people in VK: what they do comes to the bot as VK's events, what it does is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from trio_s3_bot.sandbox.vk import Vk
from trio_s3_bot.sandbox.vk_desk import VkDesk

from .browser import Page, Screen, browsing, watch
from .vk_client import VkClient

KEYBOARD = {
    "inline": True,
    "buttons": [
        [{"action": {"type": "callback", "label": "Go", "payload": '{"button":"go"}'}}],
        [{"action": {"type": "open_link", "label": "Look", "link": "https://example.com/"}}],
    ],
}


@pytest.fixture
async def page(vk: Vk) -> AsyncIterator[Page]:
    desk = VkDesk(vk)
    alice = desk.add_person("Alice", "en")
    async with browsing(desk, alice.id, vk.chats[int(alice.id)]) as page:
        yield page


async def said(client: VkClient, page: Page, text: str, **params: object) -> int:
    """Let the bot say something; returns the message's number."""
    (sent,) = await client.result("messages.send", peer_ids=page.chat.id, message=text, random_id=0, **params)
    number: int = sent["conversation_message_id"]
    return number


async def test_what_a_person_says_is_an_event_and_is_shown(page: Page, client: VkClient) -> None:
    await client.connect()
    await page.post("say", text="hello")
    event = await client.newest()
    assert (event["message"]["text"], event["client_info"]["lang_id"]) == ("hello", 3)
    screen = await watch(page, lambda screen: screen.messages)
    (bubble,) = screen.messages.values()
    assert (bubble["text"], bubble["mine"], bubble["author"]) == ("hello", True, "Alice")


async def test_a_message_is_ticked_when_the_bot_has_polled_further(page: Page, client: VkClient) -> None:
    await client.connect()
    await page.post("say", text="hello")
    assert not (await watch(page, lambda screen: screen.messages)).messages[1]["taken"]
    await client.events()
    await client.events()
    assert (await watch(page, lambda screen: screen.messages)).messages[1]["taken"]


async def test_an_edit_changes_the_message_in_its_place(page: Page, client: VkClient) -> None:
    number = await said(client, page, "0 %")
    screen = Screen()

    async def act() -> None:
        await screen.shown.wait()
        await client.result("messages.edit", peer_id=page.chat.id, cmid=number, message="100 %")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(act)
        await watch(page, lambda screen: any("100 %" in m["text"] for m in screen.messages.values()), screen)
    (bubble,) = screen.messages.values()
    assert (bubble["mine"], bubble["edited"], bubble["author"]) == (False, True, "Sandbox")


async def test_a_reply_is_one_on_both_sides(page: Page, client: VkClient) -> None:
    number = await said(client, page, "What shall it be called?")
    await page.post("say", text="report", reply_to=number)
    assert page.chat.messages[-1]["reply_message"]["conversation_message_id"] == number
    screen = await watch(page, lambda screen: len(screen.messages) == 2)
    assert screen.messages[2]["quote"] == {"id": number, "author": "Sandbox", "text": "What shall it be called?"}


async def test_a_pressed_callback_button_is_answered_with_the_bots_notice(page: Page, client: VkClient) -> None:
    await client.connect()
    number = await said(client, page, "?", keyboard=KEYBOARD)
    screen = await watch(page, lambda screen: screen.messages)
    (key,), (link,) = screen.messages[number]["buttons"]
    assert (key["text"], link) == ("Go", {"text": "Look", "url": "https://example.com/"})
    answers = []

    async def press() -> None:
        answers.append((await page.post("press", message_id=number, data=key["data"])).json())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        (event,) = (await client.check())["updates"]
        assert event["object"]["payload"] == {"button": "go"}
        ids = {key: event["object"][key] for key in ("event_id", "user_id", "peer_id")}
        snackbar = {"type": "show_snackbar", "text": "Going"}
        await client.result("messages.sendMessageEventAnswer", **ids, event_data=snackbar)
    assert answers == [{"text": "Going", "alert": False}]


async def test_a_pressed_text_button_says_its_label(page: Page, client: VkClient) -> None:
    button = {"action": {"type": "text", "label": "Go", "payload": '{"button":"go"}'}}
    number = await said(client, page, "?", keyboard={"inline": True, "buttons": [[button]]})
    response = await page.post("press", message_id=number, data='{"button":"go"}')
    assert response.json() == {"text": "", "alert": False}
    assert page.chat.messages[-1]["text"] == "Go"


async def test_a_button_that_is_gone_is_told_in_words(page: Page, client: VkClient) -> None:
    number = await said(client, page, "?")
    response = await page.post("press", message_id=number, data="go")
    assert response.status_code == 409
    assert "no button" in response.json()["error"]


async def test_a_file_goes_to_the_bot_as_a_document(page: Page, client: VkClient) -> None:
    response = await page.send(b"content", name="отчёт №1.pdf", caption="for you")
    assert response.status_code == 204
    (message,) = page.chat.messages
    (attachment,) = message["attachments"]
    assert (message["text"], attachment["doc"]["title"]) == ("for you", "отчёт №1.pdf")
    served = await client.http.get(attachment["doc"]["url"], follow_redirects=True)
    assert served.content == b"content"


async def test_files_that_are_sent_at_once_are_one_message(page: Page) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    files: list[tuple[str, bytes, dict[str, str]]] = [
        ("a.txt", b"a", {"caption": "three"}),
        ("b.txt", b"bb", {}),
        ("c.png", png, {"photo": "1"}),
    ]
    for name, content, details in files:
        assert page.chat.messages == []
        await page.send(content, name=name, album="7", album_size="3", **details)
    screen = await watch(page, lambda screen: screen.messages)
    (bubble,) = screen.messages.values()
    assert bubble["text"] == "three"
    assert [(file["kind"], file["name"], file["size"]) for file in bubble["files"]] == [
        ("doc", "a.txt", 1),
        ("doc", "b.txt", 2),
        ("photo", "", 8),
    ]
    for index, (_, content, _) in enumerate(files):
        shown = await page.client.get(f"attachment/{page.person}/1", params={"index": index})
        assert shown.content == content
    assert (await page.client.get(f"attachment/{page.person}/1", params={"index": 3})).status_code == 404


async def test_what_has_come_of_an_album_that_is_not_continued_is_sent_before_anything_else(page: Page) -> None:
    await page.send(b"a", name="a.txt", album="7", album_size="2")
    await page.post("say", text="hello")
    await page.send(b"b", name="b.txt", album="8", album_size="2")
    await page.send(b"c", name="c.txt")
    titles = [[file["doc"]["title"] for file in message["attachments"]] for message in page.chat.messages]
    assert titles == [["a.txt"], [], ["b.txt"], ["c.txt"]]


async def test_an_address_that_the_bot_says_is_a_link_and_a_mention_is_a_name(page: Page, client: VkClient) -> None:
    text = "\N{PILE OF POO} [id1|Pavel]: https://example.com/a?b=c"
    number = await said(client, page, text)
    bubble = (await watch(page, lambda screen: screen.messages)).messages[number]
    assert bubble["text"] == "\N{PILE OF POO} Pavel: https://example.com/a?b=c"
    assert bubble["entities"] == [{"type": "url", "offset": 10, "length": 25}]


async def test_name_and_language_reach_the_bot(page: Page, client: VkClient) -> None:
    await client.connect()
    assert (await page.post("person", name="Алиса", language="ru")).status_code == 204
    await page.post("say", text="привет")
    assert (await client.newest())["client_info"]["lang_id"] == 0
    assert (await page.client.get("people")).json()[0]["name"] == "Алиса"


async def test_a_language_that_vk_does_not_have_is_refused_in_words(page: Page) -> None:
    response = await page.post("person", language="tlh")
    assert response.status_code == 409
    assert "tlh" in response.json()["error"]
