"""What people type: commands, and answers to questions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
    Rules,
    Say,
    WaitLonger,
    question_label,
)
from trio_s3_bot.model import UpdateObj, UploadState
from trio_s3_bot.notices import (
    AnyNotice,
    Busy,
    ConfirmDelete,
    Conflict,
    FileList,
    Help,
    NameSet,
    NoSuchFile,
    NothingToCancel,
    NotSavedYet,
    NotYours,
    QuestionSettled,
    StatusList,
    StillThere,
    Stopped,
)

ABOUT_A_FILE = frozenset({"rename", "link", "delete"})
_CHOICES = {
    Ask.KEEP_NAME: ("keep", "rename", "cancel"),
    Ask.CONFLICT: ("replace", "both", "cancel", "yes", "no"),
}


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


def meant_by_a_word(state: ChatState, update: UpdateObj, facts: Facts) -> Command | None:
    """The command that a word stands for, unless it may be the new name that was asked for: a file may be called so."""
    command = command_in(update.meant)
    if command is None:
        return None
    answered = questions_answered(state, update, facts)
    if command.name == "cancel":  # where a button is called so, the word means that
        return None if any(question.ask is Ask.KEEP_NAME for question in answered) else command
    return None if any(question.ask is not Ask.DELETE for question in answered) else command


def commanded(state: ChatState, update: UpdateObj, command: Command, rules: Rules, facts: Facts) -> Decision:
    """What a command leads to; one that nobody knows gets the help."""
    match command.name:
        case "list" | "files":
            return _file_list(state, command.argument)
        case "status":
            return _say(state, StatusList(page=0))
        case "cancel":
            return _cancel(state, update, facts)
        case name if name in ABOUT_A_FILE and (name != "rename" or rules.rename != "off"):
            return _about_a_file(state, update, command, facts)
    return _say(state, Help(renames=rules.rename != "off", reply_to=update.message_id))


def questions_answered(state: ChatState, update: UpdateObj, facts: Facts) -> tuple[Question, ...]:
    """
    The questions that a text answers: the one about the message it replies to, or the only one that is open.

    That all documents keep their names may be said of several at once.
    """
    replied = update.reply_to is not None
    meant = _about_replied(state, update, facts) if replied else _live(state, update, facts)
    if len(meant) == 1:
        return tuple(meant) if replied or _is_answer(meant[0], update) else ()
    keeps_all = texts.means("keep", update.text or "") and all(q.ask is Ask.KEEP_NAME for q in meant)
    return tuple(meant) if keeps_all else ()


def answered(state: ChatState, update: UpdateObj, questions: Sequence[Question], facts: Facts) -> Decision:
    """What the answer to a question leads to, or to several."""
    if len(questions) > 1:
        return _all_kept(state, questions)
    (question,) = questions
    item, text = facts.items[question.item], (update.text or "").strip()
    unfit = _unfit(item, update)
    if unfit is not None:
        return _say(state if item.busy else state.settled(item.id), unfit)
    if texts.means("cancel", text) and question.ask is Ask.KEEP_NAME and item.open:
        return _stopped(state, update, item)
    if texts.means("cancel", text) or (question.ask is Ask.NEW_NAME and texts.means("keep", text)):
        return _left(state, update, question, item)
    match question.ask:
        case Ask.KEEP_NAME if texts.means("keep", text):
            return _kept(state, update, item)
        case Ask.KEEP_NAME if texts.means("rename", text):
            return naming.asked(state, item, reply_to=update.message_id)
        case Ask.CONFLICT:
            return _conflict_settled(state, update, item, text)
        case Ask.DELETE:
            return _delete_confirmed(state, update, item, text)
    return naming.named(state, item, text, reply_to=update.message_id)


def replies_to_settled(state: ChatState, facts: Facts) -> bool:
    """Whether the answered message puts a question that is no longer open."""
    open_ones = {_label(question, facts) for question in _open_about_replied(state, facts)}
    return facts.replied_asks is not None and facts.replied_asks not in open_ones


def maybe_answered(state: ChatState, update: UpdateObj, facts: Facts) -> Sequence[Question]:
    """The open questions that a text may be meant for, though it answers none: one, or any of several."""
    meant = _live(state, update, facts) if update.reply_to is None else []
    return meant if len(meant) == 1 or any(_is_answer(question, update) for question in meant) else ()


def _say(state: ChatState, notice: AnyNotice) -> Decision:
    return Decision(state, (Say(notice),))


def _file_list(state: ChatState, argument: str) -> Decision:
    """`report #2` is the second page of what has `report` in its name."""
    found = re.fullmatch(r"(.*?)\s*#([0-9]{1,5})", argument)
    query, page = (found[1], int(found[2]) - 1) if found else (argument, 0)
    return _say(state.searching(query), FileList(page=max(page, 0), query=query))


def _about_replied(state: ChatState, update: UpdateObj, facts: Facts) -> list[Question]:
    """
    The sender's questions about the documents that the answered message is about.

    If that puts a question itself, the answer is to no other one that has come in its place.
    """
    found = _of_sender(_open_about_replied(state, facts), update, facts)
    return [question for question in found if facts.replied_asks in (None, _label(question, facts))]


def _open_about_replied(state: ChatState, facts: Facts) -> list[Question]:
    """Anybody's open questions about the documents that the answered message is about."""
    return [question for item in facts.replied if (question := state.question(item)) is not None]


def _label(question: Question, facts: Facts) -> str:
    return question_label(question.ask, facts.items[question.item].name)


def _live(state: ChatState, update: UpdateObj, facts: Facts) -> list[Question]:
    """The sender's questions that any text may answer: those of a private chat, for a while."""
    if update.chat.group:
        return []
    return _of_sender((question for question in state.questions if facts.now <= question.until), update, facts)


def _of_sender(questions: Iterable[Question], update: UpdateObj, facts: Facts) -> list[Question]:
    return [q for q in questions if q.item in facts.items and facts.items[q.item].is_of(update.sender)]


def _is_answer(question: Question, update: UpdateObj) -> bool:
    """
    Whether a text that replies to nothing can be meant for a question.

    Where a name isn't all that is asked for, what is neither a choice nor looks like the name of a file is just talk.
    """
    text = (update.text or "").strip()
    choices = _CHOICES.get(question.ask)
    return choices is None or any(texts.means(choice, text) for choice in choices) or bool(naming.name_in(text, ""))


def _unfit(item: Item, update: UpdateObj) -> AnyNotice | None:
    """Why nothing can be done with a document, if so."""
    if item.busy:
        return Busy(name=item.name, reply_to=update.message_id)
    if not (item.open or item.stored):
        return NoSuchFile(name=item.name, reply_to=update.message_id)
    return None


def _kept(state: ChatState, update: UpdateObj, item: Item) -> Decision:
    kept = NameSet(upload=item.id, name=item.name, saved=item.stored, reply_to=update.message_id)
    decision = _say(state.settled(item.id), kept)
    return decision.and_also(Release(item.id, anew=True)) if item.state is UploadState.ASKING else decision


def _all_kept(state: ChatState, questions: Iterable[Question]) -> Decision:
    decision = Decision(state)
    for question in questions:
        decision = Decision(decision.state.settled(question.item), (*decision.effects, Release(question.item)))
    return decision.and_also(Say(StatusList(page=0)))


def _conflict_settled(state: ChatState, update: UpdateObj, item: Item, text: str) -> Decision:
    if texts.means("yes", text) or texts.means("no", text):  # to which of the three?
        again = Conflict(upload=item.id, name=item.name, reply_to=update.message_id)
        return _say(state.asking(item.id, Ask.CONFLICT), again).and_also(WaitLonger(item.id))
    state = state.settled(item.id)
    if texts.means("replace", text):
        return Decision(state, (Release(item.id, "overwrite"),))
    if texts.means("both", text):
        return Decision(state, (Release(item.id, "keep_both"),))
    return naming.named(state, item, text, reply_to=update.message_id)


def _delete_confirmed(state: ChatState, update: UpdateObj, item: Item, text: str) -> Decision:
    state = state.settled(item.id)
    if texts.means("yes", text):
        return Decision(state, (Delete(item.id),))
    return _say(state, StillThere(name=item.name, reply_to=update.message_id))


def _cancel(state: ChatState, update: UpdateObj, facts: Facts) -> Decision:
    """Leave the question, or give up the upload: the one replied to, else the only one there is."""
    question = _to_leave(state, update, facts)
    if question is not None:
        return _left(state, update, question, facts.items[question.item])
    if replies_to_settled(state, facts):
        return _say(state, QuestionSettled(reply_to=update.message_id))
    meant = facts.open_items if update.reply_to is None else facts.replied
    found = [facts.items[item] for item in meant]
    running = [item for item in found if item.open and item.is_of(update.sender)]
    if len(running) == 1:
        return _stopped(state, update, running[0])
    if running:
        return _say(state, StatusList(page=0, which=True))
    return _say(state, NothingToCancel(reply_to=update.message_id))


def _to_leave(state: ChatState, update: UpdateObj, facts: Facts) -> Question | None:
    """
    The question about the message replied to; without a reply, the last one that was put and isn't answered.

    Even if any text would no longer answer it: what is still to be read in the chat says that `/cancel` leaves it, and
    doing that by mistake costs less than giving up an upload.
    """
    if update.reply_to is not None:
        about_replied = _about_replied(state, update, facts)
        return about_replied[0] if len(about_replied) == 1 else None
    return next(reversed(_of_sender(state.questions, update, facts)), None)


def _left(state: ChatState, update: UpdateObj, question: Question, item: Item) -> Decision:
    match question.ask:
        case Ask.CONFLICT if item.open:
            return _stopped(state, update, item)
        case Ask.DELETE:
            return _say(state.settled(item.id), StillThere(name=item.name, reply_to=update.message_id))
    return _kept(state, update, item)


def _stopped(state: ChatState, update: UpdateObj, item: Item) -> Decision:
    stopped = Stopped(name=item.name, reply_to=update.message_id)
    return Decision(state.settled(item.id), (Cancel(item.id), Say(stopped, provided=item.id)))


def _about_a_file(state: ChatState, update: UpdateObj, command: Command, facts: Facts) -> Decision:
    """`/rename`, `/link`, `/delete`: for the file whose message is answered, or that is called so."""
    gives_new_name = command.name == "rename" and update.reply_to is not None
    named = () if gives_new_name else facts.named
    found = [facts.items[item] for item in facts.replied or named]
    mine = [item for item in found if item.is_of(update.sender)]
    exactly = [item for item in mine if item.name == command.argument]
    mine = exactly if len(exactly) == 1 and not facts.replied else mine
    if len(mine) > 1 and not facts.replied:
        are_open = all(item.open for item in mine)
        return _say(state, StatusList(page=0)) if are_open else _file_list(state, command.argument)
    if found and not mine:
        return _say(state, NotYours(reply_to=update.message_id))
    if len(mine) != 1:
        name = None if facts.replied or gives_new_name else command.argument or None
        return _say(state, NoSuchFile(name=name, reply_to=update.message_id))
    return _with_a_file(state, update, command, mine[0], replied=bool(facts.replied))


def _with_a_file(state: ChatState, update: UpdateObj, command: Command, item: Item, *, replied: bool) -> Decision:
    unfit = _unfit(item, update)
    if unfit is not None:
        return _say(state, unfit)
    if command.name == "rename":
        if replied and command.argument:
            return naming.named(state, item, command.argument, reply_to=update.message_id)
        return naming.asked(state, item, reply_to=update.message_id)
    if item.open:
        return _say(state, NotSavedYet(name=item.name, reply_to=update.message_id))
    if command.name == "link":
        return Decision(state, (MakeLink(item.id, reply_to=update.message_id),))
    confirm = ConfirmDelete(upload=item.id, name=item.name, reply_to=update.message_id)
    return _say(state.asking(item.id, Ask.DELETE), confirm)
