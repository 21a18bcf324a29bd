"""What must be true of any dialogue, at every moment and in the end."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tests.dialogue.history import Answered, Changed, Doc, Event, Sent, doc_of, owner_in
from tests.dialogue.licences import ANYTHING, Licences
from tests.dialogue.shown import (
    ENDED,
    Shown,
    Told,
    is_name_asked,
    standings,
    told_deleted,
    told_gone,
    told_its_name,
    told_renamed,
    told_saved,
)
from tests.dialogue.steps import Scene
from tests.time.fakes import Request
from trio_s3_bot.model import Chat

TIME_TO_ANSWER = 60.0  # seconds, as shipped
LATE = 30.0  # seconds that a question may be said after it was put
_NUMBERED = re.compile(r"(.+) \(\d+\)(\.\w+)?")


class Verdict:
    """Goes through a history, and finds what is wrong."""

    def __init__(self, scene: Scene, history: Sequence[Event]) -> None:
        self._scene = scene
        self._history = history
        self._shown = Shown()
        self._licences = Licences(scene, self._shown, _begun(history))
        self._came: dict[str, int] = {}  # when each document was sent
        self._spoke: Counter[Chat] = Counter()  # when something else was done in a chat last
        self._objects: dict[str, str] = {}
        self._stood: defaultdict[str, set[str]] = defaultdict(set)  # the names each document has had
        self._told: dict[str, str] = {}  # the name each document was called saved by
        self._stood_under: defaultdict[str, set[str]] = defaultdict(set)  # its keys
        self._already: list[tuple[int, str]] = []  # when a document was said to have been there already
        self._ends: defaultdict[str, list[int]] = defaultdict(list)
        self._lost_their_place: set[str] = set()  # the documents that others have replaced
        self._deleted: Counter[str] = Counter()
        self._told_deleted: Counter[str] = Counter()
        self._cancelled_by_toast: set[str] = set()
        self._to_be_deleted: set[str] = set()
        self._promised: dict[str, tuple[int, str]] = {}  # the name each document was to have, and who asked when
        self._said: set[int] = set()
        self._called_taken_or_saved: Counter[Chat] = Counter()  # more of the first than of the second

    def problems(self) -> Iterator[str]:
        """All that is wrong, first what could be seen first."""
        for turn, event in enumerate(self._history):
            match event:
                case Sent():
                    self._sent(turn, event)
                case Request():
                    yield from self._request(turn, event)
                case Changed():
                    yield from self._changed(turn, event)
                case Answered():
                    self._answered(event)
        yield from self._in_the_end()

    def _sent(self, turn: int, sent: Sent) -> None:
        doc = doc_of(sent)
        if doc is not None:
            self._shown.sent(doc)
            self._came[doc.id] = turn
        else:
            self._spoke[sent.update.chat] = turn
        self._licences.sent(turn, sent)

    def _answered(self, answered: Answered) -> None:
        """What a press was answered with is a promise; nothing at all says that it is done."""
        verb, _, rest = answered.press.data.partition(":")
        match verb, answered.toast:
            case "stop", "Cancelling…" if not self._stood[rest]:  # or the two have crossed
                self._cancelled_by_toast.add(rest)
            case "yes", "":
                self._to_be_deleted.add(rest.partition(":")[0])

    # What is said

    def _request(self, turn: int, request: Request) -> Iterator[str]:
        self._shown.said(turn, request)
        self._licences.said(request)
        if request.kind == "send" and request.message.random_id in self._said:
            return  # once more, after a crash
        self._said.add(request.message.random_id)
        if request.kind == "send":
            self._called_taken_or_saved[request.chat] += len(standings(request))
        for told in told_saved(request):
            yield from self._called_saved(turn, request, told)
        renamed = told_renamed(request)
        if renamed is not None:
            yield from self._called(request, *renamed)
        deleted = told_deleted(request)
        if deleted is not None:
            self._told_deleted[deleted.rpartition("/")[2]] += 1
        self._promise(request)
        gone = told_gone(request)
        if "could not be saved" in request.text or (gone is not None and not self._was_replaced(request.chat, gone)):
            yield f"why was this said: {request.text!r}"

    def _was_replaced(self, chat: Chat, name: str) -> bool:
        """Whether a document of that name has lost its place to another one: only then is it gone without a wish."""
        docs = self._shown.docs
        return any(docs[id_].chat == chat and name in self._stood[id_] for id_ in self._lost_their_place)

    def _promise(self, request: Request) -> None:
        """That a document has a name is a promise, until another one is asked for."""
        named = told_its_name(request)
        if named is not None and request.message.reply_to in self._licences.certain:
            asked, id_ = self._licences.certain[request.message.reply_to]
            self._promised[id_] = asked, named
        for doc in self._shown.about(request.chat, request.message_id) if is_name_asked(request) else ():
            self._promised.pop(doc.id, None)

    def _called_saved(self, turn: int, request: Request, told: Told) -> Iterator[str]:
        chat = request.chat
        for id_ in (told.id,) if told.id is not None else self._called_so(chat, told.key):
            yield from self._called(request, id_, told.key)
            if told.already:
                self._already.append((turn, id_))
        self._called_taken_or_saved[chat] -= 1
        if self._called_taken_or_saved[chat] < 0 and not any(
            d.album for d in self._shown.docs.values() if d.chat == chat
        ):
            yield f"called saved before it was called taken: {request.text!r}"

    def _called_so(self, chat: Chat, key: str) -> list[str]:
        """Where a message speaks of so many documents that it has no buttons for them: those that it may mean."""
        return [id_ for id_, doc in self._shown.docs.items() if doc.chat == chat and key in self._stood_under[id_]]

    def _called(self, request: Request, id_: str, key: str) -> Iterator[str]:
        self._told[id_] = name = self._name(id_, key)
        if name not in self._stood[id_]:
            yield f"it never was there under that name: {request.text!r}"

    # What is done in the bucket

    def _changed(self, turn: int, changed: Changed) -> Iterator[str]:
        before, after = owner_in(changed.before), owner_in(changed.after)
        self._objects.pop(changed.key, None)
        if after is not None:
            self._objects[changed.key] = after
            self._stood[after].add(self._name(after, changed.key))
            self._stood_under[after].add(changed.key)
            self._shown.names[after].add(self._name(after, changed.key))
            yield from self._named(after, changed)
        if before is not None and before != after and before not in self._objects.values():
            self._ends[before].append(turn)
            yield from (self._removed(before, changed) if after is None else self._replaced(before, after, changed))

    def _name(self, id_: str, key: str) -> str:
        prefix = f"{self._shown.docs[id_].owner}/" if self._scene.key.startswith("{user}/") else ""
        return key.removeprefix(prefix)

    def _named(self, id_: str, changed: Changed) -> Iterator[str]:
        name = self._name(id_, changed.key)
        wanted = {self._shown.docs[id_].name, *(chosen for _, chosen in self._licences.chosen[id_])}
        if name in wanted:
            return
        if not any(_is_called(name, one) for one in wanted):
            yield f"nobody wanted it to be called {changed.key!r}"
        elif not self._may_be_beside(id_, changed.at):
            yield f"nobody wanted it to be kept beside: {changed.key!r}"

    def _may_be_beside(self, id_: str, at: float) -> bool:
        if self._scene.on_conflict == "ask" and id_ not in self._licences.beside:
            asked = self._licences.asked.get(id_)
            return asked is not None and at - asked > TIME_TO_ANSWER - LATE
        return self._scene.on_conflict != "overwrite"

    def _removed(self, id_: str, changed: Changed) -> Iterator[str]:
        name = self._name(id_, changed.key)
        if any(saw == ANYTHING or name in saw for _, saw in self._licences.deleted[id_]):
            self._deleted[name] += 1
        elif id_ not in self._licences.cancelled or id_ in self._told:
            yield f"nobody wanted it to be deleted: {changed.key!r}"

    def _replaced(self, id_: str, by: str, changed: Changed) -> Iterator[str]:
        self._lost_their_place.add(id_)
        if self._scene.on_conflict == "overwrite":
            chat = self._shown.docs[by].chat
            later = self._came[id_] > self._came[by] > self._spoke[chat]
            if later and self._shown.docs[id_].chat == chat:
                yield f"what was sent before has replaced it: {changed.key!r}"
            return
        name = self._name(by, changed.key)
        if not any(name in saw for saw in self._licences.replacing[by]):
            yield f"nobody wanted it to be replaced: {changed.key!r}"

    # How it all stands

    def _in_the_end(self) -> Iterator[str]:
        for id_, count in Counter(self._objects.values()).items():
            if count > 1:
                yield f"{self._shown.docs[id_].name!r} is there {count} times"
        yield from self._unanswered()
        for name, times in self._deleted.items():
            if self._told_deleted[name] < times:
                yield f"nobody was told that {name!r} is deleted"
        for request in self._shown.messages.values():
            yield from self._for_ever(request)
        for doc in self._shown.docs.values():
            yield from self._end_of(doc)

    def _unanswered(self) -> Iterator[str]:
        presses = {event.update.press for event in self._history if isinstance(event, Sent) and event.update.press}
        answered = {event.press for event in self._history if isinstance(event, Answered)}
        yield from (f"not answered: {press.data!r}" for press in presses - answered)

    def _for_ever(self, request: Request) -> Iterator[str]:
        shown = standings(request)
        if not all(standing in ENDED for _, standing in shown) or (shown and request.message.keyboard):
            yield f"it shows for ever: {request.text!r}"

    def _end_of(self, doc: Doc) -> Iterator[str]:
        """A document is called saved as what it is in the bucket, or it is known why it isn't there."""
        names = [self._name(doc.id, key) for key, id_ in self._objects.items() if id_ == doc.id]
        if names:
            yield from self._called_as_it_is(doc, names)
            return
        cancelled = doc.id in self._licences.cancelled and doc.id not in self._told
        if not (cancelled or doc.id in self._ends or self._was_there(doc)):
            yield f"{doc.name!r} of message {doc.message_id} is lost"

    def _called_as_it_is(self, doc: Doc, names: list[str]) -> Iterator[str]:
        if self._told.get(doc.id) not in names:
            yield f"{doc.name!r} of message {doc.message_id} is called {self._told.get(doc.id)!r}, and is {names}"
        replaces = self._scene.on_conflict == "overwrite" or doc.id in self._licences.replacing
        if doc.id in self._cancelled_by_toast and not replaces:
            yield f"{doc.name!r} was called cancelled, and is there"
        asked, promised = self._promised.get(doc.id, (0, None))
        since = any(turn > asked for turn, _ in self._licences.chosen[doc.id])
        if promised is not None and not since and not any(_is_called(name, promised) for name in names):
            yield f"its name was to be {promised!r}, and is {names}"
        if doc.id in self._to_be_deleted:
            yield f"{doc.name!r} was to be deleted, and is there"

    def _was_there(self, doc: Doc) -> bool:
        """Whether it is one that was there already, and is there still unless somebody wanted otherwise since."""
        came = self._came[doc.id]
        return any(self._stands_for(doc, other, came) for turn, other in self._already if turn > came)

    def _stands_for(self, doc: Doc, other_id: str, came: int) -> bool:
        other = self._shown.docs[other_id]
        if other == doc or (other.chat, other.unique_id) != (doc.chat, doc.unique_id):
            return False
        if other_id not in self._objects.values():
            return self._licensed_since(other_id, came)
        name = next(self._name(other_id, key) for key, id_ in self._objects.items() if id_ == other_id)
        since = {chosen for turn, chosen in self._licences.chosen[other_id] if turn > came}
        was = self._licences.chosen[doc.id]
        return name in {doc.name, *since, *(chosen for _, chosen in was)} or _NUMBERED.fullmatch(name) is not None

    def _licensed_since(self, id_: str, turn: int) -> bool:
        """Whether the end of a document was wanted after `turn`, or came from what was sent after that."""
        deleted = any(when > turn for when, _ in self._licences.deleted[id_])
        return deleted or (self._scene.on_conflict != "keep_both" and any(end > turn for end in self._ends[id_]))


def _is_called(name: str, wanted: str) -> bool:
    """Whether a name is the wanted one, or that with a number."""
    numbered = _NUMBERED.fullmatch(name)
    return name == wanted or (numbered is not None and numbered[1] + (numbered[2] or "") == wanted)


def _begun(history: Iterable[Event]) -> dict[str, float]:
    """When each document came into the bucket first."""
    begun: dict[str, float] = {}
    for event in history:
        if isinstance(event, Changed) and (id_ := owner_in(event.after)) is not None:
            begun.setdefault(id_, event.at)
    return begun
