"""The emulator's documents: what is told of them, links that run out, a storage host of its own."""

from __future__ import annotations

import tracemalloc
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx
import pytest

from trio_s3_bot.sandbox.vk import Chat, Content, User, Vk

from .vk_client import VkClient

MIB = 2**20
ERROR_PAGE = "<title>Ошибка | ВКонтакте</title>"


@pytest.fixture
async def client(client: VkClient) -> VkClient:
    """A client that has a key."""
    await client.connect()
    return client


@pytest.fixture
def alice(vk: Vk) -> User:
    return vk.user("Alice")


@pytest.fixture
def chat(vk: Vk, alice: User) -> Chat:
    return vk.private_chat(alice)


async def sent(client: VkClient, chat: Chat, name: str = "report.pdf", *content: bytes, **how: Any) -> dict[str, Any]:
    """Send a document, and give what the bot is told of it."""
    chat.send_document(chat.members[0], name, *(content or (b"0123456789",)), **how)
    (attachment,) = (await client.newest())["message"]["attachments"]
    assert attachment["type"] == "doc"
    doc: dict[str, Any] = attachment["doc"]
    return doc


async def storage_link(client: VkClient, doc: dict[str, Any]) -> str:
    response = await client.http.get(doc["url"])
    assert response.status_code == 302
    return response.headers["location"]


def is_error_page(response: httpx.Response) -> bool:
    kind = (response.status_code, response.headers["content-type"])
    return kind == (200, "text/html; charset=windows-1251") and ERROR_PAGE in response.content.decode("windows-1251")


async def test_a_document_is_known_by_title_size_and_extension(client: VkClient, alice: User, chat: Chat) -> None:
    doc = await sent(client, chat, "Отчёт.PDF")
    assert (doc["title"], doc["size"], doc["ext"], doc["type"]) == ("Отчёт.PDF", 10, "pdf", 1)
    assert doc["owner_id"] == alice.id
    assert "mime_type" not in doc


@pytest.mark.parametrize(
    ("name", "kind"), [("a.zip", 2), ("a.gif", 3), ("a.jpg", 4), ("a.wav", 5), ("a.mp4", 6), ("a.epub", 7), ("a.x", 8)]
)
async def test_an_image_sent_as_a_file_is_a_document_of_another_type(
    client: VkClient, chat: Chat, name: str, kind: int
) -> None:
    assert (await sent(client, chat, name))["type"] == kind


async def test_title_and_extension_are_independent(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat, "the report", ext="pdf")
    assert (doc["title"], doc["ext"]) == ("the report", "pdf")
    assert urlsplit(await storage_link(client, doc)).path.endswith("/the%20report.pdf")
    doc = await sent(client, chat, "../a/b\n\u202e.txt", ext="")
    assert (doc["title"], doc["ext"]) == ("../a/b\n\u202e.txt", "")
    assert (await client.http.get(await storage_link(client, doc))).content == b"0123456789"


async def test_fields_can_be_missing_and_the_size_can_be_wrong(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat, omit=("url", "access_key"), file_size=99)
    assert not doc.keys() & {"url", "access_key"}
    assert doc["size"] == 99


async def test_a_message_carries_up_to_10_documents(client: VkClient, alice: User, chat: Chat) -> None:
    files = [(f"{number}.txt", b"x") for number in range(10)]
    chat.send_documents(alice, files, caption="all of them")
    message = (await client.newest())["message"]
    assert [attachment["doc"]["title"] for attachment in message["attachments"]] == [name for name, _ in files]
    assert message["text"] == "all of them"
    with pytest.raises(ValueError, match="1 to 10 files"):
        chat.send_documents(alice, [*files, ("one more.txt", b"x")])


@pytest.mark.parametrize("kind", ["photo", "video", "audio", "audio_message", "graffiti", "sticker"])
async def test_other_kinds_of_files_are_no_documents(
    vk: Vk, client: VkClient, alice: User, chat: Chat, kind: str
) -> None:
    getattr(chat, f"send_{kind}")(alice, b"bytes")
    (attachment,) = (await client.newest())["message"]["attachments"]
    assert attachment.keys() == {"type", kind}
    assert attachment["type"] == kind
    assert vk.content(attachment).read(0, 5) == b"bytes"


async def test_a_document_is_on_another_host_and_port_than_its_link(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    page, storage = urlsplit(doc["url"]), urlsplit(await storage_link(client, doc))
    assert (page.hostname, storage.hostname) == ("127.0.0.1", "localhost")
    assert page.port != storage.port


async def test_a_document_is_got_by_following_the_redirect(vk: Vk, client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    response = await client.http.get(doc["url"], follow_redirects=True)
    assert (response.status_code, response.content) == (200, b"0123456789")
    assert response.headers["content-type"] == "application/pdf"
    assert [vk.calls(name)[0].status for name in ("doc", "file")] == [302, 200]


async def test_a_redirect_has_no_body(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    assert (await client.http.get(doc["url"])).content == b""


async def test_a_link_without_its_parameters_leads_to_a_viewer(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    response = await client.http.get(doc["url"].replace("&no_preview=1", ""))
    assert response.status_code == 200
    assert '"docUrl":"http:\\/\\/localhost' in response.text


@pytest.mark.parametrize("changed", ["hash", "dl"])
async def test_a_link_with_another_hash_leads_to_an_error_page(client: VkClient, chat: Chat, changed: str) -> None:
    doc = await sent(client, chat)
    address = urlsplit(doc["url"])
    query = dict(parse_qsl(address.query)) | {changed: "x" * 36}
    response = await client.http.get(urlunsplit(address._replace(query="")), params=query)
    assert is_error_page(response)


async def test_an_expired_link_leads_to_an_error_page_and_a_new_one_is_in_the_message(
    vk: Vk, client: VkClient, chat: Chat
) -> None:
    vk.file_lifetime = -1
    expired = await sent(client, chat)
    assert is_error_page(await client.http.get(expired["url"]))
    vk.file_lifetime = 3600
    whole = await client.result("messages.getByConversationMessageId", peer_id=chat.id, conversation_message_ids=1)
    fresh = whole["items"][0]["attachments"][0]["doc"]
    assert (await client.http.get(fresh["url"], follow_redirects=True)).content == b"0123456789"
    assert is_error_page(await client.http.get(expired["url"]))
    assert {name for name, value in fresh.items() if value != expired[name]} == {"url"}


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_an_expired_link_on_the_storage_host_is_refused(
    vk: Vk, client: VkClient, chat: Chat, status: int
) -> None:
    link = await storage_link(client, await sent(client, chat))
    vk.docs.gone_status = status
    vk.docs.expire_links()
    assert (await client.http.get(link)).status_code == status


async def test_what_vouches_for_a_link_on_vk_com_does_not_on_the_storage_host(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    address = urlsplit(await storage_link(client, doc))._replace(query="")
    mark = dict(parse_qsl(urlsplit(doc["url"]).query))["dl"]
    assert (await client.http.get(urlunsplit(address), params={"extra": mark})).status_code == 404


async def test_a_deleted_document_leads_to_an_error_page(vk: Vk, client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    link = await storage_link(client, doc)
    vk.forget_file(f"{doc['owner_id']}_{doc['id']}")
    assert is_error_page(await client.http.get(doc["url"]))
    assert (await client.http.get(link)).status_code == 404


async def test_a_cropped_message_comes_without_its_files_and_is_whole_when_asked_for(
    client: VkClient, alice: User, chat: Chat
) -> None:
    chat.send_document(alice, "report.pdf", b"0123456789", caption="here", cropped=True)
    message = (await client.newest())["message"]
    assert (message["is_cropped"], message["attachments"], message["text"]) == (True, [], "here")
    whole = await client.result("messages.getById", peer_id=chat.id, cmids=message["conversation_message_id"])
    assert "is_cropped" not in whole["items"][0]
    doc = whole["items"][0]["attachments"][0]["doc"]
    assert (await client.http.get(doc["url"], follow_redirects=True)).content == b"0123456789"


async def test_links_in_quoted_and_forwarded_messages_are_renewed_too(
    vk: Vk, client: VkClient, alice: User, chat: Chat
) -> None:
    original = chat.send_document(alice, "a.txt", b"x")
    chat.say(alice, "this one", reply_to=1)
    chat.forward(alice, original)
    chat.post(alice, {"attachments": [{"type": "wall", "wall": {"attachments": original["attachments"]}}]})
    vk.docs.expire_links()
    answer = await client.result("messages.getById", peer_id=chat.id, cmids=[2, 3, 4])
    reply, forward, wall = answer["items"]
    holders = (reply["reply_message"], forward["fwd_messages"][0], wall["attachments"][0]["wall"])
    for holder in holders:
        url = holder["attachments"][0]["doc"]["url"]
        assert (await client.http.get(url, follow_redirects=True)).content == b"x"


@pytest.mark.parametrize(
    ("wanted", "status", "body", "described"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
async def test_a_range_gives_partial_content(
    client: VkClient, chat: Chat, wanted: str, status: int, body: bytes, described: str | None
) -> None:
    link = await storage_link(client, await sent(client, chat))
    response = await client.http.get(link, headers={"range": wanted})
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-range") == described


async def test_a_storage_without_ranges_gives_the_whole_file(vk: Vk, client: VkClient, chat: Chat) -> None:
    vk.files_honour_range = False
    link = await storage_link(client, await sent(client, chat))
    response = await client.http.get(link, headers={"range": "bytes=2-4"})
    assert (response.status_code, response.content) == (200, b"0123456789")


async def test_a_document_that_is_html_is_served_as_html(client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat, "page.html", b"<p>mine</p>")
    response = await client.http.get(doc["url"], follow_redirects=True)
    assert (response.headers["content-type"], response.content) == ("text/html", b"<p>mine</p>")


async def test_large_documents_come_without_being_in_memory(client: VkClient, alice: User, chat: Chat) -> None:
    content = Content.generated(64 * MIB, "large")
    chat.send_document(alice, "large.bin", content)
    doc = (await client.newest())["message"]["attachments"][0]["doc"]
    received, expected = 0, content.chunks(step=65_536)
    tracemalloc.start()
    async with client.http.stream("GET", doc["url"], follow_redirects=True) as response:
        async for chunk in response.aiter_bytes(65_536):
            assert chunk == next(expected)
            received += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == content.size == doc["size"]
    assert peak < 8 * MIB


async def test_the_token_is_neither_for_vk_com_nor_for_the_storage_host(vk: Vk, client: VkClient, chat: Chat) -> None:
    doc = await sent(client, chat)
    link = await storage_link(client, doc)
    for address in (doc["url"], link):
        await client.http.get(address, headers={"authorization": f"Bearer {vk.token}"})
    assert vk.complaints == [f"the token was sent to {httpx.URL(address).path}" for address in (doc["url"], link)]
    vk.complaints.clear()
