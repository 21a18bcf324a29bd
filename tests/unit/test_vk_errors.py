"""What each of VK's error codes means, by method: what there is to do about it."""

from __future__ import annotations

import pytest

from trio_s3_bot.errors import (
    ChatUnreachable,
    MessageGone,
    OperatorNeeded,
    OutOfOrder,
    RetryAfter,
    TokenRefused,
)
from trio_s3_bot.messengers.vk_api import VkRefused, error_of

SEND, EDIT, ANSWER = "messages.send", "messages.edit", "messages.sendMessageEventAnswer"
LOOK_UP, SERVER = "messages.getByConversationMessageId", "groups.getLongPollServer"
MESSAGES = (SEND, EDIT, ANSWER, LOOK_UP)
ALL = (*MESSAGES, SERVER)

TABLE = [
    (TokenRefused, ALL, (5, 27, 28, 1117, 3609, 3610)),
    (OutOfOrder, ALL, (1, 3, 10, 32, 36, 43)),
    (RetryAfter, ALL, (6, 9, 29)),
    (OperatorNeeded, ALL, (14, 17, 24, 25, 42, 3300, 3301, 3302, 3303, 3304)),
    (OperatorNeeded, (SEND, ANSWER, LOOK_UP), (7, 15)),
    (OperatorNeeded, MESSAGES, (915, 916, 985)),
    (ChatUnreachable, MESSAGES, (18, 37, 104, 900, 901, 902, 917, 922, 925, 927, 932, 936, 945, 946)),
    (ChatUnreachable, MESSAGES, (950, 962, 987, 988, 1012)),
    (MessageGone, (EDIT,), (7, 15, 909, 920, 949)),
    (VkRefused, (SEND, LOOK_UP, ANSWER), (909, 920, 949)),
    (VkRefused, ALL, (8, 100, 113, 910, 911, 912, 913, 914, 921, 940, 969)),
    (VkRefused, (SERVER,), (7, 15, 104, 125, 203)),
]
CASES = [(kind, method, code) for kind, methods, codes in TABLE for method in methods for code in codes]


@pytest.mark.parametrize(("kind", "method", "code"), CASES)
def test_each_code_is_told_by_what_to_do_about_it(kind: type[Exception], method: str, code: int) -> None:
    error = error_of(method, code, "Some words")
    assert type(error) is kind
    assert str(error).startswith(f"{method}: {code} Some words")


def test_what_vk_says_is_part_of_a_sentence() -> None:
    error = error_of(SERVER, 5, "User authorization failed: invalid access_token (4).")
    assert str(error) == f"{SERVER}: 5 User authorization failed: invalid access_token (4)"


@pytest.mark.parametrize(
    ("text", "subcode"),
    [
        ("Access denied", 1133),
        ("Access denied", 1134),
        ("Access denied: no access to call this method. It cannot be called with current scopes.", 0),
    ],
)
def test_an_edit_that_is_denied_to_the_token_is_not_a_message_that_is_gone(text: str, subcode: int) -> None:
    assert isinstance(error_of(EDIT, 15, text, subcode), OperatorNeeded)


@pytest.mark.parametrize(
    ("code", "words", "seconds"),
    [
        (7, "Create a token with access to community messages", 60),
        (15, "Create a token with access to community messages", 60),
        (42, "Allow this machine's address", 60),
        (915, "Switch community messages on", 60),
        (985, "Let people write to the community", 60),
        (14, "Sign in to VK", 300),
        (17, "Sign in to VK", 300),
    ],
)
def test_what_the_operator_has_to_do_is_said_in_one_line(code: int, words: str, seconds: float) -> None:
    error = error_of(SEND, code, "Some words")
    assert isinstance(error, OperatorNeeded)
    assert words in error.advice
    assert error.advice in str(error)
    assert str(error).isprintable()
    assert error.seconds == seconds
