"""Chat rooms: in none of them does a text call anybody, and each says in its own way what is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from notifications.channels import discord, guard, slack, teams
from notifications.channels.chat import ChatChannel
from notifications.exceptions import MisconfiguredError, PermanentError, ThrottledError, TransientError
from notifications.types import Reason
from notifications.values import Action, Receipt, Rendered
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.providers.rooms import DiscordPeer, SlackPeer, TeamsPeer
from tests.providers.server import Answer, said

PEERS: dict[str, Any] = {"slack": SlackPeer, "teams": TeamsPeer, "discord": DiscordPeer}
#: Everybody would be called, in one of the three.
HOSTILE = (
    "<!channel> <@U123> <!subteam^S1> @everyone @here <@&1> <@!2> <#3> <at>Bob</at> *b* _i_ [a](https://evil.example)"
)


@pytest.fixture(params=PEERS)
def peer(request, settings):
    settings.NOTIFICATIONS = {
        **settings.NOTIFICATIONS,
        "PRIVATE_HOSTS": ("127.0.0.1",),
        "BASE_URL": "https://shop.example",
    }
    with PEERS[request.param]() as peer:
        yield peer


def of(name):
    """Run a test with one service only."""
    return pytest.mark.parametrize("peer", [name], indirect=True)


def send(peer, answer=None, **changes):
    """Send one message by an adapter of this provider; return what it ended with."""
    if answer is not None:
        peer.server.answers.append(answer)
    (result,) = peer.adapter().send_batch([peer.message(**changes)])
    return result


def shown(peer, **changes):
    """Return the document a message becomes."""
    assert isinstance(send(peer, **changes), Receipt)
    (asked,) = peer.server.requests
    assert asked.headers["content-type"] == "application/json"
    return asked.json()


@of("slack")
def test_slack_is_shown_a_header_a_text_and_a_button(peer):
    action = Action(url="/orders/1", text="View order")

    document = shown(peer, rendered=Rendered(title="R&D <1>", body="A & B < C\nTwo"), action=action)

    assert document == {
        "text": "R&amp;D &lt;1&gt;",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "R&D <1>", "emoji": False}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "A &amp; B &lt; C\nTwo", "verbatim": True}},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "View order", "emoji": False},
                        "url": "https://shop.example/orders/1",
                    }
                ],
            },
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


@of("slack")
def test_nobody_is_called_in_slack(peer):
    document = shown(peer, rendered=Rendered(title="<!here>", body=HOSTILE))

    text = document["blocks"][1]["text"]
    assert text["text"].startswith("&lt;!channel&gt; &lt;@U123&gt; &lt;!subteam^S1&gt; @everyone")
    # @everyone in plain letters is only read as a mention where Slack is asked to look for them.
    assert text["verbatim"]
    assert document["text"] == "&lt;!here&gt;"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("See https://a.example/?b=1&c=2.", "See <https://a.example/?b=1&amp;c=2>."),
        ("(https://a.example/x)", "(<https://a.example/x>)"),
        ("https://a.example|b", "<https://a.example>|b"),
        ("<https://a.example|b>", "&lt;<https://a.example>|b&gt;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_links_in_slack_lead_where_they_say(text, written):
    assert slack.escaped(text, 100) == written


@pytest.mark.parametrize(
    ("text", "limit", "written"),
    [
        ("&&&", 15, "&amp;&amp;&amp;"),
        ("&&&", 14, "&amp;&amp;…"),
        ("a &&", 8, "a &amp;…"),
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc…"),
        ("a https://a.example/long", 20, "a…"),
    ],
)
def test_a_text_is_cut_between_escapes(text, limit, written):
    assert slack.escaped(text, limit) == written


@of("discord")
def test_discord_is_shown_an_embed_with_a_link(peer):
    action = Action(url="https://a.example/(1)?b=<2>", text="View [order]")

    document = shown(peer, rendered=Rendered(title="Your *order*", body="One\nTwo"), action=action)

    assert document == {
        "embeds": [
            {
                "title": r"Your \*order\*",
                "description": "One\nTwo\n\n" + r"[View \[order\]](<https://a.example/(1)?b=%3C2%3E>)",
            }
        ],
        "allowed_mentions": {"parse": []},
    }


@of("discord")
def test_nobody_is_called_in_discord(peer):
    document = shown(peer, rendered=Rendered(title="@everyone", body=HOSTILE), action=Action())

    assert document["allowed_mentions"] == {"parse": []}
    description = document["embeds"][0]["description"]
    assert description.startswith(r"\<\!channel\> \<\@U123\>")
    assert r"\[a\]\(https://evil.example\)" in description


@pytest.mark.parametrize(
    ("text", "limit", "written"),
    [
        ("# a - b > c", 50, r"\# a \- b \> c"),
        ("\\*a", 50, r"\\\*a"),
        ("See https://a.example/_b_/*c*.", 50, r"See https://a.example/_b_/*c*\."),
        ("***", 6, r"\*\*\*"),
        ("***", 5, r"\*\*…"),
        ("***", 4, r"\*…"),
    ],
)
def test_discord_s_markdown_says_what_was_said(text, limit, written):
    assert discord.escaped(text, limit) == written


@of("discord")
@pytest.mark.parametrize(
    ("told", "header", "seconds"),
    [
        (1.337, "2", 1.337),
        (0, "2", 1),
        (-5, "2", 1),
        (1e9, "2", 3600),
        ("soon", "2", 2),
        (None, "2", 2),
        (None, "x", None),
    ],
)
def test_discord_says_in_its_document_how_long_to_wait(peer, told, header, seconds):
    result = send(peer, said(429, {"retry_after": told, "global": True}, Retry_After=header))

    assert isinstance(result, ThrottledError)
    assert result.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@of("discord")
def test_discord_may_be_too_busy_to_write_a_document(peer):
    result = send(peer, Answer(429, b"error code: 1015", {"Retry-After": "60"}))

    assert result.retry_after == timedelta(seconds=60)


@of("teams")
def test_teams_is_shown_an_adaptive_card_in_which_nothing_is_markdown(peer):
    action = Action(url="/orders/1", text="View order")

    document = shown(peer, rendered=Rendered(title="Your *order*", body="<at>Bob</at>\n\n[a](b)"), action=action)

    (attachment,) = document["attachments"]
    assert (document["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [line["type"] for line in card["body"]] == ["RichTextBlock"] * 3
    assert [line["inlines"][0]["text"] for line in card["body"]] == ["Your *order*", "<at>Bob</at>", "[a](b)"]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "View order", "url": "https://shop.example/orders/1"}
    ]
    # Mentions would be told here.
    assert "msteams" not in card


@pytest.mark.parametrize(
    "text", ["ü" * 100_000, "😀" * 100_000, "&" * 100_000, "*" * 100_000, "a\n" * 50_000, "\\" * 100_000]
)
def test_whatever_is_said_stays_within_the_limits(peer, text):
    document = shown(peer, rendered=Rendered(title=text, body=text), action=Action(url="/a", text=text))

    if isinstance(peer, SlackPeer):
        header, section, actions = document["blocks"]
        assert len(header["text"]["text"]) <= 150
        assert len(section["text"]["text"]) <= 3000
        assert len(actions["elements"][0]["text"]["text"]) <= 75
    elif isinstance(peer, DiscordPeer):
        (embed,) = document["embeds"]
        assert len(embed["title"]) <= 256
        assert len(embed["description"]) <= 4096
    else:
        assert len(peer.server.requests[0].body) <= 28 * 1024


def test_without_title_and_button_only_the_text_is_shown(peer):
    document = shown(peer, rendered=Rendered(title="", body="Hi"), action=Action())

    assert "Hi" in json.dumps(document)
    assert not {"header", "actions", "title", "Bolder"} & set(json.dumps(document).split('"'))


@of("slack")
@pytest.mark.parametrize(
    ("status", "word", "gone"),
    [
        (404, "no_service", True),
        (403, "invalid_token", True),
        (410, "channel_is_archived", True),
        (404, "channel_not_found", True),
        (403, "action_prohibited", False),
        (400, "invalid_blocks", False),
    ],
)
def test_slack_says_in_a_word_what_is_wrong(peer, status, word, gone):
    result = send(peer, Answer(status, word.encode()))

    assert isinstance(result, PermanentError)
    assert (result.code, result.suppress) == (word, gone)
    assert result.reason == (Reason.ENDPOINT_GONE if gone else Reason.REJECTED)


def test_a_room_s_wrong_credentials_are_not_ours(peer):
    for status in (401, 403):
        result = send(peer, Answer(status, b""))

        assert isinstance(result, PermanentError)
        assert not isinstance(result, MisconfiguredError)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"error": 1}', b'{"error": {"code": {}}}', b"\xff" * 1000])
def test_what_cannot_be_read_is_judged_by_its_status(peer, body):
    result = send(peer, Answer(500, body))

    assert type(result) is TransientError
    assert result.code == "500"


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://hooks.slack.com/services/T/B/x", slack),
        ("https://hooks.slack-gov.com/services/T/B/x", slack),
        ("https://discord.com/api/webhooks/1/x", discord),
        ("https://ptb.discord.com/api/webhooks/1/x", discord),
        ("https://prod-01.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=y", teams),
        ("https://default1.ab.environment.api.powerplatform.com:443/powerautomate/x", teams),
        ("https://Mattermost.example.com/hooks/x", slack),
    ],
)
def test_the_host_says_which_service_it_is(url, service):
    adapter = ChatChannel(hosts={"mattermost.example.com": "slack"})

    assert adapter._service(guard.checked_url(url)) is service


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com.evil.example/services/T",
        "https://evilhooks.slack.com/",
        "https://logic.azure.com/",
        "https://evil.example/logic.azure.com",
        "https://notdiscord.com/",
    ],
)
def test_another_host_is_no_chat_service(peer, url):
    result = send(peer, endpoint={"url": url})

    assert (result.code, result.reason, result.suppress) == ("unknown_service", Reason.INVALID_ADDRESS, False)
    assert not peer.adapter().takes(peer.message(endpoint={"url": url}))


@of("slack")
def test_without_a_text_the_header_is_all(peer):
    document = shown(peer, rendered=Rendered(title="Hi", body=""), action=Action())

    assert [block["type"] for block in document["blocks"]] == ["header"]


def test_a_message_is_for_us_if_its_room_is_of_a_service_we_know(peer):
    adapter = peer.adapter()

    assert adapter.takes(peer.message())
    assert not adapter.takes(peer.message(endpoint=None))
    assert not adapter.takes(peer.message(endpoint={"url": "http://169.254.169.254/"}))
    assert peer.calls == 0


def test_an_unknown_service_is_named():
    wrong = ChatChannel(hosts={"mattermost.example.com": "slcak", "chat.example.com": "slack"}).check()

    assert wrong == ["hosts['mattermost.example.com'] is 'slcak'; there are slack, teams, discord"]
