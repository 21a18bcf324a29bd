"""
What a person reads: notices, lists and progress put into words of their language.

A name that contains one of the markers is shown with other brackets, so that no file can speak for the bot. Texts are
kept under `LIMIT`: what doesn't fit is counted, not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from babel.numbers import format_percent

from trio_s3_bot.model import SavedFile, UploadState
from trio_s3_bot.notices import (
    Accepted,
    AnyNotice,
    AskName,
    Busy,
    ChoreDelayed,
    ChoreFailed,
    ConfirmDelete,
    Conflict,
    Delayed,
    Deleted,
    DocumentRequired,
    Failed,
    GivenUp,
    Greeting,
    Help,
    Link,
    NameSet,
    NoSuchFile,
    NotAllowed,
    NothingToCancel,
    NotSavedYet,
    NotYours,
    OverLimit,
    QuestionSettled,
    Renamed,
    Saved,
    StillThere,
    Stopped,
    WhichQuestion,
)
from trio_s3_bot.texts import words
from trio_s3_bot.texts.formats import (
    LIMIT,
    MARKERS,
    SHORT_BAR,
    ago,
    bar,
    duration,
    language_of,
    listed,
    shown,
    size,
    units,
)
from trio_s3_bot.texts.words import COMMANDS, LANGUAGES, Label, ToastText

__all__ = [
    "COMMANDS",
    "LANGUAGES",
    "LIMIT",
    "MARKERS",
    "Label",
    "Sample",
    "StatusLine",
    "ToastText",
    "card",
    "command_in_words",
    "compose",
    "file_list",
    "label",
    "language_of",
    "means",
    "name_on_button",
    "page_of",
    "shown",
    "size",
    "status",
    "status_list",
    "toast",
    "units",
]

NAME_IN_LIST = 80  # characters of a name where several are listed
NAME_IN_BUTTON = 30


@dataclass(frozen=True, slots=True)
class Sample:
    """How far an upload is: bytes done, bytes in all (`None`: unknown), bytes per second, seconds left."""

    done: int
    total: int | None = None
    speed: float | None = None
    left: float | None = None


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One document of a `[document]` message: what it is called, how it stands, how far it is."""

    name: str
    state: UploadState
    sample: Sample | None = None


def compose(notices: Sequence[AnyNotice], language: str) -> str:
    """Put notices, all of one kind, into one message."""
    if len(notices) > 1:
        return _folded(notices, language)
    (notice,) = notices
    return _ONE[type(notice)](notice, language)


def status(lines: Sequence[StatusLine], language: str) -> str:
    """The `[document]` message as it stands now."""
    if len(lines) == 1:
        (line,) = lines
        return f"[document] {shown(line.name)}\n{_standing(line, language)}"
    files = words.FILES.of(language, len(lines))
    return listed(_status_head(lines).of(language, files=files), _status_items(lines, language), language)


def file_list(
    files: Sequence[SavedFile], *, total: int, first: int, pages: str, query: str, now: float, language: str
) -> str:
    """A page of saved files, numbered from `first`; `pages` says which page it is, `now` is in Unix seconds."""
    quoted = shown(query, NAME_IN_LIST)
    if not total:
        return words.LIST_NOT_FOUND.of(language, query=quoted) if query else words.LIST_EMPTY.of(language)
    head = (
        words.LIST_FOUND.of(language, query=quoted, total=total) if query else words.LIST_HEAD.of(language, total=total)
    )
    rows = [
        f"{number}. {shown(file.key, NAME_IN_LIST)}, {_state_of(file, now, language)}"
        for number, file in enumerate(files, first)
    ]
    return "\n".join([head, *rows, *([pages] if pages else [])])


def status_list(lines: Sequence[StatusLine], *, total: int, pages: str, which: bool, language: str) -> str:
    """What is on its way for a chat; `which`: and which of it is to be cancelled?"""
    if not total:
        return words.STATUS_EMPTY.of(language)
    head = words.STATUS_HEAD.of(language, total=total)
    question = words.STATUS_WHICH.of(language) if which else ""
    rows = [listed(head, _status_items(lines, language), language), pages, question]
    return "\n".join(row for row in rows if row)


def card(file: SavedFile | StatusLine | None, *, now: float, language: str) -> str:
    """One document, saved or on its way; `None` for one that is there no more."""
    if file is None:
        return words.GONE.of(language).capitalize()
    if isinstance(file, StatusLine):
        return f"{shown(file.name)}\n{_standing(file, language)}"
    if file.gone:
        return f"{shown(file.key)}\n{words.GONE.of(language)}"
    age = ago(now - file.saved_at, language)
    return words.CARD.of(language, name=shown(file.key), size=size(file.size, language), age=age)


def page_of(page: int, pages: int, language: str) -> str:
    """`page 2 of 5`; nothing where there is only one."""
    return words.PAGE.of(language, page=page + 1, pages=pages) if pages > 1 else ""


def label(which: Label, language: str, **facts: object) -> str:
    """What a button says."""
    return which.value.of(language, **facts)


def toast(name: str, language: str) -> str:
    """The short notice that a pressed button is answered with; `name` is the conversation's name for it."""
    return ToastText[name].value.of(language)


def name_on_button(name: str) -> str:
    return shown(name, NAME_IN_BUTTON)


def means(choice: str, text: str) -> bool:
    """Whether a typed answer stands for pressing a button."""
    return text.strip(" .!").casefold() in words.WORDS[choice]


def command_in_words(text: str) -> str | None:
    """The command that a single word stands for where the messenger has no commands: `список` is `/list`."""
    word = text.strip(" .!").casefold()
    return next((f"/{command}" for command, said in words.COMMAND_WORDS.items() if word in said), None)


def _status_head(lines: Sequence[StatusLine]) -> words.Text:
    if any(line.state is UploadState.ASKING for line in lines):
        return words.ACCEPTED_SOME_ASKING
    return words.ACCEPTED_OVER if all(line.state.final for line in lines) else words.ACCEPTED_MANY


def _status_items(lines: Sequence[StatusLine], language: str) -> list[str]:
    return [f"{shown(line.name, NAME_IN_LIST)}: {_standing_in_short(line, language)}" for line in lines]


def _state_of(file: SavedFile, now: float, language: str) -> str:
    if file.gone:
        return words.GONE.of(language)
    return f"{size(file.size, language)}, {ago(now - file.saved_at, language)}"


def _greeting(notice: Greeting, language: str) -> str:
    greeting = words.GREETING.of(language)
    return f"{greeting}\n{_abilities(notice, language)}" if notice.help else greeting


def _abilities(notice: Greeting | Help, language: str) -> str:
    commands = "/rename, /link, /delete" if notice.renames else "/link, /delete"
    return words.ABILITIES.of(language, commands=commands)


def _accepted(notice: Accepted, language: str) -> str:
    if notice.asking:
        return words.ACCEPTED_ASKING.of(language, name=shown(notice.name))
    if notice.asked_name:
        return words.ACCEPTED_RENAMED.of(language, asked=shown(notice.asked_name), name=shown(notice.name))
    return words.ACCEPTED.of(language, name=shown(notice.name))


def _saved(notice: Saved, language: str) -> str:
    said = words.SAVED.of(language, name=shown(notice.key), size=size(notice.size, language))
    remark = _remark(notice, language)
    return f"{said}\n{remark}" if remark else said


def _remark(notice: Saved, language: str) -> str:
    """Why the name in the bucket isn't the one the person gave."""
    if notice.same_as:
        return words.SAVED_ALREADY.of(language)
    if notice.name_was_taken:
        return words.SAVED_BESIDE.of(language, asked=shown(notice.name))
    if notice.asked_name:
        return words.SAVED_RENAMED.of(language, asked=shown(notice.asked_name), name=shown(notice.key))
    return ""


def _failed(notice: Failed, language: str) -> str:
    return words.FAILED.of(language, name=shown(notice.name), why=_reason(notice, language))


def _reason(notice: Failed, language: str) -> str:
    limit = size(notice.limit, language) if notice.limit is not None else ""
    return words.REASONS[notice.reason].of(language, limit=limit)


def _over_limit(notice: OverLimit, language: str) -> str:
    return _room(notice, language, words.OVER_LIMIT, words.OVER_LIMIT_FOR_EVER, shown(notice.name))


def _room(notice: OverLimit, language: str, later: words.Text, never: words.Text, name: str) -> str:
    """When there is room again, in one wording or the other."""
    if notice.opens_at is None:
        return never.of(language, name=name, limit=size(notice.limit or 0, language))
    return later.of(language, name=name, when=ago(notice.now - notice.opens_at, language))


def _ask_name(notice: AskName, language: str) -> str:
    question = words.ASK_NAME.of(language, name=shown(notice.name))
    return f"{words.NAME_PROBLEMS[notice.problem].of(language)} {question}" if notice.problem else question


def _name_set(notice: NameSet, language: str) -> str:
    return (words.NAME_STAYS if notice.saved else words.NAME_SET).of(language, name=shown(notice.name))


def _deleted(notice: Deleted, language: str) -> str:
    return (words.WAS_GONE if notice.was_gone else words.DELETED).of(language, name=shown(notice.name))


def _chore_failed(notice: ChoreFailed, language: str) -> str:
    if notice.new is None:
        return words.DELETION_FAILED.of(language, name=shown(notice.name))
    return words.RENAMING_FAILED.of(language, name=shown(notice.name), new=shown(notice.new))


def _no_such_file(notice: NoSuchFile, language: str) -> str:
    if notice.name is None:
        return words.WHICH_FILE.of(language)
    return words.NO_SUCH_FILE.of(language, name=shown(notice.name))


def _link(notice: Link, language: str) -> str:
    time = duration(notice.lifetime, language, threshold=2)
    return words.LINK.of(language, name=shown(notice.name), time=time, url=notice.url)


_ONE: dict[type, Callable[[Any, str], str]] = {
    Greeting: _greeting,
    DocumentRequired: lambda _, language: words.DOCUMENT_REQUIRED.of(language),
    NotAllowed: lambda notice, language: words.NOT_ALLOWED.of(language, id=notice.user_id),
    GivenUp: lambda notice, language: (words.GIVEN_UP_IN_PART if notice.in_part else words.GIVEN_UP).of(language),
    Help: lambda notice, language: words.HELP.of(language, abilities=_abilities(notice, language)),
    Accepted: _accepted,
    Saved: _saved,
    Failed: _failed,
    Delayed: lambda notice, language: words.DELAYED.of(language, name=shown(notice.name)),
    OverLimit: _over_limit,
    AskName: _ask_name,
    NameSet: _name_set,
    Conflict: lambda notice, language: words.CONFLICT.of(language, name=shown(notice.name)),
    Renamed: lambda notice, language: words.RENAMED.of(language, old=shown(notice.old), new=shown(notice.new)),
    ConfirmDelete: lambda notice, language: words.CONFIRM_DELETE.of(language, name=shown(notice.name)),
    Deleted: _deleted,
    StillThere: lambda notice, language: words.STILL_THERE.of(language, name=shown(notice.name)),
    NoSuchFile: _no_such_file,
    NotYours: lambda _, language: words.NOT_YOURS.of(language),
    Busy: lambda notice, language: words.BUSY.of(language, name=shown(notice.name)),
    ChoreDelayed: lambda notice, language: words.CHORE_DELAYED.of(language, name=shown(notice.name)),
    NotSavedYet: lambda notice, language: words.NOT_SAVED_YET.of(language, name=shown(notice.name)),
    ChoreFailed: _chore_failed,
    Stopped: lambda notice, language: words.STOPPED.of(language, name=shown(notice.name)),
    WhichQuestion: lambda notice, language: (words.WHICH_QUESTION if notice.several else words.IF_AN_ANSWER).of(
        language
    ),
    QuestionSettled: lambda _, language: words.QUESTION_SETTLED.of(language),
    NothingToCancel: lambda _, language: words.NOTHING_TO_CANCEL.of(language),
    Link: _link,
}


def _folded(notices: Sequence[AnyNotice], language: str) -> str:
    heads = {
        Accepted: words.ACCEPTED_MANY,
        Saved: words.SAVED_MANY,
        Failed: words.FAILED_MANY,
        Delayed: words.DELAYED_MANY,
        OverLimit: words.OVER_LIMIT_MANY,
    }
    asking = any(isinstance(notice, Accepted) and notice.asking for notice in notices)
    head = words.ACCEPTED_ASKING_MANY if asking else heads[type(notices[0])]
    items = [_item(notice, language) for notice in notices]
    said = listed(head.of(language, files=words.FILES.of(language, len(notices))), items, language)
    some_beside = any(isinstance(notice, Saved) and notice.name_was_taken for notice in notices)
    return f"{said}\n{words.SOME_BESIDE.of(language)}" if some_beside else said


def _item(notice: AnyNotice, language: str) -> str:
    match notice:
        case Saved():
            item = f"{shown(notice.key, NAME_IN_LIST)}, {size(notice.size, language)}"
            return words.ALREADY.of(language, item=item) if notice.same_as else item
        case OverLimit():
            return _room(notice, language, words.ROOM, words.NO_ROOM, shown(notice.name, NAME_IN_LIST))
        case Failed():
            return f"{shown(notice.name, NAME_IN_LIST)}: {_reason(notice, language)}"
        case Accepted() | Delayed():
            return shown(notice.name, NAME_IN_LIST)
    raise TypeError(f"{type(notice).__name__} is not folded")


def _standing(line: StatusLine, language: str) -> str:
    """How a document stands, with all that is known of its progress."""
    sample = line.sample
    if line.state is not UploadState.RUNNING or sample is None:
        return words.STATES[line.state].of(language)
    if not sample.total:
        return words.PROGRESS_UNKNOWN.of(language, done=size(sample.done, language))
    share = _share(sample)
    done, total = size(sample.done, language), size(sample.total, language)
    percent = _percent(share, language)
    parts = [words.PROGRESS.of(language, bar=bar(share), percent=percent, done=done, total=total)]
    if sample.speed:
        parts.append(words.SPEED.of(language, size=size(sample.speed, language)))
    return ", ".join([*parts, *_left(sample, language)])


def _standing_in_short(line: StatusLine, language: str) -> str:
    """How one of several documents stands, on one line of a phone's screen."""
    sample = line.sample
    if line.state is not UploadState.RUNNING or sample is None or not sample.total:
        return _standing(line, language)
    share = _share(sample)
    return ", ".join([f"{bar(share, SHORT_BAR)} {_percent(share, language)}", *_left(sample, language)])


def _share(sample: Sample) -> float:
    return min(sample.done / sample.total, 1) if sample.total else 0


def _percent(share: float, language: str) -> str:
    return format_percent(int(share * 100) / 100, locale=language).replace("\xa0", " ")


def _left(sample: Sample, language: str) -> list[str]:
    """How much longer it takes, if that is known."""
    return [words.LEFT.of(language, time=duration(sample.left, language))] if sample.left is not None else []
