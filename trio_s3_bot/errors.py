"""
Every error of the project, named by what the one who catches it has to do.

BotError
├── ConfigError              a setting is wrong: file, section, key, what is allowed       -> exit code 2
├── CheckFailed              a check at start found what a restart can't cure              -> exit code 2
├── StateError               the state file can't be used
│   ├── StateLocked          another instance has it                                       -> exit code 2
│   ├── StateDamaged         not a database, or one of a newer version                     -> exit code 2
│   └── StateUnwritable      full disk, read-only folder: stop polling, try again
├── MessengerError
│   ├── TokenRefused         the token is wrong or revoked                                 -> exit code 2 at start
│   ├── Unavailable          network, 5xx, HTML for JSON: back off, try again
│   │   ├── RetryAfter       the messenger said how long to wait
│   │   │   └── OperatorNeeded  a right, a switch, a captcha: wait until the operator has acted
│   │   └── OutOfOrder       the messenger itself says so: its address is right
│   ├── PollConflict         updates go elsewhere, by a setting or because somebody else polls with this token
│   ├── ChatUnreachable      blocked, kicked, vanished: stop talking to this chat
│   ├── ChatMoved            the group has a new id: say it there
│   ├── MessageGone          the message can't be edited any more: give the edit up
│   └── RequestRefused       the messenger will never accept this request
├── DocumentRefused          this document can't be saved, ever: tell the person why
├── NameTaken                the person has to be asked what to do about an object of that name
├── KeyInUse                 something is being done under that key: begin when it is over
├── SourceError              the document could not be read
│   ├── SourceUnavailable    it may be readable later: try again
│   └── SourceExpired        its address has expired: resolve it anew
└── StoreError
    ├── StoreUnavailable     unreachable, 5xx, SlowDown: an outage that passes by itself
    ├── StoreRefused         keys, bucket, quota, clock: an outage until the operator acts
    ├── KeyTaken             an object of that name is there already
    ├── UploadGone           the store doesn't know this upload id
    ├── UploadConflict       somebody else wrote the key meanwhile: begin the upload anew
    ├── ObjectGone           the object that was meant isn't there (any more), or another one is
    └── ObjectRefused        the store will never take this object
        └── ObjectTooLarge   not one of that size

Other libraries' errors are translated once, at the edge: in `messengers`, `bucket`, `transfer`, `inbox`.
"""

from __future__ import annotations

import enum


class BotError(Exception):
    """The base of all errors of this project. `str()` of any of them holds no secret."""


class ConfigError(BotError):
    """A setting is missing, unknown or malformed."""

    def __init__(self, problem: str, *, file: str, section: str | None = None, key: str | None = None) -> None:
        self.problem, self.file, self.section, self.key = problem, file, section, key
        where = file + (f": [{section}]" if section else "") + (f" {key}" if key else "")
        super().__init__(f"{where}: {problem}")


class CheckFailed(BotError):
    """
    A check at start failed in a way that a restart doesn't cure.

    `what` says what was found, `advice` what to do about it; both fit on one line together. `about` is the name of what
    was checked.
    """

    def __init__(self, what: str, advice: str, *, about: str = "") -> None:
        self.what, self.advice, self.about = what, advice, about
        super().__init__(f"{what} {advice}".strip())


class StateError(BotError):
    """The state file can't be used."""


class StateLocked(StateError):
    """Another instance of the bot holds the state file."""


class StateDamaged(StateError):
    """The state file is no database of this program, is damaged, or was written by a newer version."""


class StateUnwritable(StateError):
    """The state file can't be written now: a full disk, a read-only folder, somebody else's lock."""


class MessengerError(BotError):
    """A messenger's API did not do what it was asked."""


class TokenRefused(MessengerError):
    """The messenger doesn't accept the token."""


class Unavailable(MessengerError):
    """The messenger can't be reached or is out of order; the same request may succeed later."""


class RetryAfter(Unavailable):
    """The messenger asks for a pause of `seconds` before the next request of this kind."""

    def __init__(self, message: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(message)


class OutOfOrder(Unavailable):
    """The messenger answers that it can't do its work now."""


class OperatorNeeded(RetryAfter):
    """
    The messenger refuses what it is there for until the operator has acted; `advice` says how.

    `what` says what was found; `str()` is both. After `seconds` it is worth while to look whether it has been done.
    """

    def __init__(self, what: str, advice: str, seconds: float) -> None:
        self.what, self.advice = what, advice
        super().__init__(f"{what}. {advice}", seconds)


class PollConflict(MessengerError):
    """
    Updates go elsewhere: another poller uses this token, or that is a setting, and `advice` says how to undo it.

    Another poller may be this one's last request, from before a restart: that passes.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        self.advice = advice
        super().__init__(message)


class ChatUnreachable(MessengerError):
    """The person blocked the bot, or the chat is gone or closed to it: nothing more can be said there."""


class ChatMoved(MessengerError):
    """The group became a supergroup; its new id is `new_id`."""

    def __init__(self, message: str, new_id: int) -> None:
        self.new_id = new_id
        super().__init__(message)


class MessageGone(MessengerError):
    """The message was deleted or can't be edited."""


class RequestRefused(MessengerError):
    """The messenger will never accept this request."""


class Reason(enum.Enum):
    """Why a document can't be saved, as far as a person needs to know; the words are in `texts`."""

    TOO_BIG_FOR_MESSENGER = "too_big_for_messenger"
    TOO_BIG_FOR_OPERATOR = "too_big_for_operator"
    TOO_BIG_FOR_STORE = "too_big_for_store"
    GONE = "gone"
    NOT_READABLE = "not_readable"
    REFUSED_BY_STORE = "refused_by_store"
    NO_FREE_NAME = "no_free_name"


class DocumentRefused(BotError):
    """
    This document can't be saved, whatever is tried.

    `limit` is in bytes and goes with the three TOO_BIG reasons; `detail` is for the log, not for the chat.
    """

    def __init__(self, reason: Reason, detail: str = "", *, limit: int | None = None) -> None:
        self.reason, self.detail, self.limit = reason, detail, limit
        super().__init__(f"{reason.value}{': ' + detail if detail else ''}")


class NameTaken(BotError):
    """An object of the document's name is there, and its sender is to say what to do."""


class KeyInUse(BotError):
    """Something is being done to what stands under `key`; that may take hours."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__("something is being done under that key")


class SourceError(BotError):
    """A document could not be read from where the messenger keeps it."""


class SourceUnavailable(SourceError):
    """The source can't be read now: refused, reset, cut short, 5xx, of another size than announced."""


class SourceExpired(SourceError):
    """The address of the document has expired; asking the messenger for a new one helps."""


class StoreError(BotError):
    """The S3 store did not do what it was asked."""


class StoreUnavailable(StoreError):
    """The store can't be reached or is overloaded; waiting helps."""


class StoreRefused(StoreError):
    """The store refuses all our requests (keys, bucket, quota, clock); the operator has to act."""


class KeyTaken(StoreError):
    """A conditional write found an object of that name."""


class UploadGone(StoreError):
    """The multipart upload doesn't exist (any more)."""


class UploadConflict(StoreError):
    """A conditional completion raced with another write: the upload must be begun anew."""


class ObjectGone(StoreError):
    """The object that was meant isn't there (any more), or another one is in its place."""


class ObjectRefused(StoreError):
    """The store will never take this object (too large, a key it can't hold)."""


class ObjectTooLarge(ObjectRefused):
    """The store, or a gateway before it, takes no object or part of that size."""
