"""New names for documents: the same rules as for the names they came with."""

from __future__ import annotations

from trio_s3_bot import names
from trio_s3_bot.conversation.state import (
    Ask,
    ChatState,
    Decision,
    Effect,
    Item,
    Release,
    Rename,
    Rules,
    Say,
    SetName,
)
from trio_s3_bot.model import UpdateObj, UploadState
from trio_s3_bot.notices import AskName, NameProblem, NameSet


def named(state: ChatState, item: Item, text: str, *, reply_to: int | None) -> Decision:
    """The person wants the document to be called `text`."""
    name = new_name(text, item.name)
    if name is None:
        again = AskName(upload=item.id, name=item.name, problem=NameProblem.IMPOSSIBLE, reply_to=reply_to)
        return Decision(state.asking(item.id, Ask.NEW_NAME), (Say(again),))
    state = state.settled(item.id)
    if item.stored:
        if name == item.name:
            return Decision(state, (Say(NameSet(upload=item.id, name=name, reply_to=reply_to)),))
        return Decision(state, (Rename(item.id, name),))
    effects: list[Effect] = [SetName(item.id, name)]
    if item.state is UploadState.ASKING:
        effects.append(Release(item.id))
    return Decision(state, (*effects, Say(NameSet(upload=item.id, name=name, reply_to=reply_to))))


def new_name(text: str, old: str) -> str | None:
    """The name that a text gives, with the old extension if it has none; `None` if it can't be a key."""
    name = names.clean(text.strip())
    if not name:
        return None
    return name if names.split(name)[1] else names.fit(name + names.split(old)[1])


def name_in(caption: str | None, old: str) -> str | None:
    """The name that a caption offers: one line that has an extension and isn't the name already."""
    if not caption or "\n" in caption.strip() or len(caption) > 255:
        return None
    name = names.clean(caption.strip())
    return name if names.split(name)[1] and " " not in names.split(name)[1] and name != old else None


def prefix(rules: Rules, update: UpdateObj) -> str:
    """What comes before the name in a key (`[names] key`); the date is the message's, in UTC."""
    sender = update.sender.id if update.sender is not None else 0
    return names.filled(rules.key, chat=update.chat.id, user=sender, messenger=update.chat.messenger, date=update.date)
