"""What every messenger promises about documents (`messengers.base`), on both of them."""

from __future__ import annotations

import pytest

from tests.sides import Side
from trio_s3_bot import names
from trio_s3_bot.errors import DocumentRefused, SourceError, Unavailable
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Document, UpdateObj

from .talk import Listener, content_of


async def sent(
    side: Side, messenger: Messenger, name: str, content: bytes, **how: object
) -> tuple[UpdateObj, Document]:
    """Let a person send a document, and what the bot is told of it."""
    alice = side.world.user("Alice")
    side.world.private_chat(alice).send_document(alice, name, content, **how)
    [update] = await Listener(messenger).updates()
    [document] = update.documents
    return update, document


async def test_a_document_comes_with_its_name_size_and_type_and_its_bytes_can_be_read(
    side: Side, messenger: Messenger
) -> None:
    update, document = await sent(side, messenger, "report.pdf", b"%PDF-1.7 content", caption="Look")
    assert (document.file_name, document.size) == ("report.pdf", 16)
    assert names.content_type(document.mime_type, "report.pdf") == "application/pdf"
    assert (update.text, update.caption) == (None, "Look")
    source = await messenger.resolve(document)
    assert source.size == 16
    assert await content_of(source) == b"%PDF-1.7 content"


@pytest.mark.parametrize("name", ["без имени.txt", "a b+c%20&d=e?.txt", "\N{PILE OF POO}.txt", "[id1|x] @all.txt"])
async def test_a_name_comes_as_it_is(side: Side, messenger: Messenger, name: str) -> None:
    _, document = await sent(side, messenger, name, b"content")
    assert document.file_name == name
    assert await content_of(await messenger.resolve(document)) == b"content"


async def test_the_same_document_has_the_same_unique_id_and_another_one_another(
    side: Side, messenger: Messenger
) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    first = chat.send_document(alice, "same.txt", b"content")
    chat.send_document(alice, "same.txt", b"content")
    chat.forward(alice, first)
    ids = [update.documents[0].unique_id for update in await Listener(messenger).updates(3)]
    assert ids[0] != ids[1]
    assert ids[2] == ids[0]


async def test_a_forwarded_document_is_a_document(side: Side, messenger: Messenger) -> None:
    alice, bob = side.world.user("Alice"), side.world.user("Bob")
    group = side.world.group("Friends", [alice, bob])
    original = group.send_document(bob, "theirs.txt", b"content")
    group.forward(alice, original)
    [_, forwarded] = await Listener(messenger).updates(2)
    [document] = forwarded.documents
    assert document.file_name == "theirs.txt"
    assert await content_of(await messenger.resolve(document)) == b"content"


@pytest.mark.parametrize("kind", ["photo", "video", "audio", "sticker"])
async def test_nothing_else_is_a_document(side: Side, messenger: Messenger, kind: str) -> None:
    alice = side.world.user("Alice")
    getattr(side.world.private_chat(alice), f"send_{kind}")(alice)
    [update] = await Listener(messenger).updates()
    assert update.documents == ()
    assert not update.silent


async def test_a_document_without_content_and_one_that_announces_no_size_are_read_too(
    side: Side, messenger: Messenger
) -> None:
    _, empty = await sent(side, messenger, "empty.txt", b"")
    assert await content_of(await messenger.resolve(empty)) == b""


async def test_a_document_can_be_asked_for_again_and_again(side: Side, messenger: Messenger) -> None:
    _, document = await sent(side, messenger, "report.pdf", b"content")
    for _ in range(3):
        assert await content_of(await messenger.resolve(document)) == b"content"


async def test_a_document_can_be_asked_for_after_a_restart(side: Side, messenger: Messenger) -> None:
    _, document = await sent(side, messenger, "report.pdf", b"content")
    async with side.open() as restarted:
        assert await content_of(await restarted.resolve(document)) == b"content"


async def test_a_document_that_is_gone_ends_in_an_error_of_its_own(side: Side, messenger: Messenger) -> None:
    _, document = await sent(side, messenger, "report.pdf", b"content")
    side.world.forget_file(side.file_id(document))
    with pytest.raises((DocumentRefused, SourceError)):
        await content_of(await messenger.resolve(document))
    with pytest.raises((DocumentRefused, SourceError)):
        await content_of(await messenger.resolve(document))


async def test_a_messenger_that_is_out_of_order_is_no_fault_of_the_document(side: Side, messenger: Messenger) -> None:
    _, document = await sent(side, messenger, "report.pdf", b"content")
    await messenger.resolve(document)
    side.world.faults.add(answer=side.names.out_of_order, method=side.names.resolve)
    with pytest.raises(Unavailable):
        await messenger.resolve(document)


async def test_no_source_shows_its_address_when_it_is_printed(side: Side, messenger: Messenger) -> None:
    _, document = await sent(side, messenger, "report.pdf", b"content")
    source = await messenger.resolve(document)
    assert source.url is not None
    assert source.url.reveal() not in repr(source)


async def test_nothing_that_is_printed_of_a_document_can_fetch_it(side: Side, messenger: Messenger) -> None:
    """Neither the token nor a signed link, nor what the document is fetched by."""
    update, document = await sent(side, messenger, "report.pdf", b"content")
    source = await messenger.resolve(document)
    printed = repr((update, document, source))
    assert document.unique_id in printed
    for hidden in (document.file_id, side.world.token, "hash=", "http"):
        assert hidden not in printed
