"""
What buttons carry, and what pressing them does.

A button carries a verb and what it is about, `verb:document[:page]`. Who presses it may have changed the data, may
press twice, or press what hung there for a year: a verb does nothing unless the document is this chat's and in the
state that the verb is for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trio_s3_bot.conversation import naming
from trio_s3_bot.conversation.state import (
    AnswerPress,
    Ask,
    Cancel,
    ChatState,
    Decision,
    Delete,
    Facts,
    Item,
    MakeLink,
    Release,
    Say,
    Toast,
    WaitLonger,
)
from trio_s3_bot.model import Press, UpdateObj, UploadState
from trio_s3_bot.notices import AskName, Card, ConfirmDelete, FileList, StatusList

QUERY_LIMIT = 40  # bytes of a search that fit into a button


def data(verb: str, *arguments: object) -> str:
    """What a button carries; at most 64 bytes (Bot API, "InlineKeyboardButton")."""
    return ":".join((verb, *map(str, arguments)))


def short_query(query: str) -> str:
    """The part of a search that fits into a button that turns the page."""
    return query.encode()[:QUERY_LIMIT].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class _Pressed:
    """A pressed button, understood."""

    press: Press
    verb: str
    item: Item | None
    argument: str
    page: int


def item_in(press: Press) -> str | None:
    """The id of the document that a button is about, if it is about one."""
    verb, _, rest = press.data.partition(":")
    return rest.partition(":")[0] if verb in _ABOUT_ITEMS else None


def pressed(state: ChatState, update: UpdateObj, facts: Facts) -> Decision:
    """What a pressed button leads to. It is always answered: its spinner turns until then."""
    assert update.press is not None
    push = _understood(update.press, facts)
    if push.verb in _LISTS:
        return _LISTS[push.verb](state, push)
    handler = _ABOUT_ITEMS.get(push.verb)
    if handler is None or push.item is None:
        return _only(state, push, Toast.STALE)
    if push.item.owner is not None and update.sender is not None and push.item.owner != update.sender.id:
        return _only(state, push, Toast.NOT_YOURS)
    if push.item.busy:
        return _only(state, push, Toast.BUSY)
    return handler(state, push, push.item)


def _understood(press: Press, facts: Facts) -> _Pressed:
    verb, _, rest = press.data.partition(":")
    first, _, second = rest.partition(":")
    page = first if verb in _LISTS else second
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 0
    return _Pressed(press, verb, facts.items.get(first), second, number)


def _only(state: ChatState, push: _Pressed, toast: Toast = Toast.NONE) -> Decision:
    return Decision(state, (AnswerPress(push.press, toast),))


def _rename(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not (item.open or item.stored):
        return _only(state, push, Toast.STALE)
    question = state.question(item.id)
    if question is not None and question.ask is Ask.NEW_NAME:
        return _only(state, push)  # pressed twice: it is asked already
    decision = _only(state.asking(item.id, Ask.NEW_NAME), push).and_also(Say(AskName(upload=item.id, name=item.name)))
    return decision.and_also(WaitLonger(item.id)) if item.state is UploadState.ASKING else decision


def _keep(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if item.state is not UploadState.ASKING or not _is_open(state, item, Ask.KEEP_NAME, Ask.NEW_NAME):
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push, Toast.KEPT).and_also(Release(item.id))


def _take_caption(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if item.caption_name is None or item.name == item.caption_name or not (item.open or item.stored):
        return _only(state, push, Toast.STALE)
    named = naming.named(state, item, item.caption_name, reply_to=None)
    return Decision(named.state, (AnswerPress(push.press), *named.effects))


def _cancel(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.open:
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push, Toast.CANCELLED).and_also(Cancel(item.id))


def _replace(state: ChatState, push: _Pressed, item: Item) -> Decision:
    return _settle_conflict(state, push, item, Release(item.id, "overwrite"))


def _keep_both(state: ChatState, push: _Pressed, item: Item) -> Decision:
    return _settle_conflict(state, push, item, Release(item.id, "keep_both"))


def _settle_conflict(state: ChatState, push: _Pressed, item: Item, release: Release) -> Decision:
    if item.state is not UploadState.ASKING or not _is_open(state, item, Ask.CONFLICT):
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push).and_also(release)


def _delete(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.stored:
        return _only(state, push, Toast.STALE)
    confirm = Say(ConfirmDelete(upload=item.id, name=item.name), edit_of=push.press.message_id)
    return _only(state.asking(item.id, Ask.DELETE), push).and_also(confirm)


def _confirm(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.stored or not _is_open(state, item, Ask.DELETE):
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push).and_also(Delete(item.id))


def _dismiss(state: ChatState, push: _Pressed, item: Item) -> Decision:
    card = Say(Card(upload=item.id), edit_of=push.press.message_id)
    return _only(state.settled(item.id), push, Toast.KEPT).and_also(card)


def _link(state: ChatState, push: _Pressed, item: Item) -> Decision:
    return _only(state, push).and_also(MakeLink(item.id)) if item.stored else _only(state, push, Toast.STALE)


def _card(state: ChatState, push: _Pressed, item: Item) -> Decision:
    """From a list the card takes the list's place, with a way back; elsewhere it is a message of its own."""
    if push.argument:
        return _only(state, push).and_also(
            Say(Card(upload=item.id, page=push.page, from_list=True), edit_of=push.press.message_id)
        )
    return _only(state, push).and_also(Say(Card(upload=item.id)))


def _list_page(state: ChatState, push: _Pressed) -> Decision:
    return _only(state, push).and_also(
        Say(FileList(page=push.page, query=push.argument), edit_of=push.press.message_id)
    )


def _status_page(state: ChatState, push: _Pressed) -> Decision:
    return _only(state, push).and_also(Say(StatusList(page=push.page), edit_of=push.press.message_id))


def _status_anew(state: ChatState, push: _Pressed) -> Decision:
    """The list of what is under way, from a message that shows something else and must go on doing so."""
    return _only(state, push).and_also(Say(StatusList(page=0)))


def _list_anew(state: ChatState, push: _Pressed) -> Decision:
    return _only(state, push).and_also(Say(FileList(page=0)))


def _is_open(state: ChatState, item: Item, *asks: Ask) -> bool:
    question = state.question(item.id)
    return question is not None and question.ask in asks


_ABOUT_ITEMS: dict[str, Callable[[ChatState, _Pressed, Item], Decision]] = {
    "name": _rename,
    "keep": _keep,
    "capt": _take_caption,
    "stop": _cancel,
    "over": _replace,
    "both": _keep_both,
    "del": _delete,
    "yes": _confirm,
    "no": _dismiss,
    "link": _link,
    "card": _card,
}
_LISTS: dict[str, Callable[[ChatState, _Pressed], Decision]] = {
    "list": _list_page,
    "stat": _status_page,
    "now": _status_anew,
    "all": _list_anew,
}
