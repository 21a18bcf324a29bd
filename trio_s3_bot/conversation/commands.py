"""What people type: commands, and answers to questions."""

from __future__ import annotations

from dataclasses import dataclass

from trio_s3_bot import texts
from trio_s3_bot.conversation import naming
from trio_s3_bot.conversation.state import (
    Ask,
    Cancel,
    ChatState,
    Decision,
    Delete,
    Facts,
    Item,
    MakeLink,
    Question,
    Release,
    Say,
    WaitLonger,
)
from trio_s3_bot.model import UpdateObj, UploadState
from trio_s3_bot.notices import (
    AnyNotice,
    AskName,
    ConfirmDelete,
    FileList,
    Help,
    NameSet,
    NoSuchFile,
    NothingToCancel,
    StatusList,
    StillThere,
)

ABOUT_A_FILE = frozenset({"rename", "link", "delete"})


@dataclass(frozen=True, slots=True)
class Command:
    """A typed command: its name without the slash, and what follows it."""

    name: str
    argument: str


def command_in(text: str | None) -> Command | None:
    """`/list report` is the command `list` with the argument `report`."""
    if not text or not text.startswith("/"):
        return None
    name, *rest = text[1:].split(maxsplit=1) or [""]
    return Command(name.casefold(), rest[0].strip() if rest else "")


def commanded(state: ChatState, update: UpdateObj, command: Command, facts: Facts) -> Decision:
    """What a command leads to; one that nobody knows gets the help."""
    match command.name:
        case "list" | "files":
            return _say(state, FileList(page=0, query=command.argument))
        case "status":
            return _say(state, StatusList(page=0))
        case "cancel":
            return _cancel(state, update, facts)
        case name if name in ABOUT_A_FILE:
            return _about_a_file(state, update, command, facts)
    return _say(state, Help(reply_to=update.message_id))


def question_answered(state: ChatState, update: UpdateObj, facts: Facts) -> Question | None:
    """The question that a text answers: the one about the message it replies to, or the only one that is open."""
    for item in facts.replied:
        question = state.question(item)
        if question is not None and _may_answer(update, facts.items.get(item)):
            return question
    mine = [
        question
        for question in state.questions
        if _may_answer(update, facts.items.get(question.item)) and facts.now <= question.until
    ]
    return mine[0] if len(mine) == 1 and not update.chat.group and update.reply_to is None else None


def answered(state: ChatState, update: UpdateObj, question: Question, facts: Facts) -> Decision:
    """What the answer to a question leads to."""
    item, text = facts.items[question.item], (update.text or "").strip()
    if not (item.open or item.stored):
        return _say(state.settled(item.id), NoSuchFile(name=item.name, reply_to=update.message_id))
    match question.ask:
        case Ask.KEEP_NAME if texts.means("keep", text):
            return _kept(state, update, item)
        case Ask.KEEP_NAME if texts.means("rename", text):
            return Decision(
                state.asking(item.id, Ask.NEW_NAME),
                (Say(AskName(upload=item.id, name=item.name, reply_to=update.message_id)), WaitLonger(item.id)),
            )
        case Ask.CONFLICT:
            return _conflict_settled(state, update, item, text)
        case Ask.DELETE:
            return _delete_confirmed(state, update, item, text)
    return naming.named(state, item, text, reply_to=update.message_id)


def _say(state: ChatState, notice: AnyNotice) -> Decision:
    return Decision(state, (Say(notice),))


def _may_answer(update: UpdateObj, item: Item | None) -> bool:
    if item is None:
        return False
    return item.owner is None or update.sender is None or update.sender.id == item.owner


def _kept(state: ChatState, update: UpdateObj, item: Item) -> Decision:
    decision = _say(state.settled(item.id), NameSet(upload=item.id, name=item.name, reply_to=update.message_id))
    return decision.and_also(Release(item.id)) if item.state is UploadState.ASKING else decision


def _conflict_settled(state: ChatState, update: UpdateObj, item: Item, text: str) -> Decision:
    state = state.settled(item.id)
    if texts.means("replace", text):
        return Decision(state, (Release(item.id, "overwrite"),))
    if texts.means("both", text):
        return Decision(state, (Release(item.id, "keep_both"),))
    if texts.means("cancel", text):
        return Decision(state, (Cancel(item.id),))
    return naming.named(state, item, text, reply_to=update.message_id)


def _delete_confirmed(state: ChatState, update: UpdateObj, item: Item, text: str) -> Decision:
    state = state.settled(item.id)
    if texts.means("yes", text):
        return Decision(state, (Delete(item.id),))
    return _say(state, StillThere(name=item.name, reply_to=update.message_id))


def _cancel(state: ChatState, update: UpdateObj, facts: Facts) -> Decision:
    """Leave the question, or give up the upload: the one replied to, else the only one there is."""
    question = question_answered(state, update, facts) or (state.questions[-1] if _may_leave(state, update) else None)
    if question is not None and question.item in facts.items:
        return _left(state, update, question, facts.items[question.item])
    mine = [facts.items[i] for i in facts.replied or facts.open_items]
    running = [item for item in mine if item.open and _may_answer(update, item)]
    if len(running) == 1:
        return Decision(state.settled(running[0].id), (Cancel(running[0].id),))
    if running:
        return _say(state, StatusList(page=0))
    return _say(state, NothingToCancel(reply_to=update.message_id))


def _may_leave(state: ChatState, update: UpdateObj) -> bool:
    return bool(state.questions) and not update.chat.group and update.reply_to is None


def _left(state: ChatState, update: UpdateObj, question: Question, item: Item) -> Decision:
    if question.ask is Ask.CONFLICT and item.open:
        return Decision(state.settled(item.id), (Cancel(item.id),))
    return _kept(state, update, item)


def _about_a_file(state: ChatState, update: UpdateObj, command: Command, facts: Facts) -> Decision:
    """`/rename`, `/link`, `/delete`: for the file whose message is answered, or that is called so."""
    found = [facts.items[i] for i in facts.replied or facts.named]
    mine = [item for item in found if _may_answer(update, item) and (item.open or item.stored)]
    if len(mine) != 1:
        return _say(state, NoSuchFile(name=command.argument or None, reply_to=update.message_id))
    (item,) = mine
    if command.name == "rename":
        if facts.replied and command.argument:
            return naming.named(state, item, command.argument, reply_to=update.message_id)
        ask = AskName(upload=item.id, name=item.name, reply_to=update.message_id)
        return _say(state.asking(item.id, Ask.NEW_NAME), ask)
    if not item.stored:
        return _say(state, NoSuchFile(name=item.name, reply_to=update.message_id))
    if command.name == "link":
        return Decision(state, (MakeLink(item.id, reply_to=update.message_id),))
    confirm = ConfirmDelete(upload=item.id, name=item.name, reply_to=update.message_id)
    return _say(state.asking(item.id, Ask.DELETE), confirm)
