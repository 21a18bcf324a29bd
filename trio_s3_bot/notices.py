"""
What the bot has to say, as data: each notice is one fact for one chat.

Notices are committed together with what they tell, composed into messages by the outbox, and put into words by
`texts`. Several of a foldable kind that wait for the same chat become one message.
"""

from __future__ import annotations

import msgspec

from trio_s3_bot.errors import Reason


class Notice(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base: `reply_to` is the person's message that the notice answers."""

    reply_to: int | None = None


class Greeting(Notice, frozen=True):
    """The first message of a chat is answered with this."""


class DocumentRequired(Notice, frozen=True):
    """A message without a document came."""


class NotAllowed(Notice, frozen=True):
    """The sender, whose id is `user_id`, isn't on the operator's list; said once."""

    user_id: int


class GivenUp(Notice, frozen=True):
    """The person's message made the bot fail again and again and was set aside."""


class Accepted(Notice, frozen=True):
    """A document was taken; its upload is `upload`. The message it becomes is the one that shows the progress."""

    upload: str
    name: str
    asked_name: str | None = None


class Saved(Notice, frozen=True):
    """
    A document is in the bucket as `key`, `size` bytes.

    `name` is what it should have been called, `asked_name` its name as sent where that could not be a key.
    """

    upload: str
    key: str
    name: str
    size: int
    asked_name: str | None = None
    name_was_taken: bool = False


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


AnyNotice = Greeting | DocumentRequired | NotAllowed | GivenUp | Accepted | Saved | Failed | Delayed
FOLDED = (Accepted, Saved, Failed, Delayed)
