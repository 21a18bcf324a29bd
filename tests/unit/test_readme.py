"""
What README.md says is so: its settings are those of config.ini, its policy allows what the bot does, links lead, and
what it says about VK and about the states of a document is what the code does.
"""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path

from trio_s3_bot.messengers import vk_advice, vk_check
from trio_s3_bot.messengers.vk_api import API_VERSION
from trio_s3_bot.model import UploadState
from trio_s3_bot.texts import words
from trio_s3_bot.uploads import MOST_FAILURES

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `\[(\w+)\] (\w+)` \| (?:`(.*)`)? ?\| (.+) \|$", re.MULTILINE)

# Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
ACTIONS = {
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "complete_multipart_upload": {"s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "delete_object": {"s3:DeleteObject"},
    "generate_presigned_url": {"s3:GetObject"},
    "head_object": {"s3:GetObject"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"},
    "list_objects_v2": {"s3:ListBucket"},
    "list_parts": {"s3:ListMultipartUploadParts"},
    "put_object": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
    "upload_part_copy": {"s3:PutObject", "s3:GetObject"},
}


def test_the_table_has_the_settings_of_config_ini_with_their_defaults_in_their_order() -> None:
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(PROJECT / "config.ini", encoding="utf-8")
    shipped = [(section, key, value) for section in ini.sections() for key, value in ini.items(section)]
    assert [(section, key, default) for section, key, default, _ in ROW.findall(README)] == shipped


def test_the_table_says_what_config_ini_says_about_them() -> None:
    comments = []
    for comment, _ in re.findall(r"^# (.+)\n(\w+) =", (PROJECT / "config.ini").read_text("utf-8"), re.MULTILINE):
        comments.append(re.sub(r" (Default: .+|Required\.)$", "", comment))
    assert [said.replace("`", "") for *_, said in ROW.findall(README)] == comments


def test_the_policy_allows_what_the_bot_asks_of_the_store_and_nothing_more() -> None:
    code = "".join(path.read_text("utf-8") for path in (PROJECT / "trio_s3_bot" / "bucket").glob("*.py"))
    calls = set(re.findall(r"\bs3\.([a-z]\w*)\(", code)) | set(re.findall(r"get_paginator\(\"(\w+)\"\)", code))
    needed = set().union(*(ACTIONS[call] for call in calls - {"get_paginator"}))
    (policy,) = (block for block in blocks("json") if "Statement" in block)
    allowed = {action for statement in json.loads(policy)["Statement"] for action in statement["Action"]}
    assert allowed == needed


def test_actions_on_the_bucket_and_on_its_objects_stand_apart() -> None:
    (policy,) = (block for block in blocks("json") if "Statement" in block)
    on_bucket, on_objects = json.loads(policy)["Statement"]
    assert not on_bucket["Resource"].endswith("/*")
    assert all(action.startswith("s3:ListBucket") for action in on_bucket["Action"])
    assert on_objects["Resource"] == on_bucket["Resource"] + "/*"


def test_the_lifecycle_rule_is_json() -> None:
    (rule,) = re.findall(r"--lifecycle-configuration \\\n\s*'(.+?)'", README, re.DOTALL)
    (parsed,) = json.loads(rule)["Rules"]
    assert parsed["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] > 0


def test_variables_in_examples_exist() -> None:
    known = {f"TRIO_S3_BOT_{section}_{key}".upper() for section, key, *_ in ROW.findall(README)}
    assert set(re.findall(r"TRIO_S3_BOT_[A-Z0-9_]+", README)) <= known


def test_files_and_sections_that_are_linked_or_run_exist() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)|(?:src|srcset)=\"([^\"]+)\"|python (\w\S*\.py)", README)
    missing = [path for found in linked for path in found if path and not (PROJECT / path).exists()]
    headings = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings_of(README)}
    assert (missing, set(re.findall(r"\]\(#([^)]+)\)", README)) - headings) == ([], set())


def test_a_community_is_set_up_as_the_checks_want_it() -> None:
    setup = section("A community in VK")
    events, rights = (re.findall(r"^   - `(\w+)`", part, re.MULTILINE) for part in setup.split("Access tokens*"))
    assert set(rights) == set(vk_advice.NEEDED)
    assert set(events) == set(vk_check.VLongPollEvents.__struct_fields__)
    assert f"**{API_VERSION}**" in setup


def test_what_the_check_of_a_community_is_quoted_to_say_it_says() -> None:
    code = Path(vk_check.__file__).read_text("utf-8") + (PROJECT / "trio_s3_bot" / "checks.py").read_text("utf-8")
    quoted = re.findall(r"^\| `([^`]+)`", section("A community in VK"), re.MULTILINE)
    assert [said for said in quoted if said not in code.replace("{name!r}", "'manage'")] == []


def test_the_diagram_has_the_states_of_a_document_and_what_is_done_to_a_saved_one() -> None:
    (diagram,) = blocks("mermaid")
    steps = re.findall(r"^ +(\S+) --> ([^:\n]+)", diagram, re.MULTILINE)
    states = {state for step in steps for state in step} - {"[*]"}
    assert states == {state.value for state in UploadState} | {"renaming", "deleting"}
    final = states - {before for before, _ in steps}
    assert final == {state.value for state in UploadState if state.final} - {UploadState.SAVED.value}


def test_a_document_fails_after_as_many_attempts_as_are_told() -> None:
    assert {8: "after eight in a row the document has *failed*"}[MOST_FAILURES] in README


def test_the_words_that_stand_for_commands_are_those_that_are_known() -> None:
    told = set(re.findall(r"`(\w+)`", section("In VK")))
    assert told == {word for known in words.COMMAND_WORDS.values() for word in known}


def section(heading: str) -> str:
    """What stands under a heading."""
    rest = README.partition(f"\n### {heading}\n")[2]
    return re.split(r"^##+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.+?)^```", README, re.MULTILINE | re.DOTALL)


def headings_of(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", re.sub(r"^ *```.+?^ *```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
