"""How a message of the bot's is to be read: the English of the texts that the model depends on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

GREETING, REQUIRED, TAKEN, SAVED = "[greeting]", "[document is required]", "[document] ", "[document has been saved] "
UNDER_WAY = ("▰", "▱", " so far", "being saved", "waiting for its turn", "waiting for your answer")
_FOLDED = re.compile(
    r"\d+ files?( taken, saving them| taken\. Rename any before they are saved\?"
    r"| taken, waiting for your answer about some)?:?"
)
_SIZE = re.compile(r", [\d.,]+ \w+$")
_GOT = re.compile(
    r": (got it(, saving it( as .*)?\.|\. Rename it before it is saved\?)"
    r"|saved|not saved|cancelled|being saved|waiting for its turn|waiting for your answer)$",
    re.DOTALL,
)
_RENAMED = re.compile(r"(.*) is called (.*) now\.")
_DELETED = re.compile(r"(.*) is deleted\.")
_WAS_GONE = re.compile(r"(.*) was gone already\.")
_MISSING = re.compile(r"(.*) is not there \(any more\)\.")
_TO_DELETE = re.compile(r"Delete (.*)\? It can't be brought back\.")
_CONFLICT = re.compile(r"(.*) is there already\. Replace it, keep both, or cancel\?.*")
_NAMING = re.compile(r"(?:There is a file of that name already\. )?What shall (.*) be called\? .*")
_LIST = re.compile(r"Your saved files: (\d+)|You have no saved files yet\.")
_NUMBERED = re.compile(r"(.*) \(\d+\)(\.\w+)?")
_DIALOGUE = re.compile(
    r"(It will be called|Its name stays) .*\.$"
    r"|Which file\? "
    r"|.* is still there\.$"
    r"|.*: still working on what you asked before\.$"
    r"|.* is still being saved\.$"
    r"|.* is cancelled\.$"
    r"|There is nothing to cancel\.$"
    r"|On their way: |Nothing is waiting or being saved\.$"
    r"|[^\n]+\n[^\n]+$"
)
_IN_DIALOGUE = (_DIALOGUE, _RENAMED, _DELETED, _WAS_GONE, _MISSING, _TO_DELETE, _CONFLICT, _NAMING, _LIST)
_ISOLATES = str.maketrans("", "", "\u2068\u2069")


@dataclass(frozen=True)
class Said:
    """A message that the bot sent, or put in the place of one; its buttons are `about` these documents."""

    text: str
    message_id: int
    reply_to: int | None
    edited: bool = False
    about: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[object, ...]:
        """What is the same in a message that is sent again; people may ask for the list again themselves."""
        return self.edited, self.text, self.reply_to, self.message_id if self.edited or self.lists else None

    @property
    def items(self) -> list[str]:
        """What the message is about: one document, or the list of them."""
        head, *rows = self.text.split("\n")
        about = head.removeprefix(TAKEN).removeprefix(SAVED)
        listed = [row.removeprefix("• ") for row in rows if row.startswith("• ")]
        return listed if _FOLDED.fullmatch(about) else [about]

    @property
    def taken(self) -> list[str]:
        """The names of the documents that it calls taken."""
        return [_GOT.sub("", item) for item in self.items] if self.text.startswith(TAKEN) else []

    @property
    def saved(self) -> list[str]:
        """The keys of the documents that it calls saved."""
        return [_SIZE.sub("", item) for item in self.items] if self.text.startswith(SAVED) else []

    @property
    def renamed(self) -> tuple[str, str] | None:
        """The key that it says is there no more, and the one that is there instead."""
        found = _RENAMED.fullmatch(self.text)
        return (found[1], found[2]) if found else None

    @property
    def deleted(self) -> str | None:
        """The key that it says is deleted."""
        return _in(_DELETED, self.text)

    @property
    def was_gone(self) -> str | None:
        """The key that it says was to be deleted, and was not there."""
        return _in(_WAS_GONE, self.text)

    @property
    def missing(self) -> str | None:
        """The key that it says is not there, so that nothing could be done with it."""
        return _in(_MISSING, self.text)

    @property
    def accepts(self) -> bool:
        """Whether it says that a document will be called as its sender wants."""
        return self.text.startswith(("It will be called ", "Its name stays "))

    @property
    def says_taken(self) -> bool:
        """Whether it says that a name can't be had, because another object has it."""
        return self.text.startswith("There is a file of that name already.")

    @property
    def lists(self) -> bool:
        return lists(self.text)


def plain(text: str) -> str:
    """A text without the characters that keep names from reordering it."""
    return text.translate(_ISOLATES)


def lists(text: str) -> bool:
    """Whether a message is the list of the chat's files."""
    return _LIST.match(text) is not None


def to_delete(text: str) -> str | None:
    """The key that a message asks about, whether it is to be deleted."""
    return _in(_TO_DELETE, plain(text))


def in_conflict(text: str) -> str | None:
    """The key that a message asks about, because another object has it."""
    return _in(_CONFLICT, plain(text))


def to_name(text: str) -> str | None:
    """The present name of the document that a message asks about, what it shall be called."""
    return _in(_NAMING, plain(text))


def in_dialogue(text: str) -> bool:
    """Whether people hear such a thing who ask for something."""
    return any(pattern.match(text) for pattern in _IN_DIALOGUE)


def nothing_is_asked(text: str) -> bool:
    """Whether an answer to `/cancel` says that there is no question left, nor anything on its way."""
    return text == "There is nothing to cancel."


def listed(text: str) -> int:
    """How many files a list says that there are."""
    found = _LIST.match(text)
    return int(found[1] or 0) if found else 0


def cancelled_in(text: str) -> int:
    """How many documents a `[document]` message shows as cancelled."""
    rows = text.split("\n")[1:] if text.startswith(TAKEN) else []
    return sum(row == "cancelled" or row.endswith(": cancelled") for row in rows)


def stems(key: str) -> tuple[str, ...]:
    """What the key may have been wanted as: itself, or without the number that it got."""
    found = _NUMBERED.fullmatch(key)
    return (key, found[1] + (found[2] or "")) if found else (key,)


def with_extension(name: str, old: str) -> str:
    """What a document becomes whose sender answers with a name that has no extension."""
    return name + PurePosixPath(old).suffix


def _in(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.fullmatch(text)
    return found[1] if found else None
