"""What the rules of the conversation work on, and what they lead to. Everything is data."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from trio_s3_bot.model import Document, Press, Sender, UploadState
from trio_s3_bot.names import KEY_LIMIT
from trio_s3_bot.notices import AnyNotice, Place

DAY = 24 * 3600  # seconds


class Access(Protocol):
    """Who may use the bot; `config.AccessConfig` is one."""

    def allows(self, messenger: str, user_id: int, username: str | None) -> bool: ...

    @property
    def everybody(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What the operator decided, as far as the conversation depends on it.

    `rename`: is a new name offered while the upload goes on, asked for before it begins, or neither. `key` is the
    template of keys, which ends with `{name}`. The limits are for one person and 24 hours; `None` is none.
    """

    access: Access
    rename: Literal["offer", "ask", "off"] = "off"
    key: str = "{name}"
    files_per_day: int | None = None
    bytes_per_day: int | None = None


SEARCHES_KEPT = 10
FOREVER = 1e12  # seconds; infinity has no place in JSON


class Ask(enum.Enum):
    """What a question is about."""

    KEEP_NAME = "keep_name"
    NEW_NAME = "new_name"
    CONFLICT = "conflict"
    DELETE = "delete"


def question_label(ask: Ask, name: str) -> str:
    """What tells a question from the others there may be about a document, which has the name `name` now."""
    return f"{ask.value}:{name}" if ask is Ask.CONFLICT else ask.value


@dataclass(frozen=True, slots=True)
class Question:
    """
    A question that the bot has put and that isn't answered; at most one for each document.

    Until `until` (Unix seconds) any text answers it if it is the only one; later only a reply to it does.
    """

    item: str
    ask: Ask
    until: float = FOREVER


@dataclass(frozen=True, slots=True)
class ChatState:
    """
    What the bot remembers of a chat. `refused`: the one refusal has been said; `searches` are the last ones in its list
    of files, for the buttons that lead back to them.
    """

    greeted: bool = False
    refused: bool = False
    language: str = "en"
    questions: tuple[Question, ...] = ()
    searches: tuple[str, ...] = ()

    def searching(self, query: str) -> ChatState:
        """The state in which a search is the last one. What is longer than any name finds nothing to lead back to."""
        if not query or len(query.encode()) > KEY_LIMIT:
            return self
        others = (search for search in self.searches if search != query)
        return replace(self, searches=(*others, query)[-SEARCHES_KEPT:])

    def asking(self, item: str, ask: Ask) -> ChatState:
        """The state in which this question is the open one about the document."""
        return replace(self.settled(item), questions=(*self.settled(item).questions, Question(item, ask)))

    def settled(self, item: str) -> ChatState:
        """The state in which nothing is asked about the document."""
        return replace(self, questions=tuple(q for q in self.questions if q.item != item))

    def question(self, item: str) -> Question | None:
        return next((question for question in self.questions if question.item == item), None)


@dataclass(frozen=True, slots=True)
class Item:
    """
    A document that a message or a button may be about: on its way (`state`), or saved.

    `owner` sent it with the message `message_id`, `gone`: somebody removed it from the bucket; `busy`: it is being
    renamed or deleted; `caption_name`: the name that its caption offers. A name may have `name_limit` bytes.
    """

    id: str
    owner: int | None
    name: str
    state: UploadState
    gone: bool = False
    busy: bool = False
    caption_name: str | None = None
    message_id: int | None = None
    name_limit: int = KEY_LIMIT

    def is_of(self, sender: Sender | None) -> bool:
        """Whether it is this person's to decide about; what nobody is known to have sent is everybody's."""
        return self.owner is None or (sender is not None and sender.id == self.owner)

    @property
    def open(self) -> bool:
        return not self.state.final

    @property
    def stored(self) -> bool:
        return self.state is UploadState.SAVED and not self.gone and not self.busy


@dataclass(frozen=True, slots=True)
class Usage:
    """
    What a person has sent within 24 hours. `oldest` says of the first of it when it no longer counts (Unix seconds),
    and how many bytes it is.
    """

    files: int = 0
    bytes: int = 0
    oldest: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Wants:
    """What the rules need to know beyond the chat's state, to decide about an update."""

    items: frozenset[str] = frozenset()
    reply_to: int | None = None
    name: str | None = None
    open_items: bool = False
    usage: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What was found of what the rules want to know.

    `now` is in Unix seconds. `replied` are the documents that the answered message is about (none, if they are gone, or
    it is about something else); if it puts a question, `replied_asks` is its label. `questions` are the messages that
    put the questions which are open about `items`. `named` are the saved ones called so, `open_items` the oldest few
    that are on their way.
    All of them are of this chat, and among `items`.
    `unrecorded`: the answered message may be one that the bot is sending and doesn't know the number of yet.
    """

    items: Mapping[str, Item] = field(default_factory=dict)
    replied: tuple[str, ...] = ()
    replied_asks: str | None = None
    questions: Mapping[str, int] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    open_items: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    unrecorded: bool = False
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Say:
    """
    Tell the chat something; with `edit_of`, in the place of that message of the bot's.

    `provided`: a document whose name or end was decided on. If that came too late, since it went on while the message
    was handled, the chat sees instead how it stands.
    """

    notice: AnyNotice
    edit_of: int | None = None
    provided: str | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """
    Take a document for saving under `prefix` + `name`; `asked_name` is its name as sent, where that could not be a key.

    `ask`: wait for an answer about its name before the upload begins.
    """

    upload: str
    document: Document
    name: str
    asked_name: str | None
    message_id: int | None
    owner: int | None = None
    prefix: str = ""
    caption_name: str | None = None
    album: str | None = None
    ask: bool = False


@dataclass(frozen=True, slots=True)
class SetName:
    """Let a document be called `name`: on its way up if it hasn't begun, else by renaming the object afterwards."""

    item: str
    name: str


@dataclass(frozen=True, slots=True)
class WaitLonger:
    """Give the person as much time again for the question that holds an upload back."""

    item: str


@dataclass(frozen=True, slots=True)
class Release:
    """
    Nothing more is asked about an upload: let it begin. `policy` is what to do if its name is taken; with `anew` that
    is to be asked again.
    """

    item: str
    policy: Literal["keep_both", "overwrite"] | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give up an upload that waits or runs."""

    item: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Rename a saved object."""

    item: str
    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a saved object; that is said in the place of the bot's message `edit_of`, with a way back to `place`."""

    item: str
    edit_of: int | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """Take a file off the list that somebody removed from the bucket, unless it is there again."""

    item: str


@dataclass(frozen=True, slots=True)
class MakeLink:
    """Make a link that downloads a saved object, and say it."""

    item: str
    reply_to: int | None = None


class Toast(enum.Enum):
    """The short notice that a pressed button may be answered with."""

    NONE = "none"
    STALE = "stale"
    NOT_YOURS = "not_yours"
    CANCELLING = "cancelling"
    KEPT = "kept"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class AnswerPress:
    """End the spinner of a pressed button, with a short notice if there is one."""

    press: Press
    toast: Toast = Toast.NONE


Effect = Say | Take | SetName | WaitLonger | Release | Cancel | Rename | Delete | Forget | MakeLink | AnswerPress


@dataclass(frozen=True, slots=True)
class Decision:
    """The chat's new state, and what is to be done, in this order."""

    state: ChatState
    effects: tuple[Effect, ...] = ()

    def and_also(self, *effects: Effect) -> Decision:
        return Decision(self.state, (*self.effects, *effects))
