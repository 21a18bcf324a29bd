"""From what is to be said to a message: its words, and the buttons under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from trio_s3_bot import texts
from trio_s3_bot.conversation.buttons import data, mark
from trio_s3_bot.conversation.state import Ask
from trio_s3_bot.inbox import Book, Status, StatusDocument
from trio_s3_bot.messengers.base import Capabilities
from trio_s3_bot.model import Button, Keyboard, OutMessage, SavedFile, UploadState
from trio_s3_bot.notices import (
    Accepted,
    AnyNotice,
    AskName,
    Card,
    ChoreFailed,
    ConfirmDelete,
    Conflict,
    Deleted,
    FileList,
    Place,
    Renamed,
    Saved,
    StatusList,
)
from trio_s3_bot.texts import Label

Renaming = Literal["offer", "ask", "off"]
BUTTONS_FOR = 5  # documents of one message that get buttons of their own; more are reached from the list
MOST_LISTED = 10  # documents on a page of a list
T = TypeVar("T")
SampleOf = Callable[[str], texts.Sample | None]


def list_size(capabilities: Capabilities) -> int:
    """How many files a page shows: each has a button, and two turn the page."""
    return min(MOST_LISTED, capabilities.buttons - 2)


class Phrasing:
    """
    Composes messages. `renaming` says whether new names are offered, `sample` tells how far an upload is, and
    `capabilities` how many buttons there may be.
    """

    def __init__(self, renaming: Renaming, sample: SampleOf, capabilities: Capabilities) -> None:
        self._renaming = renaming
        self._sample = sample
        self._list_size = list_size(capabilities)
        self._status_size = min(self._list_size, capabilities.button_rows - 1)

    def compose(self, notices: Sequence[AnyNotice], language: str, book: Book) -> OutMessage:
        """One message for notices of one kind; it answers the message that all of them answer, if it is one."""
        text, keyboard = self._said(notices, language, book)
        ask = notices[0].name if isinstance(notices[0], AskName) else None
        return OutMessage(
            text=text,
            keyboard=keyboard,
            reply_to=_only(notice.reply_to for notice in notices),
            ask=ask,
            edit_only=isinstance(notices[0], ConfirmDelete | Conflict) and notices[0].answered,
        )

    def status(self, status: Status) -> OutMessage:
        """A `[document]` message as it is now."""
        text = texts.status([self._line(document) for document in status.documents], status.language)
        return replace(status.message, text=text, keyboard=self._status_buttons(status.documents, status.language))

    def _said(self, notices: Sequence[AnyNotice], language: str, book: Book) -> tuple[str, Keyboard]:
        match notices[0]:
            case FileList() as notice:
                return self._file_list(notice, language, book)
            case StatusList() as notice:
                return self._status_list(notice, language, book)
            case Card() as notice:
                return self._card(notice, language, book)
            case Accepted():
                found = (book.document(notice.upload) for notice in notices if isinstance(notice, Accepted))
                documents = [document for document in found if document is not None]
                return self._accepted(notices, documents, language), self._status_buttons(documents, language)
            case Saved() | Renamed():
                return texts.compose(notices, language), self._saved_buttons(notices, language, book)
            case ConfirmDelete(answered=False) as notice:
                return texts.compose(notices, language), _confirmation_buttons(notice, language)
            case Deleted(place=place) | ChoreFailed(place=place):
                return texts.compose(notices, language), _way_back(place, language)
            case Conflict(upload=upload, name=name, answered=False):
                return texts.compose(notices, language), _conflict_buttons(upload, name, language)
        return texts.compose(notices, language), ()

    def _accepted(self, notices: Sequence[AnyNotice], documents: Sequence[StatusDocument], language: str) -> str:
        """What happened before this is said is said at once: nothing would be edited later."""
        asking = any(isinstance(notice, Accepted) and notice.asking for notice in notices)
        as_taken = (UploadState.ASKING,) if asking else (UploadState.WAITING, UploadState.RUNNING)
        if documents and any(document.state not in as_taken for document in documents):
            return texts.status([_snapshot(document) for document in documents], language)
        return texts.compose(notices, language)

    def _line(self, document: StatusDocument) -> texts.StatusLine:
        return texts.StatusLine(document.name, document.state, self._sample(document.id))

    def _status_list(self, notice: StatusList, language: str, book: Book) -> tuple[str, Keyboard]:
        size = self._status_size
        page, documents, total = _existing(notice.page, size, lambda page: book.on_their_way(page, size))
        pages = texts.page_of(page, _pages(total, size), language)
        lines = [_snapshot(document) for document in documents]
        text = texts.status_list(lines, total=total, pages=pages, which=notice.which, language=language)
        cards = tuple((Button(texts.name_on_button(d.name), data("card", d.id)),) for d in documents)
        return text, (*cards, *_turning("stat", Place(page), total, size, language))

    def _file_list(self, notice: FileList, language: str, book: Book) -> tuple[str, Keyboard]:
        size, query = self._list_size, notice.query
        page, files, total = _existing(notice.page, size, lambda page: book.files(page, query, size))
        place, first = Place(page, query), page * size + 1
        text = texts.file_list(
            files,
            total=total,
            first=first,
            pages=texts.page_of(page, _pages(total, size), language),
            query=query,
            now=book.now,
            language=language,
        )
        numbers = [Button(str(n), data("card", file.id, place=place)) for n, file in enumerate(files, first)]
        rows = tuple(tuple(numbers[start : start + 5]) for start in range(0, len(numbers), 5))
        return text, (*rows, *_turning("list", place, total, size, language))

    def _card(self, notice: Card, language: str, book: Book) -> tuple[str, Keyboard]:
        file, document = book.file(notice.upload), book.document(notice.upload)
        back = _way_back(notice.place, language)
        if file is not None:
            buttons = self._file_buttons(file, notice.place, language)
            return texts.card(file, now=book.now, language=language), (*buttons, *back)
        line = _snapshot(document) if document is not None else None
        buttons = self._document_buttons(document, language) if document is not None else ()
        return texts.card(line, now=book.now, language=language), (*buttons, *back)

    def _status_buttons(self, documents: Sequence[StatusDocument], language: str) -> Keyboard:
        open_documents = [document for document in documents if not document.state.final]
        if len(documents) == 1 and open_documents:
            return self._document_buttons(documents[0], language)
        if len(open_documents) > BUTTONS_FOR:
            return _row(_button(Label.FILES, language, "now"))
        return tuple((Button(texts.name_on_button(d.name), data("card", d.id)),) for d in open_documents)

    def _document_buttons(self, document: StatusDocument, language: str) -> Keyboard:
        """What can be done to a document that is on its way."""
        if document.state.final:
            return ()
        if document.ask is Ask.CONFLICT:
            return _conflict_buttons(document.id, document.name, language)
        rename = [_button(Label.RENAME, language, "name", document.id)] if self._renaming != "off" else []
        cancel = _button(Label.CANCEL, language, "stop", document.id)
        caption = self._caption_button(document, language)
        if document.ask in (Ask.KEEP_NAME, Ask.NEW_NAME) and document.state is UploadState.ASKING:
            # Three in a row leave too little room for the Russian "Rename".
            keep = _button(Label.KEEP_NAME, language, "keep", document.id)
            return (*_row(*rename, keep), *caption, (cancel,))
        return (*_row(*rename, cancel), *caption)

    def _caption_button(self, document: StatusDocument, language: str) -> Keyboard:
        """The offer to call a document what its caption says."""
        if self._renaming == "off" or not document.caption_name or document.caption_name == document.name:
            return ()
        name = texts.name_on_button(document.caption_name)
        return _row(_button(Label.NAME_IT, language, "capt", document.id, name=name))

    def _file_buttons(self, file: SavedFile, place: Place | None, language: str) -> Keyboard:
        """What can be done to a saved file, or to one that is gone."""
        if file.gone:
            return _row(_button(Label.TAKE_OFF, language, "off", file.id, place=place))
        link = _button(Label.LINK, language, "link", file.id)
        delete = _button(Label.DELETE, language, "del", file.id, place=place)
        if self._renaming == "off":
            return _row(link, delete)
        return (link, _button(Label.RENAME, language, "name", file.id)), (delete,)

    def _saved_buttons(self, notices: Sequence[AnyNotice], language: str, book: Book) -> Keyboard:
        saved = [
            (n.file, n.key) if isinstance(n, Saved) else (n.upload, n.new)
            for n in notices
            if isinstance(n, Saved | Renamed)
        ]
        if len(saved) > BUTTONS_FOR:
            return _row(_button(Label.FILES, language, "all"))
        if len(saved) > 1:
            return tuple((Button(texts.name_on_button(name), data("card", item)),) for item, name in saved)
        ((item, _),) = saved
        rename = [_button(Label.RENAME, language, "name", item)] if self._renaming != "off" else []
        document = book.document(item) if isinstance(notices[0], Saved) else None
        caption = self._caption_button(document, language) if document is not None else ()
        return (*_row(*rename, _button(Label.LINK, language, "link", item)), *caption)


def _snapshot(document: StatusDocument) -> texts.StatusLine:
    """How a document stands, in a message that no one edits when it moves on: no progress may stay there for ever."""
    return texts.StatusLine(document.name, document.state)


def _existing(page: int, size: int, look: Callable[[int], tuple[list[T], int]]) -> tuple[int, list[T], int]:
    """What is on a page, or on the last one if there are no longer so many; which page that is, and how much in all."""
    found, total = look(page)
    last = _pages(total, size) - 1
    return (page, found, total) if page <= last else (last, *look(last))


def _turning(verb: str, place: Place, total: int, size: int, language: str) -> Keyboard:
    """Buttons to the pages before and after this one."""
    buttons = []
    if place.page > 0:
        buttons.append(_button(Label.PREVIOUS, language, verb, place=Place(place.page - 1, place.query)))
    if (place.page + 1) * size < total:
        buttons.append(_button(Label.NEXT, language, verb, place=Place(place.page + 1, place.query)))
    return _row(*buttons) if buttons else ()


def _way_back(place: Place | None, language: str) -> Keyboard:
    """To the list that a message has taken the place of, if it has."""
    return _row(_button(Label.BACK, language, "list", place=place)) if place else ()


def _confirmation_buttons(notice: ConfirmDelete, language: str) -> Keyboard:
    return _row(
        _button(Label.YES_DELETE, language, "yes", notice.upload, place=notice.place),
        _button(Label.NO, language, "no", notice.upload, place=notice.place),
    )


def _conflict_buttons(item: str, name: str, language: str) -> Keyboard:
    return _row(
        _button(Label.REPLACE, language, "over", item, mark(name)),
        _button(Label.KEEP_BOTH, language, "both", item, mark(name)),
        _button(Label.CANCEL, language, "stop", item),
    )


def _button(
    label: Label, language: str, verb: str, *arguments: object, place: Place | None = None, **facts: object
) -> Button:
    return Button(texts.label(label, language, **facts), data(verb, *arguments, place=place))


def _row(*buttons: Button) -> Keyboard:
    return (buttons,)


def _pages(total: int, size: int) -> int:
    return max(1, -(-total // size))


def _only(values: Iterable[int | None]) -> int | None:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None
