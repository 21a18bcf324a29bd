"""What is wrong with a community's settings is said in one line each, with what to switch on (VK)."""

from __future__ import annotations

import pytest

from tests.sides import Settings, Side
from trio_s3_bot.checks import check_messenger
from trio_s3_bot.errors import CheckFailed, TokenRefused
from trio_s3_bot.sandbox.vk import ApiError, Response


async def failure(vk: Side, settings: Settings = {}) -> CheckFailed:
    """What the check fails with; it is one line without the token."""
    async with vk.open(settings) as messenger:
        with pytest.raises(CheckFailed) as caught:
            await check_messenger(messenger)
    assert str(caught.value).isprintable()
    assert vk.world.token not in str(caught.value)
    return caught.value


async def remarks(vk: Side) -> dict[str, str]:
    """What is wrong or deserves a look, by what it is about; each is one line without the token."""
    async with vk.open() as messenger:
        found = (await messenger.check()).remarks
    assert all(remark.text.isprintable() and vk.world.token not in remark.text for remark in found)
    return {f"{remark.about}{' (fatal)' if remark.fatal else ''}": remark.text for remark in found}


async def test_a_community_in_order_is_called_by_its_address_and_gives_no_warning(vk: Side) -> None:
    async with vk.open({("vk", "group_id"): str(vk.world.group_id)}) as messenger:
        account = await messenger.check()
    assert (account.id, account.name, account.remarks) == (vk.world.group_id, f"vk.com/club{vk.world.group_id}", ())


async def test_the_token_is_sent_in_the_header_and_never_in_an_address_or_a_form(vk: Side) -> None:
    async with vk.open() as messenger:
        await messenger.check()
        await messenger.poll("1")
    assert vk.world.complaints == []
    assert not any("access_token" in call.params for call in vk.world.calls)


async def test_another_community_than_the_one_in_the_settings_is_told(vk: Side) -> None:
    error = await failure(vk, {("vk", "group_id"): "5"})
    assert str(vk.world.group_id) in error.what
    assert "group_id is 5" in error.what


async def test_a_persons_token_is_told(vk: Side) -> None:
    vk.world.user_token = True
    assert "Access tokens" in (await failure(vk)).advice


@pytest.mark.parametrize(
    ("right", "advice"),
    [("messages", "with access to community messages"), ("manage", "with access to community management")],
)
async def test_a_right_that_the_token_lacks_is_told(vk: Side, right: str, advice: str) -> None:
    vk.world.permissions.discard(right)
    [(about, text)] = (await remarks(vk)).items()
    assert about == "rights (fatal)"
    assert repr(right) in text
    assert advice in text


async def test_a_long_poll_that_is_off_is_told(vk: Side) -> None:
    vk.world.settings.is_enabled = False
    [(about, text)] = (await remarks(vk)).items()
    assert about == "Long Poll API (fatal)"
    assert "is off" in text
    assert "Enable it under Manage" in text
    assert "tick the event types message_new and message_event" in text


async def test_what_only_follows_from_a_long_poll_that_is_off_is_not_told_again(vk: Side) -> None:
    vk.world.settings.is_enabled = False
    vk.world.settings.events.clear()
    assert list(await remarks(vk)) == ["Long Poll API (fatal)"]


async def test_a_long_poll_without_new_messages_is_told(vk: Side) -> None:
    vk.world.settings.events.discard("message_new")
    [(about, text)] = (await remarks(vk)).items()
    assert about == "event message_new (fatal)"
    assert "Tick the event type message_new" in text


async def test_a_refused_long_poll_server_is_told(vk: Side) -> None:
    refused = ApiError(100, "longpoll for this group is not enabled")
    vk.world.faults.add(answer=refused, method="groups.getLongPollServer")
    assert "longpoll for this group is not enabled" in (await remarks(vk))["Long Poll server (fatal)"]


async def test_without_message_event_the_bot_works_with_a_warning(vk: Side) -> None:
    vk.world.settings.events.discard("message_event")
    [(about, text)] = (await remarks(vk)).items()
    assert about == "event message_event"
    assert "Tick it under" in text
    async with vk.open() as messenger:
        await check_messenger(messenger)


async def test_all_that_is_wrong_is_told_at_once_and_at_start_the_first_of_it(vk: Side) -> None:
    vk.world.permissions.discard("messages")
    vk.world.settings.events.clear()
    vk.world.settings.api_version = "5.81"
    async with vk.open() as messenger:
        found = (await messenger.check()).remarks
    assert [(remark.about, remark.fatal) for remark in found] == [
        ("rights", True),
        ("Long Poll API", False),
        ("event message_new", True),
        ("event message_event", False),
    ]
    error = await failure(vk)
    assert "'messages'" in error.what
    assert error.advice == "There is more to mend (1); --check tells all."


async def test_settings_that_do_not_list_message_event_are_no_cause_for_a_warning(vk: Side) -> None:
    """The published schema lacks it."""
    vk.world.settings.shows_message_event = False
    async with vk.open() as messenger:
        assert (await messenger.check()).remarks == ()


@pytest.mark.parametrize(("version", "warned"), [("5.81", True), ("5.102", True), ("5.103", False), ("5.199", False)])
async def test_an_old_version_of_the_events_is_warned_of(vk: Side, version: str, warned: bool) -> None:
    vk.world.settings.api_version = version
    found = await remarks(vk)
    assert [(about, version in text) for about, text in found.items()] == ([("Long Poll API", True)] if warned else [])


async def test_the_answer_of_an_older_version_is_understood(vk: Side) -> None:
    vk.world.faults.add(answer=Response([{"id": vk.world.group_id, "name": "Sandbox"}]), method="groups.getById")
    async with vk.open() as messenger:
        assert (await messenger.check()).name == f"vk.com/club{vk.world.group_id}"


@pytest.mark.parametrize("code", [5, 27, 28])
async def test_a_token_that_is_refused_is_an_error_of_the_token(vk: Side, code: int) -> None:
    vk.world.faults.add(answer=ApiError(code), method="groups.getById")
    async with vk.open() as messenger:
        with pytest.raises(TokenRefused):
            await messenger.check()
