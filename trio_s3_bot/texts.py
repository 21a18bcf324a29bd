"""
Every sentence a person can see, in English and Russian, side by side so that none can be missing.

The markers in brackets are literal in both languages. A name that contains one is shown with other brackets, so that
no file can speak for the bot. Lengths are kept under `LIMIT`: what doesn't fit is counted, not listed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_percent
from babel.units import format_unit

from trio_s3_bot.errors import Reason
from trio_s3_bot.model import UploadState
from trio_s3_bot.notices import (
    Accepted,
    AnyNotice,
    Delayed,
    DocumentRequired,
    Failed,
    GivenUp,
    Greeting,
    NotAllowed,
    Saved,
)

LIMIT = 3500  # UTF-16 units; messengers take 4096, and long messages hit flood limits sooner
NAME_IN_LIST = 80  # characters of a name where several are listed
BAR = 12  # characters of a progress bar
MARKERS = ("[greeting]", "[document is required]", "[document has been saved]", "[document]")
LANGUAGES = ("en", "ru")


class Text(NamedTuple):
    """One sentence in every language."""

    en: str
    ru: str

    def of(self, language: str, **facts: object) -> str:
        return getattr(self, language).format(**facts)  # type: ignore[no-any-return]


class Plural(NamedTuple):
    """A counted noun in the plural forms that CLDR knows for English and Russian."""

    en: dict[str, str]
    ru: dict[str, str]

    def of(self, language: str, count: int) -> str:
        forms: dict[str, str] = getattr(self, language)
        return forms[Locale(language).plural_form(count)].format(count=count)


GREETING = Text(
    "[greeting] Hello! Send me a file and I will save it. Attach pictures and videos as files (documents), "
    "so that they arrive unchanged.",
    "[greeting] Здравствуйте! Пришлите файл, и я его сохраню. Картинки и видео прикрепляйте как файлы (документы), "
    "тогда они дойдут без изменений.",
)
DOCUMENT_REQUIRED = Text(
    "[document is required] I save files only. Attach one as a file (document); pictures and videos too.",
    "[document is required] Я сохраняю только файлы. Прикрепите файл как документ; картинки и видео тоже.",
)
NOT_ALLOWED = Text(
    "This bot works for a few people only, and you are not on its list. Its operator can add you: your id is {id}.",
    "Этот бот работает только для нескольких людей, и вас в списке нет. Добавить вас может его владелец: ваш id {id}.",
)
GIVEN_UP = Text(
    "Something in your message made me fail again and again, so I have set it aside and told my operator. "
    "Please send it once more in another way.",
    "Ваше сообщение раз за разом вызывало у меня ошибку, поэтому я отложил его и сообщил владельцу. "
    "Пожалуйста, пришлите его ещё раз иначе.",
)
ACCEPTED = Text("[document] {name}: got it, saving it.", "[document] {name}: файл принят, сохраняю.")
ACCEPTED_RENAMED = Text(
    "[document] {asked}: got it, saving it as {name}.", "[document] {asked}: файл принят, сохраняю как {name}."
)
ACCEPTED_MANY = Text("[document] {files} taken, saving them:", "[document] Принято: {files}, сохраняю:")
SAVED = Text("[document has been saved] {name}, {size}", "[document has been saved] {name}, {size}")
SAVED_MANY = Text("[document has been saved] {files}:", "[document has been saved] {files}:")
SAVED_RENAMED = Text(
    "{asked} could not be its name there, so it is called {name}.", "Имя {asked} там невозможно, файл назван {name}."
)
SAVED_BESIDE = Text(
    "The name {asked} was taken already; nothing was overwritten.",
    "Имя {asked} было уже занято; ничего не перезаписано.",
)
FAILED = Text("{name} could not be saved. {why}", "Файл {name} не сохранён. {why}")
FAILED_MANY = Text("{files} could not be saved:", "Не сохранено: {files}:")
DELAYED = Text(
    "{name} is waiting: the storage or the messenger is out of order at the moment. It will be saved as soon as "
    "that is over; you need not do anything.",
    "Файл {name} ждёт: хранилище или мессенджер сейчас не отвечает. Он сохранится, как только связь восстановится; "
    "делать ничего не нужно.",
)
DELAYED_MANY = Text(
    "{files} waiting, because the storage or the messenger is out of order at the moment. They will be saved as soon "
    "as that is over:",
    "Ждут: {files}. Хранилище или мессенджер сейчас не отвечает, всё сохранится, как только связь восстановится:",
)
AND_MORE = Text("… and {files} more", "… и ещё {files}")
FILES = Plural(
    en={"one": "{count} file", "other": "{count} files"},
    ru={"one": "{count} файл", "few": "{count} файла", "many": "{count} файлов", "other": "{count} файла"},
)
REASONS: dict[Reason, Text] = {
    Reason.TOO_BIG_FOR_MESSENGER: Text(
        "The messenger lets bots fetch files of up to {limit}. Send it in smaller pieces, such as a split archive.",
        "Мессенджер отдаёт ботам файлы не больше {limit}. Пришлите его частями, например многотомным архивом.",
    ),
    Reason.TOO_BIG_FOR_OPERATOR: Text(
        "Files of up to {limit} are saved here. Send a smaller one.",
        "Здесь сохраняются файлы не больше {limit}. Пришлите файл поменьше.",
    ),
    Reason.TOO_BIG_FOR_STORE: Text(
        "It is too large for the storage. Send it in smaller pieces.",
        "Он слишком велик для хранилища. Пришлите его частями.",
    ),
    Reason.GONE: Text(
        "The messenger has it no more. Please send it again.", "В мессенджере его больше нет. Пришлите его ещё раз."
    ),
    Reason.NOT_READABLE: Text(
        "It did not come through whole, although I tried many times. Please send it again.",
        "Он не дошёл целиком, хотя я пробовал много раз. Пришлите его ещё раз.",
    ),
    Reason.REFUSED_BY_STORE: Text(
        "The storage does not take it. Give it a shorter, simpler name and send it again.",
        "Хранилище его не принимает. Дайте ему имя покороче и попроще и пришлите ещё раз.",
    ),
    Reason.NO_FREE_NAME: Text(
        "There are too many files of this name. Send it under another one.",
        "Файлов с таким именем уже слишком много. Пришлите его под другим.",
    ),
}
STATES: dict[UploadState, Text] = {
    UploadState.WAITING: Text("waiting for its turn", "ждёт своей очереди"),
    UploadState.RUNNING: Text("being saved", "сохраняется"),
    UploadState.SAVED: Text("saved", "сохранён"),
    UploadState.FAILED: Text("not saved", "не сохранён"),
    UploadState.CANCELLED: Text("cancelled", "отменён"),
}
PROGRESS = Text("{bar} {percent}, {done} of {total}", "{bar} {percent}, {done} из {total}")
PROGRESS_UNKNOWN = Text("{done} so far", "уже {done}")
SPEED = Text("{size}/s", "{size}/с")
LEFT = Text("{time} left", "осталось {time}")


@dataclass(frozen=True, slots=True)
class Sample:
    """How far an upload is: bytes done, bytes in all (`None`: unknown), bytes per second, seconds left."""

    done: int
    total: int | None = None
    speed: float | None = None
    left: float | None = None


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One document of a `[document]` message: what it is called, how it stands, how far it is."""

    name: str
    state: UploadState
    sample: Sample | None = None


def language_of(tag: str | None) -> str:
    """Russian for Russian clients, English for all others; `tag` is an IETF language tag such as `ru-RU`."""
    return "ru" if tag and tag.lower().replace("_", "-").split("-")[0] == "ru" else "en"


def compose(notices: Sequence[AnyNotice], language: str) -> str:
    """Put notices, all of one kind, into one message."""
    match notices:
        case [Greeting()]:
            return GREETING.of(language)
        case [DocumentRequired()]:
            return DOCUMENT_REQUIRED.of(language)
        case [NotAllowed(user_id=user_id)]:
            return NOT_ALLOWED.of(language, id=user_id)
        case [GivenUp()]:
            return GIVEN_UP.of(language)
        case [Accepted() as notice]:
            return _accepted(notice, language)
        case [Saved() as notice]:
            return _saved(notice, language)
        case [Failed() as notice]:
            return FAILED.of(language, name=shown(notice.name), why=_reason(notice, language))
        case [Delayed() as notice]:
            return DELAYED.of(language, name=shown(notice.name))
    return _folded(notices, language)


def status(lines: Sequence[StatusLine], language: str) -> str:
    """The `[document]` message as it stands now."""
    if len(lines) == 1:
        (line,) = lines
        return f"[document] {shown(line.name)}\n{_standing(line, language)}"
    head = ACCEPTED_MANY.of(language, files=FILES.of(language, len(lines)))
    return _list(head, [f"{shown(line.name, NAME_IN_LIST)}: {_standing(line, language)}" for line in lines], language)


def size(count: float, language: str) -> str:
    """Bytes as people read them, in powers of 1024 as messengers count: `8.6 MB`, `8,6 МБ`."""
    units = iter(("byte", "kilobyte", "megabyte", "gigabyte", "terabyte"))
    unit = next(units)
    while count >= 1023.95 and unit != "terabyte":
        count, unit = count / 1024, next(units)
    rounded = round(count, 1) if count < 100 else round(count)
    length: Literal["long", "short"] = "long" if unit == "byte" else "short"
    return format_unit(rounded, f"digital-{unit}", length=length, locale=language).replace("\xa0", " ")


def shown(name: str, limit: int = 300) -> str:
    """A name in a sentence: on one line, of bounded length, not reordering the text, not speaking for the bot."""
    flat = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in name)
    if len(flat) > limit:
        flat = flat[: limit * 2 // 3] + "…" + flat[-limit // 3 :]
    if any(marker in flat.casefold() for marker in MARKERS):
        flat = flat.replace("[", "⟦").replace("]", "⟧")
    reorders = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in flat)
    return f"\u2068{flat}\u2069" if reorders else flat


_RIGHT_TO_LEFT = ("R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI")


def _accepted(notice: Accepted, language: str) -> str:
    if notice.asked_name:
        return ACCEPTED_RENAMED.of(language, asked=shown(notice.asked_name), name=shown(notice.name))
    return ACCEPTED.of(language, name=shown(notice.name))


def _saved(notice: Saved, language: str) -> str:
    said = SAVED.of(language, name=shown(notice.key), size=size(notice.size, language))
    for remark in _remarks(notice, language):
        said += f"\n{remark}"
    return said


def _remarks(notice: Saved, language: str) -> list[str]:
    """Why the name in the bucket isn't the one the person gave."""
    if notice.name_was_taken:
        return [SAVED_BESIDE.of(language, asked=shown(notice.name))]
    if notice.asked_name:
        return [SAVED_RENAMED.of(language, asked=shown(notice.asked_name), name=shown(notice.key))]
    return []


def _reason(notice: Failed, language: str) -> str:
    limit = size(notice.limit, language) if notice.limit is not None else ""
    return REASONS[notice.reason].of(language, limit=limit)


def _folded(notices: Sequence[AnyNotice], language: str) -> str:
    heads = {Accepted: ACCEPTED_MANY, Saved: SAVED_MANY, Failed: FAILED_MANY, Delayed: DELAYED_MANY}
    head = heads[type(notices[0])].of(language, files=FILES.of(language, len(notices)))
    return _list(head, [_item(notice, language) for notice in notices], language)


def _item(notice: AnyNotice, language: str) -> str:
    match notice:
        case Saved():
            return f"{shown(notice.key, NAME_IN_LIST)}, {size(notice.size, language)}"
        case Failed():
            return f"{shown(notice.name, NAME_IN_LIST)}: {_reason(notice, language)}"
        case Accepted() | Delayed():
            return shown(notice.name, NAME_IN_LIST)
    raise TypeError(f"{type(notice).__name__} is not folded")


def _list(head: str, items: Sequence[str], language: str) -> str:
    """As many items as fit under the limit, and how many more there are."""
    rows, length = [head], _units(head)
    for index, item in enumerate(items):
        row = f"• {item}"
        length += _units(row) + 1
        if length > LIMIT:
            rows.append(AND_MORE.of(language, files=FILES.of(language, len(items) - index)))
            break
        rows.append(row)
    return "\n".join(rows)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _standing(line: StatusLine, language: str) -> str:
    sample = line.sample
    if line.state is not UploadState.RUNNING or sample is None:
        return STATES[line.state].of(language)
    if not sample.total:
        return PROGRESS_UNKNOWN.of(language, done=size(sample.done, language))
    share = min(sample.done / sample.total, 1)
    parts = [
        PROGRESS.of(
            language,
            bar=_bar(share),
            percent=format_percent(int(share * 100) / 100, locale=language).replace("\xa0", " "),
            done=size(sample.done, language),
            total=size(sample.total, language),
        )
    ]
    if sample.speed:
        parts.append(SPEED.of(language, size=size(sample.speed, language)))
    if sample.left is not None:
        parts.append(LEFT.of(language, time=_duration(sample.left, language)))
    return ", ".join(parts)


def _bar(share: float) -> str:
    full = int(share * BAR)
    return "▰" * full + "▱" * (BAR - full)


def _duration(seconds: float, language: str) -> str:
    return format_timedelta(max(1, round(seconds)), threshold=1.5, format="short", locale=language).replace("\xa0", " ")
