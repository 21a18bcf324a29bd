"""The emulated API's envelope, its ways of refusing a call, and what it tells about the community."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from trio_s3_bot.sandbox.vk import Vk
from trio_s3_bot.sandbox.vk_limits import RateLimits
from trio_s3_bot.sandbox.vk_replies import Refusal

from .vk_client import VkClient

MISSING_SCOPE = "Access denied: no access to call this method. It cannot be called with current scopes."


async def raw(client: VkClient, method: str, form: dict[str, str], **headers: str) -> Any:
    response = await client.http.post(f"{client.vk.api_url}/{method}", data=form, headers=headers)
    assert response.status_code == 200
    return response.json()


async def test_the_token_may_come_in_the_header_or_in_the_form(vk: Vk, client: VkClient) -> None:
    in_header = await raw(client, "groups.getById", {"v": "5.199"}, authorization=f"Bearer {vk.token}")
    in_form = await raw(client, "groups.getById", {"v": "5.199", "access_token": vk.token})
    assert in_header == in_form
    assert in_form["response"]["groups"][0]["id"] == vk.group_id


async def test_a_client_that_dies_in_the_middle_of_a_call_gives_no_cause_to_complain(vk: Vk, client: VkClient) -> None:
    port = int(vk.api_url.split(":")[2].partition("/")[0])
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    await stream.send_all(b"POST /method/messages.send HTTP/1.1\r\nHost: vk\r\nContent-Length: 100\r\n\r\nmess")
    await client.result("groups.getById")  # by then the other call has been begun
    await stream.aclose()
    await client.result("groups.getById")
    assert vk.complaints == []
    assert len(vk.calls("messages.send")) == 0


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"access_token": "vk1.other"}, "User authorization failed: invalid access_token (4)."),
        ({}, "User authorization failed: no access_token passed."),
    ],
)
async def test_a_wrong_token_and_none_are_error_5_with_status_200(
    client: VkClient, form: dict[str, str], text: str
) -> None:
    error = (await raw(client, "groups.getById", {"v": "5.199", **form}))["error"]
    assert (error["error_code"], error["error_msg"]) == (5, text)


async def test_a_revoked_token_is_error_5(vk: Vk, client: VkClient) -> None:
    old, new = vk.token, vk.revoke_token()
    error = (await raw(client, "groups.getById", {"v": "5.199"}, authorization=f"Bearer {old}"))["error"]
    assert error["error_code"] == 5
    assert "response" in await raw(client, "groups.getById", {"v": "5.199"}, authorization=f"Bearer {new}")


async def test_an_error_echoes_the_parameters_with_the_token_among_them(vk: Vk, client: VkClient) -> None:
    form = {"v": "5.199", "access_token": vk.token, "message": "hi"}
    error = (await raw(client, "messages.send", form))["error"]
    assert error["error_code"] == 100
    assert {entry["key"]: entry["value"] for entry in error["request_params"]} == {
        "oauth": "1",
        "method": "messages.send",
        **form,
    }


async def test_a_token_in_the_address_is_complained_of(vk: Vk, client: VkClient) -> None:
    response = await client.http.get(f"{vk.api_url}/groups.getById", params={"v": "5.199", "access_token": vk.token})
    assert "response" in response.json()
    assert vk.complaints == ["groups.getById: the token is in the address"]
    vk.complaints.clear()


async def test_a_call_without_a_version_is_refused(vk: Vk, client: VkClient) -> None:
    answer = await raw(client, "groups.getById", {"access_token": vk.token})
    assert answer["error"]["error_msg"] == "Invalid request: v is required"


async def test_another_version_is_refused_and_complained_of(vk: Vk, client: VkClient) -> None:
    assert (await client.error("groups.getById", v="5.131"))[0] == 8
    assert vk.complaints == ["version 5.131 isn't emulated, only 5.199"]
    vk.complaints.clear()


async def test_an_unknown_method_is_error_3_and_complained_of(vk: Vk, client: VkClient) -> None:
    assert await client.error("messages.sned") == (3, "Unknown method passed")
    assert vk.complaints == ["unknown method messages.sned, or one that isn't emulated"]
    vk.complaints.clear()


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        ({"colour": "red"}, "colour is not a parameter of messages.send"),
        ({"peer_id": "Alice"}, "peer_id not integer"),
        ({"peer_id": "1.5"}, "peer_id not integer"),
        ({"random_id": 2**31}, "random_id should fit into 32 bits"),
        ({"dont_parse_links": "true"}, "dont_parse_links should be 0 or 1"),
        ({"peer_ids": "1,x"}, "peer_ids not integer"),
        ({"peer_ids": "1," * 100 + "1"}, "peer_ids should have no more than 100 elements"),
        ({"keyboard": "{"}, "keyboard contains incorrect JSON"),
        (
            {"forward": '{"is_reply": 1}'},
            "forward contains incorrect JSON: Expected `bool`, got `int` - at `$.is_reply`",
        ),
    ],
)
async def test_unknown_parameters_and_wrong_types_are_error_100_and_complained_of(
    vk: Vk, client: VkClient, wrong: dict[str, Any], detail: str
) -> None:
    right = {"message": "hi", "random_id": 1}
    refusal = await client.error("messages.send", **{**right, **wrong})
    assert refusal == (100, f"One of the parameters specified was missing or invalid: {detail}")
    assert len(vk.complaints) == 1
    vk.complaints.clear()


async def test_a_json_body_is_not_read(vk: Vk, client: VkClient) -> None:
    response = await client.http.post(
        f"{vk.api_url}/groups.getById", json={"v": "5.199"}, headers={"authorization": f"Bearer {vk.token}"}
    )
    assert response.json()["error"]["error_code"] == 8
    assert vk.complaints == ["a body of the type application/json is not read"]
    vk.complaints.clear()


async def test_a_list_given_as_repeated_parameters_is_complained_of(vk: Vk, client: VkClient) -> None:
    form = {"v": "5.199", "peer_ids": ["1", "2"], "message": "hi", "random_id": "1"}
    response = await client.http.post(
        f"{vk.api_url}/messages.send", data=form, headers={"authorization": f"Bearer {vk.token}"}
    )
    assert [item["peer_id"] for item in response.json()["response"]] == [2]
    assert len(vk.complaints) == 1
    vk.complaints.clear()


async def test_calls_are_logged_without_the_token(vk: Vk, client: VkClient) -> None:
    await raw(client, "groups.getById", {"v": "5.199", "access_token": vk.token})
    (call,) = vk.calls("groups.getById")
    assert (call.params, call.status) == ({"v": "5.199"}, 200)
    assert call.answer["groups"][0]["name"] == "Sandbox"


async def test_a_persons_token_has_no_community_and_no_permissions(vk: Vk, client: VkClient) -> None:
    vk.user_token = True
    assert await client.result("groups.getById") == {"groups": [], "profiles": []}
    assert (await client.error("groups.getTokenPermissions"))[0] == 15


async def test_permissions_are_a_mask_and_a_list(client: VkClient) -> None:
    assert await client.result("groups.getTokenPermissions") == {
        "mask": 4096 + 262_144,
        "permissions": [{"name": "messages", "setting": 4096}, {"name": "manage", "setting": 262_144}],
    }


@pytest.mark.parametrize(
    ("scope", "method", "params"),
    [
        ("manage", "groups.getLongPollServer", {"group_id": 200_000_001}),
        ("manage", "groups.getLongPollSettings", {"group_id": 200_000_001}),
        ("manage", "groups.setLongPollSettings", {"group_id": 200_000_001, "enabled": 1}),
        ("messages", "messages.send", {"peer_id": 1, "message": "hi", "random_id": 1}),
    ],
)
async def test_a_missing_scope_is_error_15_with_its_subcode(
    vk: Vk, client: VkClient, scope: str, method: str, params: dict[str, Any]
) -> None:
    vk.permissions.remove(scope)
    error = (await client.call(method, **params))["error"]
    assert (error["error_code"], error["error_subcode"], error["error_msg"]) == (15, 1133, MISSING_SCOPE)


async def test_another_communitys_long_poll_is_not_given(client: VkClient) -> None:
    assert (await client.error("groups.getLongPollServer", group_id=7))[0] == 15


async def test_the_long_poll_settings_tell_the_version_and_what_is_ticked(client: VkClient) -> None:
    settings = await client.result("groups.getLongPollSettings", group_id=client.vk.group_id)
    assert (settings["is_enabled"], settings["api_version"]) == (True, "5.199")
    assert [name for name, ticked in settings["events"].items() if ticked] == ["message_new", "message_event"]


async def test_the_settings_can_lack_the_field_that_the_schema_forgets(vk: Vk, client: VkClient) -> None:
    vk.settings.shows_message_event = False
    settings = await client.result("groups.getLongPollSettings", group_id=vk.group_id)
    assert "message_event" not in settings["events"]


async def test_the_settings_can_be_changed_by_the_bot(vk: Vk, client: VkClient) -> None:
    vk.settings.is_enabled, vk.settings.api_version, vk.settings.events = False, "5.92", set()
    changed = {"enabled": 1, "api_version": "5.199", "message_new": 1, "message_edit": 0}
    assert await client.result("groups.setLongPollSettings", group_id=vk.group_id, **changed) == 1
    assert (vk.settings.is_enabled, vk.settings.api_version, vk.settings.events) == (True, "5.199", {"message_new"})


async def test_a_long_poll_that_is_off_is_error_100(vk: Vk, client: VkClient) -> None:
    vk.settings.is_enabled = False
    code, text = await client.error("groups.getLongPollServer", group_id=vk.group_id)
    assert code == 100
    assert text.endswith(": longpoll for this group is not enabled")


async def test_asking_for_the_long_poll_server_in_a_loop_is_error_29(vk: Vk, client: VkClient) -> None:
    vk.limits = RateLimits(server_calls=3)
    answers = [await client.call("groups.getLongPollServer", group_id=vk.group_id) for _ in range(4)]
    assert [answer.get("error", {}).get("error_code") for answer in answers] == [None, None, None, 29]
    assert vk.limits.hits == 1


async def test_more_than_20_requests_a_second_are_error_6(vk: Vk, client: VkClient) -> None:
    vk.flood_limits = True
    answers = [await client.call("groups.getById") for _ in range(21)]
    assert vk.calls("groups.getById")[-1].time - vk.calls("groups.getById")[0].time < 1
    assert [answer.get("error", {}).get("error_msg") for answer in answers] == [None] * 20 + [
        "Too many requests per second"
    ]


async def test_the_limit_of_a_second_is_over_after_a_second(autojump_clock: MockClock) -> None:  # noqa: ARG001
    limits = RateLimits(per_second=2)
    limits.spend()
    await trio.sleep(0.4)
    limits.spend()
    with pytest.raises(Refusal, match="6 Too many requests per second"):
        limits.spend()
    await trio.sleep(0.6)
    limits.spend()


async def test_an_unknown_address_is_404(vk: Vk, client: VkClient) -> None:
    response = await client.http.get(str(httpx.URL(vk.api_url).join("/")))
    assert response.status_code == 404
