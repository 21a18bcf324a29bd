"""The rules of the conversation: what an update leads to, for any chat and any update."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_s3_bot import conversation
from trio_s3_bot.conversation import AnswerPress, ChatState, Effect, Rules, Say, Take, decide, give_up, upload_id
from trio_s3_bot.model import Chat, Document, Press, Sender, UpdateObj
from trio_s3_bot.notices import Accepted, AnyNotice, DocumentRequired, GivenUp, Greeting, Help, NotAllowed


@dataclass(frozen=True)
class Everybody:
    """Whoever writes may."""

    everybody: bool = True

    def allows(self, messenger: str, user_id: int, username: str | None) -> bool:  # noqa: ARG002
        return True


@dataclass(frozen=True)
class Only:
    """These may, by their ids."""

    ids: frozenset[int] = frozenset()
    everybody: bool = False

    def allows(self, messenger: str, user_id: int, username: str | None) -> bool:  # noqa: ARG002
        return user_id in self.ids


OPEN, CLOSED = Rules(Everybody()), Rules(Only())
PRIVATE, GROUP, TOPIC = Chat("telegram", 5), Chat("telegram", -7, group=True), Chat("telegram", -7, 3, group=True)
ALICE = Sender(5, "alice", "en")
NEW, KNOWN = ChatState(), ChatState(greeted=True)
REPORT = Document("f1", "u1", "report.pdf", "application/pdf", 7)

TEXTS = st.none() | st.text(max_size=30) | st.sampled_from(["/start", "/", "/list a", "/cancel", "/rename", "hello"])
DOCUMENTS = st.builds(
    Document,
    st.text(max_size=9),
    st.text(max_size=9),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.none() | st.text(max_size=20),
    st.none() | st.integers(-(2**63), 2**63),
)
UPDATES = st.builds(
    UpdateObj,
    messenger=st.just("telegram"),
    update_id=st.just("1"),
    chat=st.sampled_from([PRIVATE, GROUP, TOPIC]),
    sender=st.none() | st.builds(Sender, st.integers(), st.none() | st.text(), st.none() | st.text(max_size=5)),
    message_id=st.none() | st.integers(),
    text=TEXTS,
    caption=TEXTS,
    documents=st.lists(DOCUMENTS, max_size=3).map(tuple),
    press=st.none() | st.builds(Press, st.text(), st.text(max_size=64), st.none() | st.integers()),
    reply_to=st.none() | st.integers(),
    album=st.none() | st.text(max_size=5),
    addressed=st.booleans(),
    silent=st.booleans(),
)
STATES = st.builds(ChatState, st.booleans(), st.booleans(), st.sampled_from(["en", "ru"]))
RULES = st.builds(
    Rules, st.sampled_from([Everybody(), Only(), Only(frozenset({5}))]), st.sampled_from(["off", "offer", "ask"])
)


def message(chat: Chat = PRIVATE, *, addressed: bool = True, **fields: object) -> UpdateObj:
    base = UpdateObj("telegram", "1", chat, sender=ALICE, message_id=9, text="hello", addressed=addressed)
    return replace(base, **fields)  # type: ignore[arg-type]


def notices(effects: tuple[Effect, ...]) -> list[AnyNotice]:
    return [effect.notice for effect in effects if isinstance(effect, Say)]


def kinds(effects: tuple[Effect, ...]) -> list[type]:
    return [type(notice) for notice in notices(effects)]


def test_the_first_message_is_greeted() -> None:
    decision = decide(NEW, message(), OPEN)
    assert kinds(decision.effects) == [Greeting]
    assert decision.state.greeted


def test_the_first_document_is_greeted_and_taken() -> None:
    decision = decide(NEW, message(documents=(REPORT,), text=None), OPEN)
    assert kinds(decision.effects) == [Greeting, Accepted]
    assert [effect.name for effect in decision.effects if isinstance(effect, Take)] == ["report.pdf"]


def test_a_later_message_without_a_document_is_asked_for_one() -> None:
    decision = decide(KNOWN, message(), OPEN)
    assert notices(decision.effects) == [DocumentRequired(reply_to=9)]


def test_what_nobody_said_to_the_bot_in_a_group_leads_to_nothing() -> None:
    decision = decide(NEW, message(GROUP, addressed=False), OPEN)
    assert decision.effects == ()
    assert not decision.state.greeted


def test_a_document_in_a_group_is_taken_although_nobody_spoke_to_the_bot() -> None:
    decision = decide(KNOWN, message(GROUP, addressed=False, documents=(REPORT,)), OPEN)
    assert kinds(decision.effects) == [Accepted]


def test_every_document_of_a_message_is_taken_under_an_id_of_its_own() -> None:
    decision = decide(KNOWN, message(documents=(REPORT, REPORT)), OPEN)
    takes = [effect for effect in decision.effects if isinstance(effect, Take)]
    assert len({take.upload for take in takes}) == 2
    assert [notice.upload for notice in notices(decision.effects) if isinstance(notice, Accepted)] == [
        take.upload for take in takes
    ]


@pytest.mark.parametrize(("documents", "offered"), [(1, "new.pdf"), (2, None)])
def test_a_caption_is_offered_as_the_name_of_a_document_that_is_alone(documents: int, offered: str | None) -> None:
    update = UpdateObj(
        "telegram", "1", PRIVATE, ALICE, message_id=1, caption="new.pdf", documents=(REPORT,) * documents
    )
    effects = decide(KNOWN, update, replace(OPEN, rename="offer")).effects
    assert {effect.caption_name for effect in effects if isinstance(effect, Take)} == {offered}


def test_a_message_that_is_delivered_twice_takes_its_document_under_the_same_id() -> None:
    first, second = (decide(state, message(documents=(REPORT,)), OPEN) for state in (NEW, KNOWN))
    ids = {effect.upload for decision in (first, second) for effect in decision.effects if isinstance(effect, Take)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    "other",
    [
        upload_id(GROUP, 9, 0, REPORT),
        upload_id(TOPIC, 9, 0, REPORT),
        upload_id(Chat("vk", 5), 9, 0, REPORT),
        upload_id(PRIVATE, 10, 0, REPORT),
        upload_id(PRIVATE, 9, 1, REPORT),
        upload_id(PRIVATE, 9, 0, Document("f1", "u2")),
    ],
)
def test_another_message_chat_or_document_makes_another_id(other: str) -> None:
    assert other != upload_id(PRIVATE, 9, 0, REPORT)


def test_a_name_that_cannot_be_a_key_is_taken_under_another_and_remembered() -> None:
    (take, said) = decide(KNOWN, message(documents=(replace(REPORT, file_name="5/6.pdf"),)), OPEN).effects
    assert isinstance(take, Take)
    assert (take.name, take.asked_name) == ("5_6.pdf", "5/6.pdf")
    assert isinstance(said, Say)
    assert isinstance(said.notice, Accepted)
    assert (said.notice.name, said.notice.asked_name) == ("5_6.pdf", "5/6.pdf")


def test_a_stranger_is_refused_once_and_then_not_answered() -> None:
    first = decide(NEW, message(), CLOSED)
    assert notices(first.effects) == [NotAllowed(user_id=5, reply_to=9)]
    assert decide(first.state, message(), CLOSED).effects == ()
    assert decide(first.state, message(documents=(REPORT,)), CLOSED).effects == ()


def test_a_stranger_in_a_group_is_not_answered() -> None:
    assert decide(NEW, message(GROUP, documents=(REPORT,)), CLOSED).effects == ()


def test_who_was_refused_and_is_allowed_now_is_greeted_and_may_be_refused_again() -> None:
    refused = decide(NEW, message(), CLOSED).state
    allowed = decide(refused, message(), OPEN)
    assert kinds(allowed.effects) == [Greeting]
    assert kinds(decide(allowed.state, message(), CLOSED).effects) == [NotAllowed]


def test_the_language_follows_the_one_who_wrote_last() -> None:
    russian = decide(KNOWN, message(sender=replace(ALICE, language="ru-RU")), OPEN).state
    assert russian.language == "ru"
    assert decide(russian, message(sender=None), OPEN).state.language == "ru"
    assert decide(russian, message(), OPEN).state.language == "en"


@pytest.mark.parametrize(("addressed", "silent", "said"), [(True, False, 1), (False, False, 0), (True, True, 0)])
def test_an_update_that_was_set_aside_is_owned_up_to_where_it_was_meant_for_the_bot(
    addressed: bool, silent: bool, said: int
) -> None:
    decision = give_up(KNOWN, message(addressed=addressed, silent=silent))
    assert notices(decision.effects) == [GivenUp(reply_to=9)] * said


@given(STATES, UPDATES, RULES)
def test_any_update_in_any_chat_is_decided_and_what_it_leads_to_survives_the_disk(
    state: ChatState, update: UpdateObj, rules: Rules
) -> None:
    assert conversation.wants(state, update) is not None
    decision = decide(state, update, rules)
    for notice in notices(decision.effects):
        assert msgspec.json.decode(msgspec.json.encode(notice), type=AnyNotice) == notice
    assert msgspec.json.decode(msgspec.json.encode(decision.state), type=ChatState) == decision.state
    assert msgspec.json.decode(msgspec.json.encode(update), type=UpdateObj) == update


@given(STATES, UPDATES, RULES)
def test_no_update_is_answered_in_more_ways_than_one(state: ChatState, update: UpdateObj, rules: Rules) -> None:
    said = kinds(decide(state, update, rules).effects)
    assert said.count(Greeting) <= (not state.greeted)
    assert Greeting not in said[1:]
    if update.documents:
        assert DocumentRequired not in said
        assert Help not in said
    assert len([kind for kind in said if kind not in (Greeting, Accepted)]) <= 1


@given(STATES, UPDATES, RULES)
def test_each_document_is_taken_once_and_said_to_be_or_nothing_is(
    state: ChatState, update: UpdateObj, rules: Rules
) -> None:
    effects = decide(state, update, rules).effects
    taken = [effect.upload for effect in effects if isinstance(effect, Take)]
    accepted = [notice.upload for notice in notices(effects) if isinstance(notice, Accepted)]
    assert taken == accepted
    assert len(taken) in (0, len(update.documents))
    assert len(set(taken)) == len(taken)


@given(STATES, UPDATES)
def test_a_stranger_never_gets_a_document_taken_nor_more_than_a_refusal(state: ChatState, update: UpdateObj) -> None:
    decision = decide(state, update, CLOSED)
    assert not [effect for effect in decision.effects if isinstance(effect, Take)]
    assert len(decision.effects) <= 1
    assert decision.state.greeted == state.greeted
    if update.chat.group or state.refused or update.silent:
        assert kinds(decision.effects) == []


@given(STATES, UPDATES, RULES)
def test_silence_changes_nothing(state: ChatState, update: UpdateObj, rules: Rules) -> None:
    decision = decide(state, replace(update, silent=True), rules)
    assert decision == conversation.Decision(state)


@given(STATES, UPDATES, RULES)
def test_every_pressed_button_stops_spinning_and_is_forgotten_by_nobody(
    state: ChatState, update: UpdateObj, rules: Rules
) -> None:
    pressed = replace(update, press=Press("1", "any", 3), silent=False)
    effects = decide(state, pressed, rules).effects
    assert len([effect for effect in effects if isinstance(effect, AnswerPress)]) == 1


@given(STATES, UPDATES, RULES)
def test_once_greeted_is_always_greeted(state: ChatState, update: UpdateObj, rules: Rules) -> None:
    assert decide(state, update, rules).state.greeted >= state.greeted
