"""What is particular to documents in VK: titles and extensions, links that run out, redirects, error pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest

from tests.sides import Side
from trio_s3_bot.errors import DocumentRefused, OperatorNeeded, SourceExpired, SourceUnavailable, Unavailable
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.messengers.vk_types import FileId
from trio_s3_bot.model import Document
from trio_s3_bot.sandbox.replies import Html502, Status
from trio_s3_bot.sandbox.vk import DOC_ROUTE, FILE_ROUTE, ApiError, Chat, ErrorPage, User
from trio_s3_bot.source import permitted

from .talk import Listener, content_of

LOOK_UP = "messages.getByConversationMessageId"


@pytest.fixture
async def messenger(vk: Side) -> AsyncIterator[Messenger]:
    async with vk.open() as messenger:
        await messenger.check()
        yield messenger


@pytest.fixture
def alice(vk: Side) -> User:
    alice: User = vk.world.user("Alice")
    return alice


@pytest.fixture
def chat(vk: Side, alice: User) -> Chat:
    chat: Chat = vk.world.private_chat(alice)
    return chat


async def heard(messenger: Messenger, count: int = 1) -> list[Document]:
    """The documents of the next message."""
    [update] = await Listener(messenger).updates()
    assert len(update.documents) == count
    return list(update.documents)


def changed(document: Document, **fields: object) -> Document:
    """The document with other things in its `file_id`."""
    file_id = msgspec.structs.replace(msgspec.json.decode(document.file_id, type=FileId), **fields)
    return replace(document, file_id=msgspec.json.encode(file_id).decode())


@pytest.mark.parametrize(
    ("title", "extension", "name"),
    [
        ("report.pdf", "pdf", "report.pdf"),
        ("REPORT.PDF", "pdf", "REPORT.PDF"),
        ("Отчёт", "docx", "Отчёт.docx"),
        ("version 1.2", "zip", "version 1.2.zip"),
        ("no extension", "", "no extension"),
        ("a/b.txt", "txt", "a/b.txt"),
    ],
)
async def test_a_document_is_called_by_its_title_with_the_extension_of_what_is_stored(
    messenger: Messenger, chat: Chat, alice: User, title: str, extension: str, name: str
) -> None:
    chat.send_document(alice, title, b"content", ext=extension)
    [document] = await heard(messenger)
    assert document.file_name == name


async def test_a_document_without_a_title_has_no_name(messenger: Messenger, chat: Chat, alice: User) -> None:
    chat.send_document(alice, "x.pdf", b"content", omit=["title"])
    [document] = await heard(messenger)
    assert (document.file_name, document.mime_type) == (None, "application/pdf")


async def test_all_documents_of_a_message_and_of_those_forwarded_in_it_are_taken_in_order(
    messenger: Messenger, chat: Chat, alice: User, vk: Side
) -> None:
    group = vk.world.group("Friends", [alice])
    inner = group.send_document(alice, "inner.txt", b"inner")
    outer = {**group.send_document(alice, "outer.txt", b"outer"), "fwd_messages": [inner]}
    files = [(f"{number}.txt", f"{number}".encode()) for number in range(3)]
    answered = chat.send_document(alice, "answered.txt", b"answered")
    listener = Listener(messenger)
    await listener.updates(3)
    chat.send_documents(alice, files, reply_to=answered["message_id"])
    chat.post(alice, {"fwd_messages": [{key: outer[key] for key in outer if key != "message_id"}]})
    several, forwarded = await listener.updates(2)
    assert [document.file_name for document in several.documents] == ["0.txt", "1.txt", "2.txt"]
    assert [document.file_name for document in forwarded.documents] == ["outer.txt", "inner.txt"]
    for document, content in zip(forwarded.documents, (b"outer", b"inner"), strict=True):
        assert await content_of(await messenger.resolve(document)) == content
        assert await content_of(await messenger.resolve(document)) == content


async def test_a_new_link_is_used_once_and_then_a_fresh_one_is_asked_for(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    first = await messenger.resolve(document)
    assert vk.world.calls(LOOK_UP) == []
    second = await messenger.resolve(document)
    assert len(vk.world.calls(LOOK_UP)) == 1
    assert first.url != second.url


async def test_a_link_that_has_run_out_is_replaced_at_the_next_attempt(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    vk.world.docs.expire_links()
    with pytest.raises(SourceExpired):
        await content_of(await messenger.resolve(document))
    assert await content_of(await messenger.resolve(document)) == b"content"


async def test_an_old_link_is_replaced_at_once(vk: Side, messenger: Messenger, chat: Chat, alice: User) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    vk.world.docs.expire_links()
    assert await content_of(await messenger.resolve(changed(document, date=1_700_000_000))) == b"content"


async def test_an_old_link_is_tried_when_its_message_is_gone(messenger: Messenger, chat: Chat, alice: User) -> None:
    sent = chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    chat.delete(sent["message_id"])
    old = changed(document, date=1_700_000_000)
    assert await content_of(await messenger.resolve(old)) == b"content"
    with pytest.raises(DocumentRefused):
        await messenger.resolve(old)


async def test_the_chat_being_closed_to_the_bot_is_no_error_of_the_chat_here(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    await messenger.resolve(document)
    del vk.world.chats[chat.id]
    with pytest.raises(DocumentRefused):
        await messenger.resolve(document)


@pytest.mark.parametrize("code", [7, 15, 915, 14])
async def test_a_right_that_was_taken_away_does_not_make_a_document_gone(
    vk: Side, messenger: Messenger, chat: Chat, alice: User, code: int
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    await messenger.resolve(document)
    vk.world.faults.add(answer=ApiError(code), method=LOOK_UP)
    with pytest.raises(OperatorNeeded):
        await messenger.resolve(document)
    assert await content_of(await messenger.resolve(document)) == b"content"


async def test_a_refused_look_up_does_not_make_a_document_gone(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    await messenger.resolve(document)
    vk.world.faults.add(answer=ApiError(100), method=LOOK_UP)
    with pytest.raises(SourceUnavailable):
        await messenger.resolve(document)


async def test_a_page_in_place_of_the_document_is_not_the_document(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    vk.world.faults.add(answer=ErrorPage(), method=DOC_ROUTE)
    with pytest.raises(SourceExpired):
        await content_of(await messenger.resolve(document))


@pytest.mark.parametrize("name", ["page.html", "report.pdf"])
@pytest.mark.parametrize("headers", [{}, {"content-type": "application/octet-stream"}])
async def test_what_is_not_at_a_storage_host_is_not_the_document_whatever_it_is_called(
    vk: Side, messenger: Messenger, chat: Chat, alice: User, name: str, headers: dict[str, str]
) -> None:
    chat.send_document(alice, name, b"<html>mine</html>", omit=["size"])
    [document] = await heard(messenger)
    vk.world.faults.add(answer=ErrorPage(headers=headers), method=DOC_ROUTE)
    with pytest.raises(SourceExpired):
        await content_of(await messenger.resolve(document))
    assert await content_of(await messenger.resolve(document)) == b"<html>mine</html>"


@pytest.mark.parametrize("name", ["page.html", "PAGE.HTM", "page.xhtml"])
async def test_a_document_that_is_a_page_is_read(messenger: Messenger, chat: Chat, alice: User, name: str) -> None:
    chat.send_document(alice, name, b"<html>content</html>")
    [document] = await heard(messenger)
    assert await content_of(await messenger.resolve(document)) == b"<html>content</html>"


ELSEWHERE = [
    "https://example.org/doc1_1",
    "https://vk.com.example.org/doc1_1",
    "https://evilvk.com/doc1_1",
    "http://169.254.169.254/latest",
    "https://169.254.169.254/doc1_1",
    "https://169.254.169.254\\@vk.com/doc1_1",
    "https://169.254.169.254\\.vk.com/doc1_1",
    "https://169.254.169.254\t@vk.com/doc1_1",
    "https://169.254.169.254#@vk.com/doc1_1",
    "https://169.254.169.254?.vk.com/doc1_1",
    "https://vk.com@169.254.169.254/doc1_1",
    "https://vk.com:80@169.254.169.254/doc1_1",
    "https://user@vk.com/doc1_1",
    "https://user:password@psv4.userapi.com/d1",
    "https://vk.com:8443/doc1_1",
    "https://psv4.userapi.com:22/d1",
    "http://psv4.userapi.com/d1",
    "http://vk.com:443/doc1_1",
    "https://[::1]/doc1_1",
    "https://[vk.com/doc1_1",
    "ftp://vk.com/doc1_1",
    "file:///etc/passwd",
]
"""Addresses that are not VK's, or not over TLS at the usual port, whatever they look like."""


@pytest.mark.parametrize("location", ELSEWHERE)
async def test_a_redirect_to_anybody_else_is_not_followed(
    vk: Side, messenger: Messenger, chat: Chat, alice: User, location: str
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    vk.world.faults.add(answer=Status(302, headers={"location": location}), method=DOC_ROUTE)
    with pytest.raises(DocumentRefused):
        await content_of(await messenger.resolve(document))


@pytest.mark.parametrize("url", [*ELSEWHERE, "//vk.com/doc1_1", "/etc/passwd", "\x01", "https://"])
async def test_a_link_to_anybody_else_is_not_followed(messenger: Messenger, chat: Chat, alice: User, url: str) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    with pytest.raises(DocumentRefused):
        await content_of(await messenger.resolve(changed(document, url=url)))


async def test_a_redirect_back_to_this_machine_is_followed_only_where_the_api_is_on_it(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    source = await messenger.resolve(document)
    assert await content_of(source) == b"content"
    elsewhere = tuple(host for host in source.hosts if host != "localhost")
    with pytest.raises(DocumentRefused):
        await content_of(replace(source, hosts=elsewhere))
    assert len(vk.world.calls(FILE_ROUTE)) == 1


@pytest.mark.parametrize("url", ["https://vk.com/doc1_1?hash=a", "https://psv4.userapi.com/d1", "https://vk.ru:443/d"])
async def test_a_link_to_vk_is_followed_and_an_api_elsewhere_sends_nobody_to_this_machine(
    vk: Side, chat: Chat, alice: User, url: str
) -> None:
    async with vk.open() as messenger:
        await messenger.check()
        chat.send_document(alice, "report.pdf", b"content")
        [document] = await heard(messenger)
    async with vk.open({("vk", "api_url"): "https://api.vk.ru/method"}) as messenger:
        source = await messenger.resolve(changed(document, url=url))
        assert source.url is not None
        assert permitted(source.url.reveal(), source.hosts) == url
        with pytest.raises(DocumentRefused):
            await content_of(await messenger.resolve(document))


async def test_an_outage_while_a_fresh_link_is_asked_for_is_an_outage(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "report.pdf", b"content")
    [document] = await heard(messenger)
    await messenger.resolve(document)
    vk.world.faults.add(answer=Html502(), method=LOOK_UP)
    with pytest.raises(Unavailable):
        await messenger.resolve(document)
    assert await content_of(await messenger.resolve(document)) == b"content"
