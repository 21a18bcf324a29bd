"""The emulator's files: ids, expiring paths, size limits, partial content."""

from __future__ import annotations

import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from trio_s3_bot.sandbox.telegram import Chat, Content, Telegram

Call = Callable[..., Awaitable[dict[str, Any]]]
MIB = 2**20


@pytest.fixture
def chat(telegram: Telegram) -> Chat:
    return telegram.private_chat(telegram.user("Alice"))


def send(chat: Chat, name: str | None = "report.pdf", content: Content | bytes = b"0123456789", **sent: Any) -> str:
    return str(chat.send_document(chat.members[0], name, content, **sent)["document"]["file_id"])


async def download(telegram: Telegram, http: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    url = f"{telegram.api_url}/file/bot{telegram.token}/{quote(path)}"
    return await http.get(url, headers=headers)


async def path_of(call: Call, file_id: str) -> str:
    return str((await call("getFile", file_id=file_id))["result"]["file_path"])


async def test_a_document_is_described_by_what_its_sender_claims(chat: Chat) -> None:
    document = chat.send_document(chat.members[0], "report.pdf", b"0123456789")["document"]
    known = {key: document[key] for key in ("file_name", "mime_type", "file_size")}
    assert known == {"file_name": "report.pdf", "mime_type": "application/pdf", "file_size": 10}


async def test_name_type_and_size_can_be_missing(chat: Chat) -> None:
    omit = ("file_name", "mime_type", "file_size")
    document = chat.send_document(chat.members[0], "report.pdf", b"x", omit=omit)["document"]
    assert document.keys() == {"file_id", "file_unique_id"}
    assert "file_size" not in chat.send_document(chat.members[0], "empty.txt", b"")["document"]


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [("a\u202eb.txt", "a b.txt"), ("x" * 300, "x" * 255), ("../a/b.txt", "../a/b.txt"), ("\u00a0 ", None)],
    ids=["override", "long", "path", "blank"],
)
async def test_only_some_of_a_bad_name_is_cleaned(chat: Chat, name: str, cleaned: str | None) -> None:
    assert chat.send_document(chat.members[0], name, b"x")["document"].get("file_name") == cleaned


async def test_a_gif_is_an_animation_and_a_document(chat: Chat) -> None:
    message = chat.send_animation(chat.members[0], "cat.gif", b"gif")
    assert message["animation"]["file_id"] == message["document"]["file_id"]
    assert message["document"]["mime_type"] == "image/gif"


@pytest.mark.parametrize("kind", ["photo", "video", "audio", "voice", "sticker"])
async def test_other_kinds_of_files_are_no_documents(chat: Chat, kind: str) -> None:
    message = getattr(chat, f"send_{kind}")(chat.members[0])
    assert kind in message
    assert "document" not in message


async def test_a_file_is_served_under_a_path_of_the_servers_making(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient
) -> None:
    path = await path_of(call, send(chat, "отчёт.дата"))
    assert path == "documents/file_0.дата"
    response = await download(telegram, http, path)
    assert (response.status_code, response.content) == (200, b"0123456789")
    assert telegram.calls("file")[0].status == 200


async def test_a_file_of_20_mib_is_served_and_a_larger_one_is_too_big(chat: Chat, call: Call) -> None:
    assert (await call("getFile", file_id=send(chat, content=Content.generated(20 * MIB))))["ok"]
    answer = await call("getFile", file_id=send(chat, content=Content.generated(20 * MIB + 1)))
    assert (answer["error_code"], answer["description"]) == (400, "Bad Request: file is too big")


async def test_without_the_limit_large_files_come_without_being_in_memory(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient
) -> None:
    telegram.cloud_limit = None
    content = Content.generated(64 * MIB, "large")
    path = await path_of(call, send(chat, content=content))
    received, expected = 0, content.chunks(step=65_536)
    tracemalloc.start()
    async with http.stream("GET", f"{telegram.api_url}/file/bot{telegram.token}/{path}") as response:
        async for chunk in response.aiter_bytes(65_536):
            assert chunk == next(expected)
            received += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == content.size
    assert peak < 8 * MIB


async def test_a_path_expires_and_asking_again_renews_it(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient
) -> None:
    file_id = send(chat)
    telegram.file_lifetime = -1.0
    expired = await path_of(call, file_id)
    assert (await download(telegram, http, expired)).status_code == 404
    telegram.file_lifetime = 3600.0
    assert (await download(telegram, http, await path_of(call, file_id))).status_code == 200
    assert (await download(telegram, http, expired)).status_code == 404


async def test_all_paths_can_be_made_to_expire_at_once(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient
) -> None:
    path = await path_of(call, send(chat))
    telegram.files.expire_paths()
    assert (await download(telegram, http, path)).status_code == 404


@pytest.mark.parametrize(
    ("file_id", "refusal"),
    [
        ("", "file_id not specified"),
        ("nonsense", "invalid file_id"),
        ("forgotten", "wrong file_id or the file is temporarily unavailable"),
    ],
)
async def test_a_file_that_is_gone_or_never_was_is_refused(
    telegram: Telegram, chat: Chat, call: Call, file_id: str, refusal: str
) -> None:
    known = send(chat)
    telegram.forget_file(known)
    answer = await call("getFile", file_id=known if file_id == "forgotten" else file_id)
    assert answer["description"] == f"Bad Request: {refusal}"


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
    telegram: Telegram,
    chat: Chat,
    call: Call,
    http: httpx.AsyncClient,
    wanted: str,
    status: int,
    body: bytes,
    described: str | None,
) -> None:
    response = await download(telegram, http, await path_of(call, send(chat)), range=wanted)
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-range") == described


async def test_a_server_without_ranges_gives_the_whole_file(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient
) -> None:
    telegram.files_honour_range = False
    response = await download(telegram, http, await path_of(call, send(chat)), range="bytes=2-4")
    assert (response.status_code, response.content) == (200, b"0123456789")


async def test_a_local_server_gives_an_absolute_path_and_serves_nothing(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    telegram.local_root, telegram.cloud_limit = tmp_path, None
    content = Content.generated(21 * MIB)
    path = Path(await path_of(call, send(chat, content=content)))
    assert path.is_relative_to(tmp_path / telegram.token)
    assert Content.file(path).sha256() == content.sha256()
    assert (await download(telegram, http, str(path))).status_code == 404
    assert (await download(telegram, http, "documents/file_0.pdf")).status_code == 404


async def test_a_local_server_names_a_malformed_token(telegram: Telegram, tmp_path: Path) -> None:
    telegram.local_root = tmp_path
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(f"{telegram.api_url}/botnonsense/getMe")
    assert (response.status_code, response.json()["description"]) == (401, "Unauthorized: invalid token specified")


async def test_files_need_the_token_too(telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient) -> None:
    path = await path_of(call, send(chat))
    response = await http.get(f"{telegram.api_url}/file/bot123456:other/{path}")
    assert response.status_code == 401
