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
_LIST = re.compile(r"Your saved files: (\d+)|You have no saved files yet\.")
_NUMBERED = re.compile(r"(.*) \(\d+\)(\.\w+)?")
_DIALOGUE = re.compile(
    r"(There is a file of that name already\. )?What shall .* be called\? "
    r"|Its name is .*\.$"
    r"|.* is there already\. Replace it, keep both, or cancel\?"
    r"|Delete .*\? It can't be brought back\."
    r"|Which file\? "
    r"|.* is still there\.$"
    r"|.* is not there \(any more\)\.$"
    r"|.*: still working on what you asked before\.$"
    r"|.* is still being saved\.$"
    r"|.* is cancelled\.$"
    r"|There is nothing to cancel\.$"
    r"|On their way: |Nothing is waiting or being saved\.$"
    r"|[^\n]+\n[^\n]+$"
)
_ISOLATES = str.maketrans("", "", "\u2068\u2069")


@dataclass(frozen=True)
class Said:
    """A message that the bot sent, or put in the place of one."""

    text: str
    message_id: int
    reply_to: int | None
    edited: bool = False

    @property
    def words(self) -> tuple[object, ...]:
        """What is the same in a message that is sent again; people may ask for the list again themselves."""
        return self.edited, self.text, self.reply_to, self.message_id if self.edited or self.lists else None

    @property
    def items(self) -> list[str]:
        """What the message is about: one document, or the list of them."""
        head, *rows = self.text.split("\n")
        about = head.removeprefix(TAKEN).removeprefix(SAVED)
        return [row.removeprefix("• ") for row in rows] if _FOLDED.fullmatch(about) else [about]

    @property
    def taken(self) -> list[str]:
        """The names of the documents that it calls taken."""
        return [_GOT.sub("", item) for item in self.items] if self.text.startswith(TAKEN) else []

    @property
    def saved(self) -> list[str]:
        """The keys of the documents that it calls saved."""
        return [_SIZE.sub("", item) for item in self.items] if self.text.startswith(SAVED) else []

    @property
    def gone(self) -> list[str]:
        """The key that it says is there no more."""
        found = _RENAMED.fullmatch(self.text) or _DELETED.fullmatch(self.text)
        return [found[1]] if found else []

    @property
    def came(self) -> list[str]:
        """The key that it says is there instead."""
        found = _RENAMED.fullmatch(self.text)
        return [found[2]] if found else []

    @property
    def accepts(self) -> bool:
        """Whether it says that a document will be called as its sender wants."""
        return self.text.startswith("Its name is ")

    @property
    def says_taken(self) -> bool:
        """Whether it says that a name can't be had, because another object has it."""
        return self.text.startswith("There is a file of that name already.")

    @property
    def lists(self) -> bool:
        """Whether it is the list of the chat's files."""
        return _LIST.match(self.text) is not None


def plain(text: str) -> str:
    """A text without the characters that keep names from reordering it."""
    return text.translate(_ISOLATES)


def in_dialogue(text: str) -> bool:
    """Whether people hear such a thing who ask for something."""
    patterns = (_DIALOGUE, _RENAMED, _DELETED, _LIST)
    return any(pattern.match(text) for pattern in patterns)


def listed(text: str) -> int:
    """How many files a list says that there are."""
    found = _LIST.match(text)
    return int(found[1] or 0) if found else 0


def removed(text: str) -> bool:
    """Whether a message says that a file is there no more, deleted now or gone before."""
    return bool(_DELETED.fullmatch(text)) or text.endswith(" is not there (any more).")


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
