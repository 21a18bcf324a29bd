"""Whatever a file is called, its key is one that S3 can hold in the root of a bucket."""

from __future__ import annotations

import random
import unicodedata
from string import ascii_letters

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from trio_s3_bot import names
from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.model import Secret
from trio_s3_bot.sandbox.s3 import open_s3

LIMIT = 1024  # bytes of UTF-8, Amazon S3, "Object key naming guidelines"
BIDI_CONTROLS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# What JSON can carry: all of Unicode but half surrogate pairs.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NASTY = st.text(
    st.sampled_from([*"./\\ -a1\0\n\t\x7f\x85", *BIDI_CONTROLS, "\u2028", "\ufffe", "😀", "é"]), max_size=40
)
LONG = st.builds(
    lambda letter, count, end: letter * count + end, st.sampled_from("aё€😀"), st.integers(200, 1100), NASTY
)
FILE_NAMES = st.one_of(ANY_TEXT, NASTY, LONG)
IDS = st.text(st.sampled_from(ascii_letters + "0123456789_-"), min_size=1, max_size=30)
MIME_TYPES = st.one_of(st.none(), st.sampled_from(["application/pdf", "text/plain", "no type", "a/b"]), ANY_TEXT)


def assert_legal(key: str) -> None:
    assert 0 < len(key.encode()) <= LIMIT
    assert "/" not in key
    assert "\\" not in key
    assert key not in (".", "..")
    assert key.strip(), "servers trim white space"
    assert not BIDI_CONTROLS & set(key)
    assert not [char for char in key if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [char for char in key if ord(char) & 0xFFFE == 0xFFFE], "XML 1.0 can't carry it"


@given(FILE_NAMES | st.none(), IDS | ANY_TEXT, MIME_TYPES)
@example(" " * 1100 + "a", "AgAD", None)
@example("a" * 1100 + "/..", "AgAD", None)
@example(None, "..", None)
@example(None, "AgAD" * 300, "application/pdf")
def test_every_document_has_a_legal_key(file_name: str | None, unique_id: str, mime_type: str | None) -> None:
    assert_legal(names.key_for(file_name, unique_id, mime_type))


@given(FILE_NAMES, IDS)
def test_a_key_is_stable(file_name: str, unique_id: str) -> None:
    """What was made a key once is a key as it is."""
    key = names.key_for(file_name, unique_id, None)
    assert names.key_for(key, unique_id, None) == key


@given(st.text(st.characters(categories=["L", "N", "M", "S", "Zs", "Pd", "Pc", "Co"]), min_size=1, max_size=60))
def test_a_name_that_can_be_a_key_is_the_key(name: str) -> None:
    if name.strip():
        assert names.key_for(name, "AgAD", None) == name


@given(FILE_NAMES, IDS, st.integers(1, 99_999))
@example("x" * 1024, "AgAD", 7)
@example("odd.(1)", "AgAD", 1)
@example("a.b (c", "AgAD", 12)
def test_a_numbered_key_is_legal_and_tells_its_number(file_name: str, unique_id: str, number: int) -> None:
    key = names.key_for(file_name, unique_id, None)
    numbered = names.numbered(key, number)
    assert_legal(numbered)
    assert numbered != key
    assert numbered.endswith(f" ({number}){names.split(key)[1]}")
    assert numbered.startswith(names.before_number(key, 99_999))
    assert names.numbered(key, number + 1) != numbered


@given(FILE_NAMES, IDS)
def test_a_name_is_number_nought_of_itself_and_no_number_of_another(file_name: str, unique_id: str) -> None:
    key = names.key_for(file_name, unique_id, None)
    assert names.number_in(key, key) == 0
    assert names.number_in("another.txt", key) is None or key == "another.txt"


@pytest.mark.parametrize(
    ("name", "numbered"),
    [
        ("report.pdf", "report (2).pdf"),
        ("a.tar.gz", "a.tar (2).gz"),
        (".env", ".env (2)"),
        ("archive.", "archive. (2)"),
        ("no extension", "no extension (2)"),
        (
            "v1.2 final version of the whole report in one piece",
            "v1.2 final version of the whole report in one piece (2)",
        ),
        ("x" * 1020 + ".pdf", "x" * 1016 + " (2).pdf"),
        ("€" * 341, "€" * 340 + " (2)"),
    ],
)
def test_a_number_goes_before_the_extension(name: str, numbered: str) -> None:
    assert names.numbered(name, 2) == numbered
    assert names.number_in(numbered, name) == 2


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("ё" * 600 + ".pdf", "ё" * 510 + ".pdf"),
        ("😀" * 300, "😀" * 256),
        ("a" * 2000, "a" * 1024),
        ("a" * 1020 + "." + "b" * 40, "a" * 1020 + "." + "b" * 3),
        ("a" * 1023 + "ё", "a" * 1023),
    ],
)
def test_a_long_name_is_cut_between_letters_and_before_its_extension(name: str, kept: str) -> None:
    assert names.key_for(name, "AgAD", None) == kept


@pytest.mark.parametrize(
    ("mime_type", "key"),
    [
        ("application/pdf", "AgAD.pdf"),
        ("TEXT/PLAIN", "AgAD.txt"),
        ("image/jpeg", "AgAD.jpg"),
        ("audio/ogg", "AgAD.ogg"),
        ("application/octet-stream", "AgAD"),
        ("who/knows", "AgAD"),
        ("", "AgAD"),
        (None, "AgAD"),
    ],
)
def test_a_document_without_a_name_is_called_after_its_id_and_type(mime_type: str | None, key: str) -> None:
    assert names.key_for(None, "AgAD", mime_type) == key


@given(FILE_NAMES)
def test_every_content_disposition_is_one_header_that_says_the_name(name: str) -> None:
    header = names.content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    kind, parameters = parse_options_header(header)
    assert kind == "attachment"
    assert parameters["filename"] == "".join(char for char in name if not names._is_dropped(char)) or "file"


@given(MIME_TYPES, FILE_NAMES)
def test_every_content_type_is_a_type_without_parameters(mime_type: str | None, name: str) -> None:
    kind, slash, subtype = names.content_type(mime_type, name).partition("/")
    assert slash
    assert all(part and part.isascii() and not set(part) & set(' ;,"\r\n') for part in (kind, subtype))


async def test_keys_from_all_over_unicode_come_back_from_a_store_letter_for_letter() -> None:
    keys = sample_of_keys()
    async with open_s3(["files"]) as s3:
        bucket = Bucket(
            "files",
            endpoint_url=s3.endpoint_url,
            region=s3.region,
            access_key_id=Secret(s3.access_key),
            secret_access_key=Secret(s3.secret_key),
        )
        for key in keys:
            facts = ObjectFacts(content_disposition=names.content_disposition(key))
            await bucket.put(key, Body(memoryview(key.encode())), facts)
        listed = await bucket.keys("")
        disposed = [await bucket.head(key) for key in keys]
        contents = [s3.read("files", key) for key in keys]
        bucket.close()
    assert sorted(listed) == sorted(keys)
    assert contents == [key.encode() for key in keys]
    assert [found and found.content_disposition for found in disposed] == list(map(names.content_disposition, keys))


def sample_of_keys() -> list[str]:
    """Keys of letters from everywhere, with a fixed seed."""
    dice = random.Random(20240229)
    points = [*range(0xD800), *range(0xE000, 0x110000)]
    wild = ["".join(map(chr, dice.choices(points, k=dice.randint(1, 40)))) for _ in range(40)]
    tame = [" a", "a ", "+", "%41", "a&b=c?d#e;f", "*", "<a>", "ё" * 512, "e\u0301", "\u200d.txt", ".env", "...", "'\""]
    return list(dict.fromkeys(names.key_for(name, "AgAD", None) for name in [*wild, *tame]))


@pytest.mark.parametrize("letter", ["x", "ж"])
def test_a_template_of_keys_leaves_room_for_the_name(letter: str) -> None:
    longest = letter * (names.PREFIX_LIMIT // len(letter.encode())) + names.NAME_FIELD
    assert names.checked(longest) == longest
    with pytest.raises(ValueError, match="more than 512 bytes before the name"):
        names.checked(letter + longest)
