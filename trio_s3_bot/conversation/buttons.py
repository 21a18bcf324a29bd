"""
What buttons carry, and what pressing them does.

A button carries a verb and what it is about: `verb:document[:page:query]`, `verb:document:mark` (of a name) or
`verb:page:query`; for a long query there is `~` and its mark, and the query itself is in the chat's state. Who presses
it may have changed the data, may press twice, or press what hung there for a year: a verb does nothing unless the
document is this chat's and in the state that the verb is for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from trio_s3_bot.conversation import naming
from trio_s3_bot.conversation.state import (
    AnswerPress,
    Ask,
    Cancel,
    ChatState,
    Decision,
    Delete,
    Facts,
    Forget,
    Item,
    MakeLink,
    Release,
    Rules,
    Say,
    Toast,
)
from trio_s3_bot.model import Press, UpdateObj, UploadState
from trio_s3_bot.notices import Card, ConfirmDelete, FileList, Place, StatusList

LIMIT = 64  # bytes that a button can carry: Bot API, "InlineKeyboardButton"
SHORT = 20  # bytes of a search that fit into every button
ON_RECORD = "~"


def data(verb: str, *arguments: object, place: Place | None = None) -> str:
    """What a button carries."""
    where = (place.page, _carried(place.query)) if place is not None else ()
    return ":".join((verb, *map(str, (*arguments, *where))))


def mark(text: str) -> str:
    """A few characters that tell a name or a search from the others there were, by chance but for one in 2**32."""
    return f"{crc32(text.encode()):08x}"


def _carried(query: str) -> str:
    """A search as a button carries it."""
    short = len(query.encode()) <= SHORT and not query.startswith(ON_RECORD)
    return query if short else ON_RECORD + mark(query)


@dataclass(frozen=True, slots=True)
class _Pressed:
    """A pressed button, understood: what it is about, and the place in the list that it came from or leads to."""

    press: Press
    verb: str
    item: Item | None
    place: Place | None
    now: float


def item_in(press: Press) -> str | None:
    """The id of the document that a button is about, if it is about one."""
    verb, _, rest = press.data.partition(":")
    return rest.partition(":")[0] if verb in _ABOUT_ITEMS else None


def pressed(state: ChatState, update: UpdateObj, rules: Rules, facts: Facts) -> Decision:
    """What a pressed button leads to. It is always answered: its spinner turns until then."""
    assert update.press is not None
    push = _understood(state, update.press, facts)
    if push is None:
        return Decision(state, (AnswerPress(update.press, Toast.STALE),))
    if push.verb in _LISTS:
        return _LISTS[push.verb](state, push)
    handler = _ABOUT_ITEMS.get(push.verb)
    if handler is None or push.item is None or (push.verb in _RENAMING and rules.rename == "off"):
        return _only(state, push, Toast.STALE)
    if not push.item.is_of(update.sender):
        return _only(state, push, Toast.NOT_YOURS)
    if push.item.busy:
        return _only(state, push, Toast.BUSY)
    return handler(state, push, push.item)


def _understood(state: ChatState, press: Press, facts: Facts) -> _Pressed | None:
    """`None` if it leads to a search that is no longer on record."""
    verb, _, rest = press.data.partition(":")
    item, _, where = ("", "", rest) if verb in _LISTS else rest.partition(":")
    place = _place(state, where) if where else None
    return _Pressed(press, verb, facts.items.get(item), place, facts.now) if place or not where else None


def _place(state: ChatState, text: str) -> Place | None:
    page, _, query = text.partition(":")
    if query.startswith(ON_RECORD):
        found = [search for search in state.searches if mark(search) == query.removeprefix(ON_RECORD)]
        if not found:
            return None
        query = found[0]
    return Place(int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 0, query)


def _only(state: ChatState, push: _Pressed, toast: Toast = Toast.NONE) -> Decision:
    return Decision(state, (AnswerPress(push.press, toast),))


def _rename(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not (item.open or item.stored):
        return _only(state, push, Toast.STALE)
    question = state.question(item.id)
    if question is not None and question.ask is Ask.NEW_NAME and push.now <= question.until:
        return _only(state, push)  # pressed twice: it has just been asked
    asked = naming.asked(state, item, reply_to=item.message_id)
    return Decision(asked.state, (AnswerPress(push.press), *asked.effects))


def _keep(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if item.state is not UploadState.ASKING or not _is_open(state, item, Ask.KEEP_NAME, Ask.NEW_NAME):
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push, Toast.KEPT).and_also(Release(item.id, anew=True))


def _take_caption(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if item.caption_name is None or item.name == item.caption_name or not (item.open or item.stored):
        return _only(state, push, Toast.STALE)
    named = naming.named(state, item, item.caption_name, reply_to=None)
    return Decision(named.state, (AnswerPress(push.press), *named.effects))


def _cancel(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.open:
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push, Toast.CANCELLING).and_also(Cancel(item.id))


def _replace(state: ChatState, push: _Pressed, item: Item) -> Decision:
    return _settle_conflict(state, push, item, Release(item.id, "overwrite"))


def _keep_both(state: ChatState, push: _Pressed, item: Item) -> Decision:
    return _settle_conflict(state, push, item, Release(item.id, "keep_both"))


def _settle_conflict(state: ChatState, push: _Pressed, item: Item, release: Release) -> Decision:
    """The question about an earlier name may still hang there: its buttons don't answer the one about this name."""
    this_name = push.press.data.endswith(f":{mark(item.name)}")
    if item.state is not UploadState.ASKING or not _is_open(state, item, Ask.CONFLICT) or not this_name:
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push).and_also(release)


def _delete(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.stored:
        return _only(state, push, Toast.STALE)
    confirm = ConfirmDelete(upload=item.id, name=item.name, place=push.place)
    return _only(state.asking(item.id, Ask.DELETE), push).and_also(Say(confirm, edit_of=push.press.message_id))


def _confirm(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.stored or not _is_open(state, item, Ask.DELETE):
        return _only(state, push, Toast.STALE)
    return _only(state.settled(item.id), push).and_also(Delete(item.id, push.press.message_id, push.place))


def _take_off(state: ChatState, push: _Pressed, item: Item) -> Decision:
    if not item.gone:
        return _only(state, push, Toast.STALE)
    place = push.place or Place(0)
    shown = Say(FileList(page=place.page, query=place.query), edit_of=push.press.message_id)
    return _only(state.settled(item.id), push).and_also(Forget(item.id), shown)


def _dismiss(state: ChatState, push: _Pressed, item: Item) -> Decision:
    card = Card(upload=item.id, place=push.place)
    return _only(state.settled(item.id), push, Toast.KEPT).and_also(Say(card, edit_of=push.press.message_id))


def _link(state: ChatState, push: _Pressed, item: Item) -> Decision:
    return _only(state, push).and_also(MakeLink(item.id)) if item.stored else _only(state, push, Toast.STALE)


def _card(state: ChatState, push: _Pressed, item: Item) -> Decision:
    """From a list the card takes the list's place, with a way back; elsewhere it is a message of its own."""
    edit_of = push.press.message_id if push.place else None
    return _only(state, push).and_also(Say(Card(upload=item.id, place=push.place), edit_of=edit_of))


def _list_page(state: ChatState, push: _Pressed) -> Decision:
    place = push.place or Place(0)
    shown = FileList(page=place.page, query=place.query)
    return _only(state, push).and_also(Say(shown, edit_of=push.press.message_id))


def _status_page(state: ChatState, push: _Pressed) -> Decision:
    page = push.place.page if push.place else 0
    return _only(state, push).and_also(Say(StatusList(page=page), edit_of=push.press.message_id))


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
    "off": _take_off,
    "no": _dismiss,
    "link": _link,
    "card": _card,
}
_RENAMING = frozenset({"name", "capt"})
_LISTS: dict[str, Callable[[ChatState, _Pressed], Decision]] = {
    "list": _list_page,
    "stat": _status_page,
    "now": _status_anew,
    "all": _list_anew,
}
