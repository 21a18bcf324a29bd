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
    WaitLonger,
)
from trio_s3_bot.model import UpdateObj, UploadState
from trio_s3_bot.notices import AskName, NameProblem, NameSet

SHORTEST, LONGEST = 2, 10  # characters of what is taken for an extension, unless the old one is shorter


def named(state: ChatState, item: Item, text: str, *, reply_to: int | None) -> Decision:
    """The person wants the document to be called `text`."""
    name = new_name(text, item)
    if name is None:
        return asked(state, item, reply_to=reply_to, problem=NameProblem.IMPOSSIBLE)
    state = state.settled(item.id)
    if item.stored:
        if name == item.name:
            return Decision(state, (Say(NameSet(upload=item.id, name=name, saved=True, reply_to=reply_to)),))
        return Decision(state, (Rename(item.id, name),))
    effects: list[Effect] = [SetName(item.id, name)]
    if item.state is UploadState.ASKING:
        effects.append(Release(item.id))
    name_set = NameSet(upload=item.id, name=name, reply_to=reply_to)
    return Decision(state, (*effects, Say(name_set, provided=item.id)))


def asked(state: ChatState, item: Item, *, reply_to: int | None, problem: NameProblem | None = None) -> Decision:
    """Ask what the document is to be called. What waits for that waits for as long again."""
    question = AskName(upload=item.id, name=item.name, problem=problem, reply_to=reply_to)
    decision = Decision(state.asking(item.id, Ask.NEW_NAME), (Say(question),))
    return decision.and_also(WaitLonger(item.id)) if item.state is UploadState.ASKING else decision


def new_name(text: str, item: Item) -> str | None:
    """The name that a text gives, with the old extension if it has none; `None` if it can't be a key."""
    name = names.clean(text.strip())
    if not name:
        return None
    missing = "" if has_extension(name, item.name) else names.split(item.name)[1]
    return names.fit(name + missing, limit=item.name_limit)


def name_in(caption: str | None, old: str) -> str | None:
    """The name that a caption offers: one line that has an extension, no address, and isn't the name already."""
    if not caption or "\n" in caption.strip() or "/" in caption or len(caption) > 255:
        return None
    name = names.clean(caption.strip())
    return name if names.split(name)[1] and has_extension(name, old) and name != old else None


def has_extension(name: str, old: str) -> bool:
    """
    Whether a new name ends with an extension, or with that of the old one.

    People's names for things have dots, too: `Report v1.2`, `12.05.2024`, `Letter to J. R`.
    """
    ending, old_ending = (names.split(n)[1].removeprefix(".").casefold() for n in (name, old))
    plausible = ending.isascii() and ending.isalnum() and not ending.isdigit()
    return ending == old_ending or (plausible and min(len(old_ending), SHORTEST) <= len(ending) <= LONGEST)


def prefix(rules: Rules, update: UpdateObj) -> str:
    """What comes before the name in a key (`[names] key`); the date is the message's, in UTC."""
    sender = update.sender.id if update.sender is not None else 0
    return names.filled(rules.key, chat=update.chat.id, user=sender, messenger=update.chat.messenger, date=update.date)
