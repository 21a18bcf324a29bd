"""Every sentence: in both languages, within a message, naming what it is about and nothing it must not say."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_s3_bot import texts
from trio_s3_bot.conversation import Toast
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
    NameProblem,
    NotAllowed,
    Saved,
)
from trio_s3_bot.texts import Sample, StatusLine, words

MARKERS = ("[greeting]", "[document is required]", "[document]", "[document has been saved]")
MESSAGE_LIMIT = 4096  # UTF-16 units, Bot API, "sendMessage"

LANGUAGES = st.sampled_from(["en", "ru"])
PIECES = st.sampled_from([*MARKERS, *map(str.upper, MARKERS), "[", "]", "{", "}", "{name}", "%s", "\n", "\0", "سند"])
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join),
    st.builds(lambda piece, count: piece * count, PIECES, st.integers(1, 120)),
)
SIZES = st.integers(0, 2**45)
ACCEPTED = st.builds(Accepted, upload=st.just("1"), name=NAMES, asked_name=NAMES | st.none())
SAVED = st.builds(
    Saved,
    upload=st.just("1"),
    key=NAMES,
    name=NAMES,
    size=SIZES,
    asked_name=NAMES | st.none(),
    name_was_taken=st.booleans(),
)
FAILED = st.builds(Failed, upload=st.just("1"), name=NAMES, reason=st.sampled_from(Reason), limit=SIZES)
DELAYED = st.builds(Delayed, upload=st.just("1"), name=NAMES)
SAMPLES = st.builds(Sample, SIZES, SIZES | st.none(), st.none() | st.floats(0.001, 1e12), st.none() | st.floats(0, 1e9))
LINES = st.builds(StatusLine, NAMES, st.sampled_from(UploadState), SAMPLES | st.none())

OWN = {
    Greeting: "[greeting]",
    DocumentRequired: "[document is required]",
    Accepted: "[document]",
    Saved: "[document has been saved]",
    NotAllowed: None,
    GivenUp: None,
    Failed: None,
    Delayed: None,
}


def markers_in(text: str) -> list[str]:
    return [found for marker in MARKERS for found in re.findall(re.escape(marker), text.casefold())]


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(st.one_of(ACCEPTED, SAVED, FAILED, DELAYED), LANGUAGES)
def test_a_message_says_its_own_marker_once_and_no_other_whatever_the_name(notice: AnyNotice, language: str) -> None:
    text = texts.compose([notice], language)
    own = OWN[type(notice)]
    assert markers_in(text) == ([own] if own else [])
    assert own is None or text.startswith(f"{own} ")


@given(st.one_of(*(st.lists(kind, min_size=2, max_size=130) for kind in (ACCEPTED, SAVED, FAILED, DELAYED))), LANGUAGES)
def test_a_folded_message_fits_and_says_its_own_marker_once(notices: list[AnyNotice], language: str) -> None:
    text = texts.compose(notices, language)
    own = OWN[type(notices[0])]
    assert units(text) <= MESSAGE_LIMIT
    assert markers_in(text) == ([own] if own else [])


@given(st.one_of(ACCEPTED, SAVED, FAILED, DELAYED), LANGUAGES)
def test_a_message_fits_whatever_the_name(notice: AnyNotice, language: str) -> None:
    assert units(texts.compose([notice], language)) <= MESSAGE_LIMIT


@given(st.lists(LINES, min_size=1, max_size=130), LANGUAGES)
def test_the_state_of_any_documents_fits_and_is_marked_as_document(lines: list[StatusLine], language: str) -> None:
    text = texts.status(lines, language)
    assert units(text) <= MESSAGE_LIMIT
    assert markers_in(text) == ["[document]"]
    assert text.startswith("[document] ")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_list_names_what_fits_and_counts_the_rest(language: str) -> None:
    notices = [Saved(upload=str(n), key=f"{n:03} {'x' * 60}.txt", name="", size=n) for n in range(200)]
    text = texts.compose(notices, language)
    named = text.count("• ")
    rest = re.search(r"… (?:and|и ещё) (\d+)", text)
    assert rest is not None
    assert named + int(rest[1]) == 200
    assert named > 40


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=2000))
def test_a_name_is_shown_on_one_line_of_bounded_length(name: str) -> None:
    shown = texts.shown(name)
    assert len(shown) <= 304
    assert not set(shown) & set("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\0")


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="[]"), max_size=300))
def test_an_ordinary_name_is_shown_as_it_is(name: str) -> None:
    assert texts.shown(name).strip("\u2068\u2069") == name


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    "notice", [Greeting(), Greeting(help=True), DocumentRequired(), NotAllowed(user_id=5), GivenUp()]
)
def test_what_is_never_folded_has_its_marker_too(notice: AnyNotice, language: str) -> None:
    text = texts.compose([notice], language)
    own = OWN[type(notice)]
    assert markers_in(text) == ([own] if own else [])


def test_every_reason_and_every_state_has_words() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.STATES) == set(UploadState)
    assert set(words.NAME_PROBLEMS) == set(NameProblem)
    assert {toast.name for toast in Toast} == set(words.ToastText.__members__)


def test_every_sentence_has_the_same_facts_in_both_languages() -> None:
    sentences = all_sentences()
    assert len(sentences) > 60
    for sentence in sentences:
        english, russian = (facts_of(template) for template in sentence)
        assert english == russian, sentence.en


def facts_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_russian_sentence_is_russian_and_every_english_one_is_not() -> None:
    for sentence in all_sentences():
        assert not re.search("[а-яё]", sentence.en, re.IGNORECASE)
        russian = re.sub(r"\{\w+\}|\[[a-z ]+\]|/[a-z]+", "", sentence.ru)
        assert not re.search("[a-z]{3,}", russian), russian


def all_sentences() -> list[words.Text]:
    """Every text of the catalogue, wherever in it it stands."""
    values = list(vars(words).values())
    tables = [value.values() for value in values if isinstance(value, dict)]
    enums = [[member.value for member in value] for value in (words.Label, words.ToastText)]
    return [value for group in [values, *tables, *enums] for value in group if isinstance(value, words.Text)]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("ru", "ru"),
        ("ru-RU", "ru"),
        ("RU", "ru"),
        ("ru_ru", "ru"),
        ("en", "en"),
        ("de", "en"),
        ("rue", "en"),
        ("", "en"),
        (None, "en"),
        ("\u0000", "en"),
    ],
)
def test_russian_clients_are_spoken_to_in_russian_and_all_others_in_english(tag: str | None, language: str) -> None:
    assert texts.language_of(tag) == language


@pytest.mark.parametrize(
    ("count", "english", "russian"),
    [
        (0, "0 bytes", "0 байт"),
        (1, "1 byte", "1 байт"),
        (2, "2 bytes", "2 байта"),
        (1023, "1,023 bytes", "1023 байта"),
        (1024, "1 KB", "1 КБ"),
        (9_017_754, "8.6 MB", "8,6 МБ"),
        (20 * 2**20, "20 MB", "20 МБ"),
        (2**30 - 1, "1 GB", "1 ГБ"),
        (5 * 2**40, "5 TB", "5 ТБ"),
        (5000 * 2**40, "5,000 TB", "5000 ТБ"),
    ],
)
def test_sizes_are_in_powers_of_1024_as_messengers_show_them(count: int, english: str, russian: str) -> None:
    assert texts.size(count, "en") == english
    assert plain(texts.size(count, "ru")) == russian


def plain(text: str) -> str:
    """Without the narrow spaces that group digits."""
    return re.sub(r"(?<=\d)\s(?=\d)", "", text)


@pytest.mark.parametrize(("count", "files"), [(2, "2 файла"), (5, "5 файлов"), (21, "21 файл"), (112, "112 файлов")])
def test_files_are_counted_in_russian_plurals(count: int, files: str) -> None:
    notices = [Delayed(upload=str(number), name="a.txt") for number in range(count)]
    assert files in texts.compose(notices, "ru")


@pytest.mark.parametrize(
    ("states", "head"),
    [
        ((UploadState.SAVED, UploadState.RUNNING), "[document] 2 files taken, saving them:"),
        ((UploadState.ASKING, UploadState.SAVED), "[document] 2 files taken, waiting for your answer about some:"),
        ((UploadState.SAVED, UploadState.CANCELLED), "[document] 2 files:"),
    ],
)
def test_nothing_is_said_to_be_saved_still_when_all_is_over(states: tuple[UploadState, ...], head: str) -> None:
    text = texts.status([StatusLine(f"{state.value}.txt", state) for state in states], "en")
    assert text.splitlines()[0] == head


def test_progress_is_a_bar_a_percentage_bytes_speed_and_time_left() -> None:
    line = StatusLine("film.mkv", UploadState.RUNNING, Sample(9 * 2**20, 18 * 2**20, 3 * 2**20, 3.0))
    english, russian = (texts.status([line], language) for language in ("en", "ru"))
    assert english == "[document] film.mkv\n▰▰▰▰▰▰▱▱▱▱▱▱ 50%, 9 MB of 18 MB, 3 MB/s, 3 sec left"
    assert russian == "[document] film.mkv\n▰▰▰▰▰▰▱▱▱▱▱▱ 50 %, 9 МБ из 18 МБ, 3 МБ/с, осталось 3 с"


def test_progress_of_several_documents_has_a_short_line_for_each() -> None:
    film = StatusLine("film.mkv", UploadState.RUNNING, Sample(9 * 2**20, 18 * 2**20, 3 * 2**20, 3.0))
    unknown = StatusLine("b", UploadState.RUNNING, Sample(2**20))
    english, russian = (texts.status([film, unknown], language).splitlines()[1:] for language in ("en", "ru"))
    assert english == ["• film.mkv: ▰▰▰▱▱▱ 50%, 3 sec left", "• b: 1 MB so far"]
    assert russian == ["• film.mkv: ▰▰▰▱▱▱ 50 %, осталось 3 с", "• b: уже 1 МБ"]


def test_progress_of_unknown_size_says_how_much_has_come() -> None:
    line = StatusLine("film.mkv", UploadState.RUNNING, Sample(9 * 2**20))
    assert texts.status([line], "en") == "[document] film.mkv\n9 MB so far"


@given(st.integers(0, 2**40), st.integers(1, 2**40), LANGUAGES)
def test_progress_never_claims_more_than_a_hundred_percent_nor_all_before_the_end(
    done: int, total: int, language: str
) -> None:
    text = texts.status([StatusLine("a", UploadState.RUNNING, Sample(done, total))], language)
    percent = re.search(r"(\d+)\s?%", text)
    assert percent is not None
    assert int(percent[1]) <= 100
    assert (int(percent[1]) == 100) == (done >= total)


@pytest.mark.parametrize("state", [UploadState.SAVED, UploadState.FAILED, UploadState.CANCELLED, UploadState.WAITING])
def test_a_document_that_is_not_on_its_way_shows_no_number(state: UploadState) -> None:
    text = texts.status([StatusLine("a", state, Sample(43, 100))], "en")
    assert not re.search(r"\d|%|▰", text)
