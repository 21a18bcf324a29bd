"""
Every sentence a person can see, in English and Russian, side by side so that none can be missing.

The markers in brackets are literal in both languages.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from babel import Locale

from trio_s3_bot.errors import Reason
from trio_s3_bot.model import UploadState
from trio_s3_bot.notices import NameProblem

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
    "Пожалуйста, пришлите его ещё раз, но по-другому.",
)
GIVEN_UP_IN_PART = Text(
    "Only a part of your message has reached me, so I don't know what was in it. Please send it once more.",
    "Ваше сообщение дошло до меня не целиком, и я не знаю, что в нём было. Пожалуйста, пришлите его ещё раз.",
)
ACCEPTED = Text("[document] {name}: got it, saving it.", "[document] {name}: файл принят, сохраняю.")
ACCEPTED_RENAMED = Text(
    "[document] {asked}: got it, saving it as {name}.", "[document] {asked}: файл принят, сохраняю как {name}."
)
ACCEPTED_MANY = Text("[document] {files} taken, saving them:", "[document] Принято: {files}, сохраняю:")
ACCEPTED_OVER = Text("[document] {files}:", "[document] {files}:")
ACCEPTED_SOME_ASKING = Text(
    "[document] {files} taken, waiting for your answer about some:",
    "[document] Принято: {files}, по некоторым жду ответа:",
)
SAVED = Text("[document has been saved] {name}, {size}", "[document has been saved] {name}, {size}")
SAVED_MANY = Text("[document has been saved] {files}:", "[document has been saved] {files}:")
SAVED_RENAMED = Text(
    "{asked} could not be its name there, so it is called {name}.",
    "Имя {asked} в хранилище недопустимо, файл назван {name}.",
)
SAVED_BESIDE = Text(
    "The name {asked} was taken already; nothing was overwritten.",
    "Имя {asked} уже занято; ничего не перезаписано.",
)
SOME_BESIDE = Text(
    "Where a name was taken already, a number was added to it; nothing was overwritten.",
    "К занятым именам добавлены номера; ничего не перезаписано.",
)
FAILED = Text("{name} could not be saved. {why}", "Файл {name} не сохранён. {why}")
FAILED_MANY = Text("{files} could not be saved:", "Не удалось сохранить {files}:")
DELAYED = Text(
    "{name} is waiting: the storage or the messenger is not working at the moment. It will be saved as soon as "
    "that is over; you need not do anything.",
    "Файл {name} ждёт: хранилище или мессенджер сейчас не отвечает. Он сохранится, как только связь восстановится; "
    "делать ничего не нужно.",
)
DELAYED_MANY = Text(
    "{files} waiting: the storage or the messenger is not working at the moment. They will be saved as soon "
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
        "The messenger no longer has it. Please send it again.", "В мессенджере его больше нет. Пришлите его ещё раз."
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
    UploadState.ASKING: Text("waiting for your answer", "ждёт вашего ответа"),
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
ACCEPTED_ASKING = Text(
    "[document] {name}: got it. Rename it before it is saved?",
    "[document] {name}: файл принят. Переименовать его перед сохранением?",
)
ACCEPTED_ASKING_MANY = Text(
    "[document] {files} taken. Rename any before they are saved?",
    "[document] Принято: {files}. Переименовать что-нибудь из них перед сохранением?",
)
SAVED_ALREADY = Text("It was there already, the very same file.", "Точно такой же файл уже сохранён.")
ALREADY = Text("{item} (it was there already)", "{item} (уже был сохранён)")
HELP = Text(
    "[document is required] Send me a file as a document and I will save it. {abilities}",
    "[document is required] Пришлите файл как документ, и я его сохраню. {abilities}",
)
ABILITIES = Text(
    "What else I can do:\n"
    "/list – your saved files; /list report – those with “report” in their name; /list #2 – the second page\n"
    "/status – what is waiting and being saved\n"
    "{commands} – in reply to a file, or with its name\n"
    "/cancel – leave a question, or stop an upload",
    "Что ещё я умею:\n"
    "/list – сохранённые файлы; /list отчёт – те, в имени которых есть «отчёт»; /list #2 – вторая страница\n"
    "/status – что ждёт и сохраняется\n"
    "{commands} – в ответ на файл или с его именем\n"
    "/cancel – не отвечать на вопрос или остановить загрузку",
)
OVER_LIMIT = Text(
    "{name} was not saved: with it, you would have sent more than one person may in a day. There is room again {when}.",
    "Файл {name} не сохранён: с ним вышло бы больше, чем можно одному человеку за сутки. Снова можно будет {when}.",
)
OVER_LIMIT_FOR_EVER = Text(
    "{name} was not saved: one person may send {limit} in a day, and it alone is larger.",
    "Файл {name} не сохранён: одному человеку можно отправить {limit} за сутки, а этот файл больше.",
)
OVER_LIMIT_MANY = Text(
    "{files} not saved, as one person may only send so much in a day:",
    "Не сохранено: {files}. Для одного человека есть предел на сутки:",
)
ROOM = Text("{name}: room again {when}", "{name}: снова можно {when}")
NO_ROOM = Text("{name}: larger than {limit}, which is all for a day", "{name}: больше {limit}, а это всё за сутки")
ASK_NAME = Text(
    "What shall {name} be called? Reply with the new name; /cancel keeps this one.",
    "Как назвать {name}? Ответьте новым именем; /cancel – оставить прежнее.",
)
NAME_PROBLEMS: dict[NameProblem, Text] = {
    NameProblem.IMPOSSIBLE: Text("That can't be the name of a file.", "Так файл назвать нельзя."),
    NameProblem.TAKEN: Text("There is a file of that name already.", "Файл с таким именем уже есть."),
}
NAME_SET = Text("It will be called {name}.", "Файл будет называться {name}.")
NAME_STAYS = Text("Its name stays {name}.", "Имя остаётся прежним: {name}.")
CONFLICT = Text(
    "{name} is there already. Replace it, keep both, or cancel? A new name is an answer, too.",
    "Файл {name} уже есть. Заменить его, оставить оба или отменить? Можно ответить и новым именем.",
)
RENAMED = Text("{old} is called {new} now.", "Файл {old} теперь называется {new}.")
CONFIRM_DELETE = Text("Delete {name}? It can't be brought back.", "Удалить {name}? Вернуть его будет нельзя.")
DELETED = Text("{name} is deleted.", "Файл {name} удалён.")
WAS_GONE = Text("{name} was gone already.", "Файл {name} уже был удалён.")
STILL_THERE = Text("{name} is still there.", "Файл {name} остался на месте.")
NO_SUCH_FILE = Text("{name} is not there (any more).", "Файла {name} здесь нет.")
WHICH_FILE = Text(
    "Which file? Put its name after the command, or reply to a message about that file alone.",
    "Какой файл? Напишите его имя после команды или ответьте на сообщение только об этом файле.",
)
NOT_YOURS = Text("Only the one who sent the file can do that.", "Это может только тот, кто прислал файл.")
BUSY = Text("{name}: still working on what you asked before.", "{name}: ещё не закончил с предыдущей просьбой.")
NOT_SAVED_YET = Text("{name} is still being saved.", "Файл {name} ещё сохраняется.")
RENAMING_FAILED = Text(
    "{name} could not be renamed to {new}: the storage does not allow it. It keeps its name.",
    "Не удалось переименовать {name} в {new}: хранилище не позволяет. Имя остаётся прежним.",
)
DELETION_FAILED = Text(
    "{name} could not be deleted: the storage does not allow it.",
    "Не удалось удалить {name}: хранилище не позволяет.",
)
CHORE_DELAYED = Text(
    "{name}: the storage is not working at the moment. What you asked for is done as soon as that is over; you need "
    "not do anything.",
    "{name}: хранилище сейчас не отвечает. Всё будет сделано, как только связь восстановится; делать ничего не нужно.",
)
STOPPED = Text("{name} is cancelled.", "Файл {name} отменён.")
WHICH_QUESTION = Text(
    "[document is required] If that was an answer: I have asked about several files, so reply to the question you "
    "mean, or use its buttons.",
    "[document is required] Если это ответ: я спросил о нескольких файлах, поэтому ответьте на нужный вопрос "
    "или нажмите кнопку под ним.",
)
IF_AN_ANSWER = Text(
    "[document is required] If that was an answer to my question, reply to it, or use its buttons.",
    "[document is required] Если это ответ на мой вопрос, ответьте на сообщение с ним или нажмите кнопку под ним.",
)
QUESTION_SETTLED = Text(
    "[document is required] That question is settled already. If there is another one open, reply to that.",
    "[document is required] Этот вопрос уже решён. Если открыт другой, ответьте на него.",
)
NOTHING_TO_CANCEL = Text("There is nothing to cancel.", "Отменять нечего.")
LIST_HEAD = Text("Your saved files: {total}", "Сохранённые файлы: {total}")
LIST_FOUND = Text("Files with “{query}” in their name: {total}", "Файлы, в имени которых есть «{query}»: {total}")
LIST_EMPTY = Text("You have no saved files yet.", "Сохранённых файлов пока нет.")
LIST_NOT_FOUND = Text("No file has “{query}” in its name.", "Файлов, в имени которых есть «{query}», нет.")
PAGE = Text("page {page} of {pages}", "страница {page} из {pages}")
GONE = Text("gone from the storage", "в хранилище больше нет")
STATUS_HEAD = Text("On their way: {total}", "В пути: {total}")
STATUS_WHICH = Text("Which one shall I cancel?", "Какой из них отменить?")
STATUS_EMPTY = Text("Nothing is waiting or being saved.", "Ничего не ждёт и не сохраняется.")
LINK = Text(
    "Link to {name}, good for {time}. Whoever has it can download the file:\n{url}",
    "Ссылка на {name} (срок действия {time}), скачать файл сможет любой, у кого она есть:\n{url}",
)
CARD = Text("{name}\n{size}, saved {age}", "{name}\n{size}, сохранён {age}")


class Label(enum.Enum):
    """What buttons say."""

    RENAME = Text("✏️ Rename", "✏️ Переименовать")
    KEEP_NAME = Text("Keep name", "Оставить имя")
    CANCEL = Text("✖️ Cancel", "✖️ Отменить")
    REPLACE = Text("Replace", "Заменить")
    KEEP_BOTH = Text("Keep both", "Оставить оба")
    LINK = Text("🔗 Link", "🔗 Ссылка")
    DELETE = Text("🗑 Delete", "🗑 Удалить")
    TAKE_OFF = Text("Take off the list", "Убрать из списка")
    YES_DELETE = Text("Yes, delete", "Да, удалить")
    NO = Text("No", "Нет")
    BACK = Text("‹ Back to the list", "‹ К списку")
    PREVIOUS = Text("‹", "‹")
    NEXT = Text("›", "›")
    FILES = Text("Files…", "Файлы…")
    NAME_IT = Text("Name it {name}", "Назвать {name}")


class ToastText(enum.Enum):
    """The short notices that pressed buttons are answered with, by the name of the conversation's `Toast`."""

    NONE = Text("", "")
    STALE = Text("This button no longer works.", "Эта кнопка больше не действует.")
    NOT_YOURS = NOT_YOURS
    CANCELLING = Text("Cancelling…", "Отменяю…")
    KEPT = Text("Left as it is.", "Оставляю как есть.")
    BUSY = Text("Still working on it.", "Ещё занимаюсь этим.")


# What people type in place of pressing a button, besides the button's own label.
WORDS: dict[str, tuple[str, ...]] = {
    "rename": ("rename", "yes", "y", "переименовать", "да", "д"),
    "keep": ("keep", "keep name", "no", "n", "оставить", "оставить имя", "нет", "н"),
    "replace": ("replace", "заменить"),
    "both": ("both", "keep both", "оба", "оставить оба"),
    "cancel": ("cancel", "отменить", "отмена"),
    "no": ("no", "n", "нет", "н"),
    "yes": ("yes", "y", "delete", "yes, delete", "да", "д", "удалить", "да, удалить"),
}
COMMANDS: dict[str, Text] = {
    "start": Text("What I do", "Что я делаю"),
    "help": Text("What I can do", "Что я умею"),
    "list": Text("Your saved files", "Сохранённые файлы"),
    "status": Text("What is waiting and being saved", "Что ждёт и сохраняется"),
    "cancel": Text("Leave a question, or stop an upload", "Не отвечать на вопрос или остановить загрузку"),
}
# What people write for a command where the messenger has none.
COMMAND_WORDS: dict[str, tuple[str, ...]] = {
    "start": ("start", "начать"),
    "help": ("help", "помощь"),
    "list": ("list", "files", "список", "файлы"),
    "status": ("status", "статус"),
    "cancel": ("cancel", "отмена", "отменить"),
}
