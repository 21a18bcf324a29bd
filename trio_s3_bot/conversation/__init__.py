"""
The rules of the conversation, pure: (chat state, update, facts) -> (chat state, effects). No trio, no I/O.

What an update leads to is data; the worker commits it together with the update, so that nothing is half done. What
the rules have to know besides the chat's state they say beforehand (`wants`), and get as `Facts`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

from trio_s3_bot import names, texts
from trio_s3_bot.conversation import buttons, commands, naming
from trio_s3_bot.conversation.state import (
    DAY,
    Access,
    AnswerPress,
    Ask,
    Cancel,
    ChatState,
    Decision,
    Delete,
    Effect,
    Facts,
    Forget,
    Item,
    MakeLink,
    Question,
    Release,
    Rename,
    Rules,
    Say,
    SetName,
    Take,
    Toast,
    Usage,
    WaitLonger,
    Wants,
)
from trio_s3_bot.model import Chat, Document, UpdateObj
from trio_s3_bot.notices import (
    Accepted,
    ConfirmDelete,
    Conflict,
    DocumentRequired,
    GivenUp,
    Greeting,
    Help,
    NotAllowed,
    OverLimit,
    QuestionSettled,
    WhichQuestion,
)

__all__ = [
    "Access",
    "AnswerPress",
    "Ask",
    "Cancel",
    "ChatState",
    "Decision",
    "Delete",
    "Effect",
    "Facts",
    "Forget",
    "Item",
    "MakeLink",
    "Question",
    "Release",
    "Rename",
    "Rules",
    "Say",
    "SetName",
    "Take",
    "Toast",
    "Usage",
    "WaitLonger",
    "Wants",
    "decide",
    "give_up",
    "upload_id",
    "wants",
]

_UPLOADS = uuid.UUID("5e0b6cf4-3d2b-4d35-9d7c-54b1c3b8f0a1")


def wants(state: ChatState, update: UpdateObj) -> Wants:
    """What has to be known to decide about an update."""
    items = {question.item for question in state.questions}
    if update.press is not None:
        about = buttons.item_in(update.press)
        return Wants(frozenset({about} if about else ()))
    command = commands.command_in(update.text) or commands.command_in(update.meant)
    return Wants(
        frozenset(items),
        reply_to=update.reply_to,
        name=command.argument if command and command.name in commands.ABOUT_A_FILE else None,
        open_items=command is not None and command.name == "cancel",
        usage=bool(update.documents),
    )


def decide(state: ChatState, update: UpdateObj, rules: Rules, facts: Facts | None = None) -> Decision:
    """What the bot does about an update; `facts` are what `wants` asked for."""
    facts = facts or Facts()
    decision = _decided(state, update, rules, facts)
    return decision.and_also(*_buttons_put_away(state, decision, facts))


def _decided(state: ChatState, update: UpdateObj, rules: Rules, facts: Facts) -> Decision:
    if update.silent:
        return Decision(state)
    state = _in_language(state, update)
    if not _allowed(update, rules.access):
        return _refuse(state, update)
    if update.press is not None:
        return buttons.pressed(state, update, rules, facts)
    if update.documents:
        return _taken(state, update, rules, facts)
    if not update.addressed:
        return Decision(state)
    return _answered(state, update, rules, facts)


def _buttons_put_away(before: ChatState, decision: Decision, facts: Facts) -> Iterator[Effect]:
    """A question that is no longer open loses its buttons, unless its message becomes another one anyway."""
    edited = {effect.edit_of for effect in decision.effects if isinstance(effect, Say | Delete)}
    for question in before.questions:
        message_id, item = facts.questions.get(question.item), facts.items.get(question.item)
        still = decision.state.question(question.item)
        if message_id is None or message_id in edited or item is None or (still and still.ask is question.ask):
            continue
        if question.ask is Ask.CONFLICT:
            yield Say(Conflict(upload=item.id, name=item.name, answered=True), edit_of=message_id)
        if question.ask is Ask.DELETE:
            yield Say(ConfirmDelete(upload=item.id, name=item.name, answered=True), edit_of=message_id)


def give_up(state: ChatState, update: UpdateObj) -> Decision:
    """What is said about an update that was set aside. In one that came in part there may have been a document."""
    if update.silent or not (update.addressed or update.cropped):
        return Decision(state)
    state = _in_language(state, update)
    return Decision(state, (Say(GivenUp(in_part=update.cropped, reply_to=update.message_id)),))


def upload_id(chat: Chat, message_id: int | None, index: int, document: Document) -> str:
    """The id of a document's upload: the same however often its message is delivered."""
    return uuid.uuid5(_UPLOADS, f"{chat.key}/{message_id}/{index}/{document.unique_id}").hex


def _in_language(state: ChatState, update: UpdateObj) -> ChatState:
    """The state with the sender's language. Not every update tells it: a button pressed in VK doesn't."""
    if update.sender is None or update.sender.language is None:
        return state
    return replace(state, language=texts.language_of(update.sender.language))


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


def _greeted(state: ChatState) -> tuple[ChatState, tuple[Effect, ...]]:
    """The state after the greeting, and the greeting if it hasn't been said."""
    return replace(state, greeted=True, refused=False), () if state.greeted else (Say(Greeting()),)


def _answered(state: ChatState, update: UpdateObj, rules: Rules, facts: Facts) -> Decision:
    """A message without a document: a command, an answer to a question, or neither."""
    first = not state.greeted
    state, greeting = _greeted(state)
    command = commands.command_in(update.text) or commands.meant_by_a_word(state, update, facts)
    if command is not None:
        decision = commands.commanded(state, update, command, rules, facts)
        match decision.effects:
            case [Say(notice=Help(renames=renames))] if first:
                # Telegram itself writes /start for whoever opens a bot: that asks for nothing.
                return Decision(state, (Say(Greeting(help=command.name != "start", renames=renames)),))
        return Decision(decision.state, (*greeting, *decision.effects))
    if first:
        return Decision(state, greeting)
    questions = commands.questions_answered(state, update, facts) if update.text else ()
    if questions:
        return commands.answered(state, update, questions, facts)
    unsure = commands.maybe_answered(state, update, facts) if update.text else ()
    if unsure:
        return Decision(state, (Say(WhichQuestion(several=len(unsure) > 1, reply_to=update.message_id)),))
    if update.text and commands.replies_to_settled(state, facts):
        return Decision(state, (Say(QuestionSettled(reply_to=update.message_id)),))
    return Decision(state, (Say(DocumentRequired(reply_to=update.message_id)),))


def _taken(state: ChatState, update: UpdateObj, rules: Rules, facts: Facts) -> Decision:
    state, effects = _greeted(state)
    usage = facts.usage
    for index, document in enumerate(update.documents):
        size = document.size or 0
        if _over(rules, usage, size):
            notice = OverLimit(
                name=_name_of(document),
                opens_at=_opens_at(rules, usage, size, facts.now),
                now=facts.now,
                limit=rules.bytes_per_day,
                reply_to=update.message_id,
            )
            effects = (*effects, Say(notice))
            continue
        usage = replace(usage, files=usage.files + 1, bytes=usage.bytes + size)
        take = _take(update, rules, index, document)
        effects = (*effects, take, *_accepted(take))
        if take.ask:
            state = state.asking(take.upload, Ask.KEEP_NAME)
    return Decision(state, effects)


def _over(rules: Rules, usage: Usage, size: int) -> bool:
    """Whether one more document of `size` bytes is more than the person may send in a day."""
    too_many = rules.files_per_day is not None and usage.files >= rules.files_per_day
    too_much = rules.bytes_per_day is not None and usage.bytes + size > rules.bytes_per_day
    return too_many or too_much


def _opens_at(rules: Rules, usage: Usage, size: int, now: float) -> float | None:
    """When there is room for a document of `size` bytes; `None` if there never is."""
    if _over(rules, Usage(), size):
        return None
    for expires, expired in usage.oldest:
        usage = replace(usage, files=usage.files - 1, bytes=usage.bytes - expired)
        if not _over(rules, usage, size):
            return expires
    return now + DAY


def _name_of(document: Document) -> str:
    return names.key_for(document.file_name, document.unique_id, document.mime_type)


def _take(update: UpdateObj, rules: Rules, index: int, document: Document) -> Take:
    prefix = naming.prefix(rules, update)
    name = names.fit(_name_of(document), limit=names.KEY_LIMIT - len(prefix.encode()))
    offered = rules.rename != "off" and len(update.documents) == 1  # to several it would give the same name
    return Take(
        upload_id(update.chat, update.message_id, index, document),
        document,
        name,
        document.file_name if document.file_name and document.file_name != name else None,
        update.message_id,
        owner=update.sender.id if update.sender is not None else None,
        prefix=prefix,
        caption_name=naming.name_in(update.caption, name) if offered else None,
        album=update.album,
        ask=rules.rename == "ask",
    )


def _accepted(take: Take) -> Iterator[Effect]:
    yield Say(
        Accepted(
            upload=take.upload,
            name=take.name,
            asked_name=take.asked_name,
            album=take.album,
            asking=take.ask,
            reply_to=take.message_id,
        )
    )
