"""Which of several open things a typed message means: a reply speaks of what it replies to, talk is no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_conversation import ALICE, GROUP, KNOWN, OPEN, PRIVATE
from trio_s3_bot.conversation import ChatState, Effect, Facts, Item, decide
from trio_s3_bot.conversation.buttons import LIMIT, data, mark
from trio_s3_bot.conversation.state import (
    SEARCHES_KEPT,
    AnswerPress,
    Ask,
    Cancel,
    Question,
    Release,
    Say,
    SetName,
    Toast,
    WaitLonger,
)
from trio_s3_bot.model import Chat, Press, UpdateObj, UploadState
from trio_s3_bot.names import KEY_LIMIT
from trio_s3_bot.notices import (
    AskName,
    Conflict,
    DocumentRequired,
    FileList,
    NameSet,
    NoSuchFile,
    NothingToCancel,
    NotSavedYet,
    Place,
    QuestionSettled,
    StatusList,
    Stopped,
    WhichQuestion,
)

RULES = replace(OPEN, rename="offer")
NOW = 1000.0


def item(name: str = "report.pdf", state: UploadState = UploadState.RUNNING) -> Item:
    return Item(name, ALICE.id, name, state)


def said(text: str, reply_to: int | None = None, chat: Chat = PRIVATE) -> UpdateObj:
    return UpdateObj("telegram", "1", chat, ALICE, message_id=9, text=text, reply_to=reply_to, addressed=True)


def pressing(press: Press) -> UpdateObj:
    return replace(said(""), text=None, press=press)


def asking(ask: Ask, about: Item, until: float = NOW + 60) -> ChatState:
    return replace(KNOWN, questions=(Question(about.id, ask, until),))


def facts(*items: Item, replied: tuple[Item, ...] = (), on_their_way: tuple[Item, ...] = ()) -> Facts:
    return Facts(
        items={each.id: each for each in (*items, *replied, *on_their_way)},
        replied=tuple(each.id for each in replied),
        open_items=tuple(each.id for each in on_their_way),
        now=NOW,
    )


def effects(state: ChatState, update: UpdateObj, known: Facts) -> tuple[Effect, ...]:
    return decide(state, update, RULES, known).effects


def kinds(state: ChatState, update: UpdateObj, known: Facts) -> list[type]:
    """What is done, and what is said."""
    return [type(e.notice) if isinstance(e, Say) else type(e) for e in effects(state, update, known)]


def test_a_cancel_in_reply_to_a_document_that_is_gone_cancels_no_other_one() -> None:
    big = item("big.bin")
    assert kinds(KNOWN, said("/cancel", reply_to=3), facts(on_their_way=(big,))) == [NothingToCancel]
    assert kinds(KNOWN, said("/cancel"), facts(on_their_way=(big,))) == [Cancel, Stopped]


@pytest.mark.parametrize("ask", Ask)
def test_words_in_reply_to_something_else_are_no_answer(ask: Ask) -> None:
    report = item()
    assert kinds(asking(ask, report), said("new.pdf", reply_to=3), facts(report)) == [DocumentRequired]


def test_while_a_name_is_asked_for_words_in_reply_to_another_document_are_no_answer() -> None:
    report, other = item(), item("other.pdf", UploadState.SAVED)
    known = facts(report, replied=(other,))
    assert kinds(asking(Ask.NEW_NAME, report), said("new.pdf", reply_to=3), known) == [DocumentRequired]


@pytest.mark.parametrize("text", ["replace", "both", "new.pdf", "/cancel", "no"])
@pytest.mark.parametrize("asked", ["conflict:old.pdf", "new_name", "delete"])
def test_words_in_reply_to_a_question_that_is_settled_answer_no_other_one_about_the_document(
    text: str, asked: str
) -> None:
    report = item(state=UploadState.ASKING)
    known = replace(facts(report, replied=(report,)), replied_asks=asked)
    assert kinds(asking(Ask.CONFLICT, report), said(text, reply_to=3), known) == [QuestionSettled]
    assert kinds(KNOWN, said(text, reply_to=3), known) == [QuestionSettled]


@pytest.mark.parametrize("asked", ["conflict:report.pdf", None])
def test_words_in_reply_to_the_open_question_or_to_the_document_answer_it(asked: str | None) -> None:
    report = item(state=UploadState.ASKING)
    known = replace(facts(report, replied=(report,)), replied_asks=asked)
    assert kinds(asking(Ask.CONFLICT, report), said("replace", reply_to=3), known) == [Release]


def test_an_open_question_that_another_person_replies_to_is_not_called_settled() -> None:
    report = replace(item(state=UploadState.ASKING), owner=ALICE.id + 1)
    known = replace(facts(report, replied=(report,)), replied_asks="conflict:report.pdf")
    assert kinds(asking(Ask.CONFLICT, report), said("replace", reply_to=3), known) == [DocumentRequired]


@pytest.mark.parametrize("text", ["thanks", "ok thank you", "спасибо", "what is that?"])
def test_talk_is_no_answer_to_the_question_about_a_taken_name(text: str) -> None:
    report = item(state=UploadState.ASKING)
    found = effects(asking(Ask.CONFLICT, report), said(text), facts(report))
    assert found == (Say(WhichQuestion(several=False, reply_to=said(text).message_id)),)


@pytest.mark.parametrize("text", ["cancel", "Отменить"])
def test_the_word_on_the_button_beside_keep_name_gives_up_the_upload_and_the_command_only_leaves_the_question(
    text: str,
) -> None:
    report = item(state=UploadState.ASKING)
    state, known = asking(Ask.KEEP_NAME, report), facts(report, on_their_way=(report,))
    assert kinds(state, said(text), known) == [Cancel, Stopped]
    assert kinds(state, replace(said(text), meant="/cancel"), known) == [Cancel, Stopped]
    assert kinds(state, said("/cancel"), known) == [NameSet, Release]


@pytest.mark.parametrize("text", ["yes", "да", "No", "нет."])
@pytest.mark.parametrize("reply_to", [None, 3])
def test_yes_and_no_choose_none_of_three_so_it_is_asked_again(text: str, reply_to: int | None) -> None:
    report = item(state=UploadState.ASKING)
    state, known = asking(Ask.CONFLICT, report), facts(report, replied=(report,) if reply_to else ())
    assert kinds(state, said(text, reply_to), known) == [Conflict, WaitLonger]
    assert decide(state, said(text, reply_to), RULES, known).state.questions == (Question(report.id, Ask.CONFLICT),)


def test_a_new_name_answers_the_question_about_a_taken_one() -> None:
    report = item(state=UploadState.ASKING)
    state = asking(Ask.CONFLICT, report)
    for update, known in [
        (said("new.pdf"), facts(report)),
        (said("new", reply_to=3), facts(report, replied=(report,))),
    ]:
        assert effects(state, update, known)[:2] == (SetName("report.pdf", "new.pdf"), Release("report.pdf"))


def test_a_cancel_that_could_mean_several_uploads_asks_which() -> None:
    found = effects(KNOWN, said("/cancel"), facts(on_their_way=(item("a"), item("b"))))
    assert found == (Say(StatusList(page=0, which=True)),)


@pytest.mark.parametrize("text", ["yes", "new.pdf", "replace"])
def test_an_answer_that_could_be_one_to_several_questions_asks_to_which(text: str) -> None:
    found = [item(name, UploadState.ASKING) for name in "ab"]
    questions = (Question("a", Ask.KEEP_NAME, NOW + 60), Question("b", Ask.CONFLICT, NOW + 60))
    state = replace(KNOWN, questions=questions)
    assert kinds(state, said(text), facts(*found)) == [WhichQuestion]
    assert kinds(state, said("thanks"), facts(*found)) == [DocumentRequired]


@pytest.mark.parametrize("text", ["cancel", "Отмена", "/cancel", "no", "Нет."])
def test_cancel_in_words_leaves_the_question_for_a_name(text: str) -> None:
    report = item(state=UploadState.SAVED)
    decision = decide(asking(Ask.NEW_NAME, report), said(text), RULES, facts(report))
    assert decision.effects == (Say(NameSet(upload="report.pdf", name="report.pdf", saved=True, reply_to=9)),)
    assert decision.state.questions == ()


@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
@pytest.mark.parametrize("until", [NOW + 60, NOW - 60])
def test_a_cancel_leaves_the_question_that_was_asked_rather_than_give_up_an_upload(chat: Chat, until: float) -> None:
    report, big = item(state=UploadState.SAVED), item("big.bin")
    state = asking(Ask.NEW_NAME, report, until)
    assert kinds(state, said("/cancel", chat=chat), facts(report, on_their_way=(big,))) == [NameSet]


def test_who_leaves_the_question_for_a_name_is_asked_anew_what_to_do_about_the_old_one() -> None:
    report = item(state=UploadState.ASKING)
    assert effects(asking(Ask.NEW_NAME, report), said("/cancel"), facts(report))[1:] == (
        Release("report.pdf", anew=True),
    )


@pytest.mark.parametrize("command", ["/link", "/delete"])
def test_a_document_on_its_way_is_not_said_to_be_gone(command: str) -> None:
    report = item()
    assert kinds(KNOWN, said(command, reply_to=3), facts(replied=(report,))) == [NotSavedYet]
    gone = replace(report, state=UploadState.CANCELLED)
    assert kinds(KNOWN, said(command, reply_to=3), facts(replied=(gone,))) == [NoSuchFile]


@given(st.text(max_size=4096))
def test_a_search_of_any_length_fits_into_a_button_and_is_found_again(query: str) -> None:
    place = Place(99_999, query)
    state = KNOWN.searching(query)
    for carried in (data("list", place=place), data("card", "f" * 32, place=place)):
        assert len(carried.encode()) <= LIMIT
    if len(query.encode()) <= KEY_LIMIT:
        press = Press("1", data("list", place=place), message_id=3)
        assert Say(FileList(page=99_999, query=query), edit_of=3) in effects(state, pressing(press), facts())


def test_a_button_that_leads_to_a_forgotten_search_no_longer_works() -> None:
    state = KNOWN
    for number in range(SEARCHES_KEPT + 1):
        state = state.searching(f"a search of some length, number {number}")
    first = Press("1", data("list", place=Place(0, "a search of some length, number 0")), message_id=3)
    assert effects(state, pressing(first), facts()) == (AnswerPress(first, Toast.STALE),)


def test_a_name_is_taken_as_it_is_where_a_name_is_all_that_is_asked_for() -> None:
    report = item()
    assert kinds(asking(Ask.NEW_NAME, report), said("thanks"), facts(report)) == [SetName, NameSet]
    assert kinds(asking(Ask.NEW_NAME, report), said(".."), facts(report))[0] is AskName


@pytest.mark.parametrize(("verb", "policy"), [("over", "overwrite"), ("both", "keep_both")])
def test_a_press_under_the_question_of_an_earlier_name_settles_nothing(
    verb: str, policy: Literal["overwrite", "keep_both"]
) -> None:
    new = item("new.pdf", UploadState.ASKING)

    def pressed(name: str) -> tuple[Effect, ...]:
        press = Press("1", data(verb, new.id, mark(name)), message_id=3)
        return effects(asking(Ask.CONFLICT, new), pressing(press), facts(new))[1:]

    assert pressed("report.pdf") == ()
    assert pressed("new.pdf") == (Release("new.pdf", policy),)
