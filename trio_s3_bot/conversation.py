"""
The rules of the conversation, pure: (chat state, update) -> (chat state, effects). No trio, no I/O.

What an update leads to is data; the worker commits it together with the update, so that nothing is half done.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from trio_s3_bot import names, texts
from trio_s3_bot.model import Chat, Document, Press, UpdateObj
from trio_s3_bot.notices import Accepted, AnyNotice, DocumentRequired, GivenUp, Greeting, NotAllowed

_UPLOADS = uuid.UUID("5e0b6cf4-3d2b-4d35-9d7c-54b1c3b8f0a1")


class Access(Protocol):
    """Who may use the bot; `config.AccessConfig` is one."""

    def allows(self, messenger: str, user_id: int, username: str | None) -> bool: ...

    @property
    def everybody(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided, as far as the conversation depends on it."""

    access: Access


@dataclass(frozen=True, slots=True)
class ChatState:
    """What the bot remembers of a chat. `refused`: the one refusal has been said."""

    greeted: bool = False
    refused: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the chat something."""

    notice: AnyNotice


@dataclass(frozen=True, slots=True)
class Take:
    """Take a document for saving under `name`; `asked_name` is its name as sent, where that could not be a key."""

    upload: str
    document: Document
    name: str
    asked_name: str | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class AnswerPress:
    """End the spinner of a pressed button."""

    press: Press


Effect = Say | Take | AnswerPress


@dataclass(frozen=True, slots=True)
class Decision:
    """The chat's new state, and what is to be done, in this order."""

    state: ChatState
    effects: tuple[Effect, ...] = ()


def decide(state: ChatState, update: UpdateObj, rules: Rules) -> Decision:
    """What the bot does about an update."""
    if update.silent:
        return Decision(state)
    if update.sender is not None:
        state = replace(state, language=texts.language_of(update.sender.language))
    if not _allowed(update, rules.access):
        return _refuse(state, update)
    if update.press is not None:
        return Decision(state, (AnswerPress(update.press),))
    if not update.documents and not update.addressed:
        return Decision(state)
    return Decision(replace(state, greeted=True, refused=False), tuple(_answers(state, update)))


def give_up(state: ChatState, update: UpdateObj) -> Decision:
    """What is said about an update that was set aside."""
    if update.silent or not update.addressed:
        return Decision(state)
    return Decision(state, (Say(GivenUp(reply_to=update.message_id)),))


def upload_id(chat: Chat, message_id: int | None, index: int, document: Document) -> str:
    """The id of a document's upload: the same however often its message is delivered."""
    return uuid.uuid5(_UPLOADS, f"{chat.key}/{message_id}/{index}/{document.unique_id}").hex


def _allowed(update: UpdateObj, access: Access) -> bool:
    if access.everybody:
        return True
    sender = update.sender
    return sender is not None and access.allows(update.chat.messenger, sender.id, sender.username)


def _refuse(state: ChatState, update: UpdateObj) -> Decision:
    """One polite refusal in a private chat, then silence; silence in groups. A spinner is ended in any case."""
    if update.press is not None:
        return Decision(state, (AnswerPress(update.press),))
    if update.chat.group or state.refused or update.sender is None:
        return Decision(state)
    notice = NotAllowed(user_id=update.sender.id, reply_to=update.message_id)
    return Decision(replace(state, refused=True), (Say(notice),))


def _answers(state: ChatState, update: UpdateObj) -> Iterator[Effect]:
    if not state.greeted:
        yield Say(Greeting())
    for index, document in enumerate(update.documents):
        yield from _take(update, index, document)
    if state.greeted and not update.documents:
        yield Say(DocumentRequired(reply_to=update.message_id))


def _take(update: UpdateObj, index: int, document: Document) -> Iterator[Effect]:
    name = names.key_for(document.file_name, document.unique_id, document.mime_type)
    asked = document.file_name if document.file_name and document.file_name != name else None
    upload = upload_id(update.chat, update.message_id, index, document)
    yield Take(upload, document, name, asked, update.message_id)
    yield Say(Accepted(upload=upload, name=name, asked_name=asked, reply_to=update.message_id))
