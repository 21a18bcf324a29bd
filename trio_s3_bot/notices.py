"""
What the bot has to say, as data: each notice is one fact for one chat.

Notices are committed together with what they tell, composed into messages by the outbox, and put into words by
`texts`. Several of a foldable kind that wait for the same chat become one message.
"""

from __future__ import annotations

import enum

import msgspec

from trio_s3_bot.errors import Reason


class Notice(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base: `reply_to` is the person's message that the notice answers."""

    reply_to: int | None = None


class Greeting(Notice, frozen=True):
    """The first message of a chat is answered with this; `help` says what else the bot can do, as `Help` does."""

    help: bool = False
    renames: bool = True


class DocumentRequired(Notice, frozen=True):
    """A message without a document came."""


class NotAllowed(Notice, frozen=True):
    """The sender, whose id is `user_id`, isn't on the operator's list; said once."""

    user_id: int


class GivenUp(Notice, frozen=True):
    """The person's message made the bot fail again and again and was set aside; `in_part`: it never came whole."""

    in_part: bool = False


class Accepted(Notice, frozen=True):
    """
    A document was taken; its upload is `upload`. The message it becomes is the one that shows the progress.

    Those of one `album` share a message. `asking`: it isn't saved before its sender has said what to call it.
    """

    upload: str
    name: str
    asked_name: str | None = None
    album: str | None = None
    asking: bool = False


class Saved(Notice, frozen=True):
    """
    A document is in the bucket as `key`, `size` bytes.

    `name` is what it should have been called, `asked_name` its name as sent where that could not be a key. `same_as` is
    the file that the very document had been saved as before, if it wasn't uploaded again.
    """

    upload: str
    key: str
    name: str
    size: int
    asked_name: str | None = None
    name_was_taken: bool = False
    same_as: str | None = None
    album: str | None = None

    @property
    def file(self) -> str:
        """The id of the saved file."""
        return self.same_as or self.upload


class Failed(Notice, frozen=True):
    """A document could not be saved; `limit` is in bytes and goes with the reasons about size."""

    upload: str
    name: str
    reason: Reason
    limit: int | None = None


class Delayed(Notice, frozen=True):
    """A document waits for something to come back that is out of order; said once for each document."""

    upload: str
    name: str


class NameProblem(enum.Enum):
    """Why a new name can't be used."""

    IMPOSSIBLE = "impossible"
    TAKEN = "taken"


class Help(Notice, frozen=True):
    """What the bot can do; `renames`: renaming, too."""

    renames: bool = True


class OverLimit(Notice, frozen=True):
    """
    More than its sender may send in a day; at `opens_at` there is room again, and it is `now` (Unix seconds).

    Without `opens_at` there never is: the document alone is larger than `limit` bytes.
    """

    name: str
    opens_at: float | None
    now: float
    limit: int | None = None


class AskName(Notice, frozen=True):
    """What shall the document be called? `name` is its present name, `problem` what was wrong with the last answer."""

    upload: str
    name: str
    problem: NameProblem | None = None


class NameSet(Notice, frozen=True):
    """The document will be called so; with `saved` it is in the bucket, and stays called so."""

    upload: str
    name: str
    saved: bool = False


class Conflict(Notice, frozen=True):
    """There is an object of the document's name; what shall be done? `answered`: that is decided by now."""

    upload: str
    name: str
    answered: bool = False


class Renamed(Notice, frozen=True):
    """A saved document is called otherwise now."""

    upload: str
    old: str
    new: str


class Place(msgspec.Struct, frozen=True):
    """A page of the list of files whose names contain `query`."""

    page: int
    query: str = ""


class ConfirmDelete(Notice, frozen=True):
    """Shall the document really be deleted? `place` as in `Card`, `answered` as in `Conflict`."""

    upload: str
    name: str
    place: Place | None = None
    answered: bool = False


class Deleted(Notice, frozen=True):
    """A document was deleted; `was_gone` if somebody else had done that. `place` as in `Card`."""

    upload: str
    name: str
    was_gone: bool = False
    place: Place | None = None


class StillThere(Notice, frozen=True):
    """Nothing was deleted."""

    name: str


class NoSuchFile(Notice, frozen=True):
    """The command or button is about a document that isn't there (any more), or doesn't say about which."""

    name: str | None = None


class NotYours(Notice, frozen=True):
    """What was asked for can be done only by the one who sent the document."""


class Busy(Notice, frozen=True):
    """The document is being renamed or deleted; nothing else can be done with it until that is over."""

    name: str


class NotSavedYet(Notice, frozen=True):
    """What was asked for can be done to saved documents only, and this one is on its way."""

    name: str


class ChoreFailed(Notice, frozen=True):
    """A renaming (to `new`) or deletion was tried many times, and given up. `place` as in `Card`."""

    upload: str
    name: str
    new: str | None = None
    place: Place | None = None


class ChoreDelayed(Notice, frozen=True):
    """A renaming or deletion waits for the storage, which is out of order; said once."""

    upload: str
    name: str


class Stopped(Notice, frozen=True):
    """A document on its way was given up because its sender said so."""

    name: str


class WhichQuestion(Notice, frozen=True):
    """The message may be meant for a question that is open, or for one of `several`, but it doesn't say so."""

    several: bool = True


class QuestionSettled(Notice, frozen=True):
    """The question that the message replies to is no longer open."""


class NothingToCancel(Notice, frozen=True):
    """There is no open question and nothing on its way."""


class FileList(Notice, frozen=True):
    """The saved files of the chat whose names contain `query`, the newest first."""

    page: int
    query: str = ""


class StatusList(Notice, frozen=True):
    """What is waiting and running for the chat; `which`: one of it is to be cancelled."""

    page: int
    which: bool = False


class Card(Notice, frozen=True):
    """One document, with what can be done to it; `place`: where in the list it was, with a way back there."""

    upload: str
    place: Place | None = None


class Link(Notice, frozen=True):
    """A link that downloads a document, for `lifetime` seconds."""

    upload: str
    name: str
    url: str
    lifetime: int

    def __repr__(self) -> str:
        return f"Link(upload={self.upload!r}, url='***')"


AnyNotice = (
    Greeting
    | DocumentRequired
    | NotAllowed
    | GivenUp
    | Accepted
    | Saved
    | Failed
    | Delayed
    | Help
    | OverLimit
    | AskName
    | NameSet
    | Conflict
    | Renamed
    | ConfirmDelete
    | Deleted
    | StillThere
    | NoSuchFile
    | NotYours
    | Busy
    | NotSavedYet
    | ChoreDelayed
    | ChoreFailed
    | Stopped
    | WhichQuestion
    | QuestionSettled
    | NothingToCancel
    | FileList
    | StatusList
    | Card
    | Link
)
FOLDED = (Accepted, Saved, Failed, Delayed, OverLimit)
