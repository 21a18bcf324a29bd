"""The chat page's server: who may talk to it, what it does for a person, and what it tells as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import trio

from trio_s3_bot.sandbox.telegram import Content, Telegram
from trio_s3_bot.sandbox.telegram_desk import TelegramDesk

from .browser import Page, Screen, browsing, watch

Call = Callable[..., Awaitable[dict[str, Any]]]
MIB = 2**20


@pytest.fixture
async def page(telegram: Telegram) -> AsyncIterator[Page]:
    desk = TelegramDesk(telegram)
    alice = desk.add_person("Alice", "en")
    async with browsing(desk, alice.id, telegram.chats[int(alice.id)]) as page:
        yield page


async def test_a_new_browser_gets_the_whole_state(page: Page) -> None:
    await page.post("say", text="hello")
    page.s3.put("files", "a.txt", b"12345")
    screen = await watch(page, lambda screen: len(screen.latest) == 4)
    assert [message["text"] for message in screen.messages.values()] == ["hello"]
    assert screen.latest["people"][0]["name"] == "Alice"
    assert screen.latest["bucket"]["objects"][0]["key"] == "a.txt"
    assert screen.latest["status"]["listening"] is False


async def test_only_what_changes_is_sent_later(page: Page, call: Call) -> None:
    for number in range(3):
        await page.post("say", text=str(number))
    screen = Screen()

    async def act() -> None:
        await screen.shown.wait()
        sent = (await call("sendMessage", chat_id=page.chat.id, text="0 %"))["result"]["message_id"]
        await call("editMessageText", chat_id=page.chat.id, message_id=sent, text="100 %")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(act)
        await watch(page, lambda screen: any("100 %" in m["text"] for m in screen.messages.values()), screen)
    assert screen.sizes[0] == 3
    assert set(screen.sizes[1:]) == {1}


async def test_a_deleted_message_disappears(page: Page) -> None:
    await page.post("say", text="hello")
    screen = Screen()

    async def act() -> None:
        await screen.shown.wait()
        page.chat.delete(next(iter(screen.messages)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(act)
        await watch(page, lambda screen: screen.sizes and not screen.messages, screen)


async def test_a_message_is_ticked_when_the_bot_has_confirmed_it(page: Page, telegram: Telegram, call: Call) -> None:
    await page.post("say", text="hello")
    assert not next(iter((await watch(page, lambda screen: screen.messages)).messages.values()))["taken"]
    await call("getUpdates", offset=telegram.pending[-1]["update_id"] + 1)
    assert next(iter((await watch(page, lambda screen: screen.messages)).messages.values()))["taken"]


async def test_a_reply_is_one(page: Page, call: Call) -> None:
    asked = await call("sendMessage", chat_id=page.chat.id, text="name?", reply_markup={"force_reply": True})
    screen = await watch(page, lambda screen: screen.messages)
    assert screen.messages[asked["result"]["message_id"]]["ask"] == ""
    await page.post("say", text="Alice", reply_to=asked["result"]["message_id"])
    assert page.chat.messages[-1]["reply_to_message"]["text"] == "name?"


async def test_a_file_goes_to_the_bot_whole_and_under_its_name(page: Page, call: Call, telegram: Telegram) -> None:
    content = Content.generated(3 * MIB)

    async def body() -> AsyncIterator[bytes]:
        for chunk in content.chunks():
            yield chunk

    response = await page.send(body(), name="отчёт №1.pdf", caption="for you", album="7")
    assert response.status_code == 204
    message = page.chat.messages[-1]
    assert (message["document"]["file_name"], message["document"]["file_size"]) == ("отчёт №1.pdf", content.size)
    assert (message["caption"], message["media_group_id"]) == ("for you", "7")
    path = (await call("getFile", file_id=message["document"]["file_id"]))["result"]["file_path"]
    served = await page.client.get(f"{telegram.api_url}/file/bot{telegram.token}/{path}")
    assert Content.of(served.content).sha256() == content.sha256()


async def test_the_files_of_an_album_are_sent_when_the_last_has_come_or_something_else_is_done(page: Page) -> None:
    for number in range(2):
        await page.send(b"x", name=f"{number}.txt", album="7", album_size="3")
    assert page.chat.messages == []
    await page.send(b"x", name="2.txt", album="7", album_size="3")
    await page.send(b"x", name="3.txt", album="8", album_size="2")
    await page.post("say", text="hello")
    sent = [(m["document"]["file_name"], m["media_group_id"]) for m in page.chat.messages[:-1]]
    assert sent == [("0.txt", "7"), ("1.txt", "7"), ("2.txt", "7"), ("3.txt", "8")]
    assert page.chat.messages[-1]["text"] == "hello"


async def test_a_picture_can_go_as_a_photo_and_is_shown_as_one(page: Page) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    await page.send(png, name="a.png", photo="1")
    message = page.chat.messages[-1]
    assert "document" not in message
    shown = await page.client.get(f"attachment/{page.person}/{message['message_id']}")
    assert (shown.headers["content-type"], shown.content) == ("image/png", png)


async def test_other_files_are_only_ever_saved(page: Page) -> None:
    page.s3.put("files", "a/evil.html", b"<script>alert(1)</script>")
    saved = await page.client.get("bucket/a/evil.html")
    assert saved.content == b"<script>alert(1)</script>"
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''evil.html"
    assert saved.headers["x-content-type-options"] == "nosniff"


async def test_a_press_is_answered_with_what_the_bot_says(page: Page, call: Call) -> None:
    markup = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    sent = (await call("sendMessage", chat_id=page.chat.id, text="?", reply_markup=markup))["result"]["message_id"]
    answers = []

    async def press() -> None:
        answers.append((await page.post("press", message_id=sent, data="go")).json())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        update = (await call("getUpdates", timeout=20))["result"][0]
        query = update["callback_query"]["id"]
        await call("answerCallbackQuery", callback_query_id=query, text="Going", show_alert=True)
    assert answers == [{"text": "Going", "alert": True}]


async def test_a_button_that_is_gone_is_told_in_words(page: Page, call: Call) -> None:
    sent = (await call("sendMessage", chat_id=page.chat.id, text="?"))["result"]["message_id"]
    response = await page.post("press", message_id=sent, data="go")
    assert response.status_code == 409
    assert "has no button" in response.json()["error"]


async def test_name_and_language_reach_the_bot(page: Page) -> None:
    await page.post("person", name="Алиса", language="ru")
    await page.post("say", text="привет")
    author = page.chat.messages[-1]["from"]
    assert (author["first_name"], author["language_code"]) == ("Алиса", "ru")


async def test_another_person_has_a_chat_of_their_own(page: Page, telegram: Telegram) -> None:
    response = await page.client.post("people", json={"messenger": "telegram", "name": "Борис", "language": "ru"})
    await page.client.post("say", json={"person": response.json()["id"], "text": "привет"})
    assert page.chat.messages == []
    assert [update["message"]["from"]["first_name"] for update in telegram.pending] == ["Борис"]


async def test_an_unknown_person_is_not_found(page: Page) -> None:
    assert (await page.client.post("say", json={"person": "telegram:1", "text": "x"})).status_code == 404
    assert (await page.client.get("events", params={"person": "vk:1"})).status_code == 404


async def test_every_part_of_the_page_comes_from_the_page_itself(page: Page) -> None:
    html = (await page.client.get("")).text
    for name in ("style.css", "app.js", "chat.js", "dom.js", "icon.svg"):
        assert (await page.client.get(name)).status_code == 200
    assert "http://" not in html
    assert "https://" not in html


async def test_nothing_but_the_page_is_served(page: Page) -> None:
    for path in ("page.py", "../page.py", "%2e%2e/page.py", "/etc/passwd"):
        assert (await page.client.get(path)).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""])
async def test_a_foreign_host_name_is_refused(page: Page, host: str) -> None:
    assert (await page.client.get("people", headers={"host": host})).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", None])
async def test_only_the_page_itself_may_post(page: Page, origin: str | None) -> None:
    headers = {"origin": origin} if origin else {}
    async with httpx.AsyncClient(base_url=page.url, trust_env=False, headers=headers) as client:
        response = await client.post("say", json={"person": page.person, "text": "x"})
    assert response.status_code == 403
    assert page.chat.messages == []


async def test_scripts_of_others_are_forbidden_by_policy(page: Page) -> None:
    policy = (await page.client.get("")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
