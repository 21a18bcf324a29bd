"""
What people have allowed: what may be cancelled, deleted, replaced, and how each document may be called.

Modelled from what a person saw when they pressed or typed something. Where it can't be seen what was meant, all that
it may have meant is allowed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from tests.dialogue.history import Doc, Sent
from tests.dialogue.shown import Shown, ids, is_conflict, is_name_asked, told_renamed
from tests.dialogue.steps import Scene
from tests.time.fakes import Request
from trio_s3_bot.model import Chat

SOON = 5.0  # seconds after which what was sent has been handled
LONG_AGO = 30.0  # seconds after which a question that was asked for has been put
ANYTHING = ""  # what a person has seen of a question that wasn't said yet


class Licences:
    """What has been allowed so far. `begun` is when each document came into the bucket first."""

    def __init__(self, scene: Scene, shown: Shown, begun: Mapping[str, float]) -> None:
        self._scene = scene
        self._shown = shown
        self._begun = begun
        self._deeds: dict[tuple[Chat, int], int] = {}  # when each person has done something last
        self._naming: dict[str, float] = {}  # which documents are to get a new name, and since when
        self._confirming: dict[str, str] = {}  # what the question says whether to delete a document
        self._conflicts: dict[str, str] = {}
        self.asked: dict[str, float] = {}  # when it was asked last what to do about the other one of the name
        self.cancelled: dict[str, int] = {}
        self.deleted: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self.replacing: defaultdict[str, list[str]] = defaultdict(list)
        self.beside: set[str] = set()
        self.chosen: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self.certain: dict[int | None, tuple[int, str]] = {}  # the one document that a text can only have meant

    def said(self, request: Request) -> None:
        """A question was put, or is over."""
        for verb, id_ in ids(request):
            if verb == "yes":
                self._confirming[id_] = request.text
            if verb == "over" and is_conflict(request.text):
                self._conflicts[id_], self.asked[id_] = request.text, request.at
                if request.at - self._naming.get(id_, 0) > LONG_AGO:
                    self._naming.pop(id_, None)
        for doc in self._shown.about(request.chat, request.message_id) if is_name_asked(request) else ():
            self._naming[doc.id] = request.at
        renamed = told_renamed(request)
        if renamed is not None and request.at - self._naming.get(renamed[0], 0) > LONG_AGO:
            self._naming.pop(renamed[0], None)

    def sent(self, turn: int, sent: Sent) -> None:
        """Somebody sent something, which allows what it may mean."""
        if sent.update.press is not None:
            self._pressed(turn, sent)
        elif sent.update.text is not None and sent.update.addressed:
            self._typed(turn, sent, sent.update.text)
        self._deeds[sent.update.chat, sent.person] = turn

    def _pressed(self, turn: int, sent: Sent) -> None:
        assert sent.update.press is not None
        verb, _, rest = sent.update.press.data.partition(":")
        doc = self._shown.docs.get(rest.partition(":")[0])
        if doc is None or doc.owner != sent.person:
            return
        match verb:
            case "stop":
                self.cancelled.setdefault(doc.id, turn)
            case "del":
                self._confirming.setdefault(doc.id, ANYTHING)
            case "yes":
                self.deleted[doc.id].append((turn, sent.saw))
            case "over":
                # What shows how it stands has the buttons, too, but the question is that of the message that asks.
                asked = self._conflicts.get(doc.id, sent.saw)
                self.replacing[doc.id].append(sent.saw if is_conflict(sent.saw) else asked)
            case "both":
                self.beside.add(doc.id)
            case "name":
                self._naming[doc.id] = sent.at
            case "capt" if doc.caption is not None:
                self._choose(turn, doc, doc.caption)

    def _typed(self, turn: int, sent: Sent, text: str) -> None:
        chat, reply_to = sent.update.chat, sent.update.reply_to
        about = self._shown.about(chat, reply_to)
        mine = self._shown.of(chat, sent.person)
        meant = [doc for doc in mine if doc in about] if about else mine
        if len(about) == 1 == len(meant):
            self.certain[sent.update.message_id] = turn, meant[0].id
        if text.startswith("/"):
            command, _, argument = text[1:].partition(" ")
            self._commanded(turn, sent, meant, command, argument, replied=bool(about))
        elif about or not chat.group:
            self._answered(turn, sent, meant, text, replied=bool(about))

    def _commanded(
        self, turn: int, sent: Sent, meant: list[Doc], command: str, argument: str, *, replied: bool
    ) -> None:
        if command == "cancel":
            for doc in meant if self._may_cancel(sent) else ():
                if self._is_only_one(sent, doc, replied=replied):
                    self.cancelled.setdefault(doc.id, turn)
            return
        called_so = [doc for doc in meant if replied or argument in self._shown.names[doc.id]]
        for doc in called_so:
            if command == "delete":
                self._confirming.setdefault(doc.id, ANYTHING)
            if command == "rename":
                self._naming[doc.id] = sent.at
                if replied and argument:
                    self._choose(turn, doc, argument)

    def _answered(self, turn: int, sent: Sent, meant: list[Doc], text: str, *, replied: bool) -> None:
        said_in_words: dict[str, Callable[[Doc], object]] = {
            "yes": lambda doc: self.deleted[doc.id].append((turn, self._confirming[doc.id])),
            "replace": lambda doc: self.replacing[doc.id].append(self._conflicts[doc.id]),
            "both": lambda doc: self.beside.add(doc.id),
            "cancel": lambda doc: self.cancelled.setdefault(doc.id, turn),
        }
        asked = self._confirming if text == "yes" else self._conflicts
        for doc in meant:
            if text in said_in_words and doc.id in asked:
                said_in_words[text](doc)
            if text == "cancel" and self._scene.rename == "ask":  # the button beside "Keep name" is called so
                self.cancelled.setdefault(doc.id, turn)
            if replied or doc.id in self._naming or text.endswith(".txt"):
                self._choose(turn, doc, text)
            if text == "yes" and self._scene.rename == "ask":
                self._naming[doc.id] = sent.at

    def _may_cancel(self, sent: Sent) -> bool:
        """A question that is the last thing a chat was told says what `/cancel` means: not that of an upload."""
        turn, last = self._shown.last.get(sent.update.chat, (0, None))
        answered = self._deeds.get((sent.update.chat, sent.person), 0) > turn
        if last is None or answered or sent.update.reply_to is not None:
            return True
        about = self._shown.about(last.chat, last.message_id)
        asked_them = all(doc.owner == sent.person for doc in about)
        return not (asked_them and (is_name_asked(last) or "can't be brought back" in last.text))

    def _is_only_one(self, sent: Sent, doc: Doc, *, replied: bool) -> bool:
        """Whether `/cancel` can mean this document: the one asked about, or the only one that is on its way."""
        if not replied and doc.id in self._conflicts:
            return True
        chat, reply_to = sent.update.chat, sent.update.reply_to
        listed = self._shown.listed(chat, reply_to)
        others = [other for other in (listed if replied else self._shown.of(chat, sent.person)) if other != doc]
        return not any(self._is_open(other, sent) for other in others if other.owner == sent.person)

    def _is_open(self, doc: Doc, sent: Sent) -> bool:
        """Whether a document was certainly on its way when something was handled."""
        handled = sent.at + SOON
        return self._begun.get(doc.id, 0) > handled and doc.id not in self.cancelled

    def _choose(self, turn: int, doc: Doc, name: str) -> None:
        """A name may be typed without its extension."""
        for chosen in (name, f"{name}.txt"):
            self.chosen[doc.id].append((turn, chosen))
            self._shown.names[doc.id].add(chosen)
