"""The documentation says what the code does."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone

from notifications import checks, conf, exceptions, registry
from notifications.api.publish import ABOUT
from notifications.api.publish_serializers import PublishSerializer
from notifications.api.serializers import NotificationSerializer
from notifications.channels.base import ChannelAdapter
from notifications.exceptions import ActionRefused, DeliveryError, UnknownTemplate
from notifications.models import ApiKey, Broadcast, ConsentChange, Erasure, Event
from notifications.publishing import (
    audience,
    cancel_broadcast,
    cancel_event,
    inbox_action,
    publish_batch_notification,
    publish_notification,
    resolve,
    still_valid,
)
from notifications.services import api_keys, inbox, inbox_actions, personal_data
from notifications.testing.work import Work
from notifications.types import BroadcastState, Channel, DeliveryState, EventState, Level, Reason
from notifications.values import Said
from tests.factories import make_item, make_template

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def code(page, number, language="python"):
    """Return the block of a page in this language with this number, counted from 0."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    return blocks[number]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert missing == []


def test_the_settings_page_lists_every_key_with_its_default():
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    table = page[page.index("## `NOTIFICATIONS`") :]
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| `?([^|`]+)`? \|", table, re.MULTILINE))
    defaults = conf.Config()

    assert set(rows) == set(conf.KEYS)
    for key, shown in rows.items():
        value = getattr(defaults, key.lower())
        assert shown.strip() == (str(list(value)) if isinstance(value, tuple) else str(value)), key


def test_the_lifecycle_page_shows_every_state():
    page = (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8")
    events, rest = page.split("## Broadcast")
    broadcasts, deliveries = rest.split("## Delivery")

    assert [state for state in EventState.values if state not in events] == []
    assert [state for state in BroadcastState.values if state not in broadcasts] == []
    assert [state for state in DeliveryState.values if state not in deliveries] == []


def test_the_concepts_page_names_only_reasons_there_are():
    page = (ROOT / "docs/concepts.md").read_text(encoding="utf-8")
    section = page[page.index("## Why a channel is not used") :]
    known = {*Reason.values, *DeliveryState.values, *Channel.values, "NOTIFICATION_CHANNELS"}

    assert set(re.findall(r"`(\w+)`", section)) <= known


def test_the_examples_of_publishing_run(alice, template):
    exec(  # noqa: S102 - our own page
        code("docs/publishing.md", 0)
        .replace("cancel_event(event_id)", "cancelled = cancel_event(first.id)")
        # The page shows bare calls; the first result is needed to cancel it.
        .replace("publish_notification(", "first = publish_notification(", 1),
        scope := {
            "publish_notification": publish_notification,
            "publish_batch_notification": publish_batch_notification,
            "cancel_event": cancel_event,
            "alice": alice,
            "User": User,
        },
    )

    assert scope["cancelled"]
    assert Event.objects.count() == 2


def test_the_example_of_an_audience_runs(template, monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})
    scope: dict[str, Any] = {
        "User": User,
        "audience": audience,
        "publish_batch_notification": publish_batch_notification,
        "cancel_broadcast": cancel_broadcast,
    }

    exec(code("docs/publishing.md", 1), scope)  # noqa: S102 - our own page

    assert Broadcast.objects.get().state == BroadcastState.CANCELLED


def test_the_example_of_a_dry_run_runs(alice, template, monkeypatch, capsys):
    monkeypatch.setattr(registry, "_audiences", {})
    audience("customers")(User.objects.all)

    exec(code("docs/publishing.md", 2), {"publish_batch_notification": publish_batch_notification})  # noqa: S102 - our own page

    assert capsys.readouterr().out.splitlines() == ["in_app 1 {} 0", "email 1 {} 0", "sms 1 {} 1"]
    assert not Broadcast.objects.exists()


def test_the_example_of_what_is_settled_runs(alice, template, monkeypatch):
    monkeypatch.setattr(registry, "_guards", {})
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, about=alice)
    scope: dict[str, Any] = {"resolve": resolve, "still_valid": still_valid, "order": alice, "cancelled_orders": ["2"]}

    exec(code("docs/publishing.md", 3), scope)  # noqa: S102 - our own page

    assert Event.objects.get().state == EventState.CANCELLED
    said = Said(template="ORDER_CREATED", about="", variables={"order_number": "2"}, created_at=timezone.now())
    assert not registry.guard_named("order-is-open")(said)


def test_the_examples_of_preferences_run(alice, template):
    scope: dict[str, Any] = {"alice": alice, "now": timezone.now(), "timedelta": timedelta}

    exec(code("docs/preferences.md", 0), scope)  # noqa: S102 - our own page

    assert {cell.cadence for cell in scope["cells"] if cell.channel == "email"} == {"daily"}
    assert ConsentChange.objects.filter(recipient=alice).count() == 4


def test_the_examples_of_preferences_over_http_are_taken_and_answered(client, alice, template, settings):
    fake = {"BACKEND": "notifications.channels.fake.FakeChannel"}
    settings.NOTIFICATION_CHANNELS = {**settings.NOTIFICATION_CHANNELS, "web_push": fake}
    client.force_login(alice)
    page = (ROOT / "docs/preferences.md").read_text(encoding="utf-8").split("## Over HTTP")[1]
    cell, *bodies = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    asked = zip(("preferences", "settings", "mutes", "endpoints"), bodies, strict=True)

    answers = {
        place: (client.patch if place in {"preferences", "settings"} else client.post)(
            f"/api/notifications/{place}/", body, content_type="application/json"
        )
        for place, body in asked
    }

    assert {place: answer.status_code for place, answer in answers.items()} == {
        "preferences": 200, "settings": 200, "mutes": 201, "endpoints": 201,
    }  # fmt: skip
    assert cell in answers["preferences"].json()["cells"]


def test_the_preferences_page_has_every_level_and_only_reasons_there_are():
    page = (ROOT / "docs/preferences.md").read_text(encoding="utf-8")
    levels, reasons = page[page.index("## Who decides") :].split("## What stands in the way")

    assert [level for level in Level.values if f"`{level}`" not in levels] == []
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", reasons[: reasons.index("## Quiet hours")], re.MULTILINE)
    named = {reason for row in rows for reason in re.findall(r"`(\w+)`", row)}
    assert named <= set(Reason.values)


def test_the_error_in_the_readme_is_what_is_said(alice, shipped_templates):
    with pytest.raises(UnknownTemplate) as error:
        publish_notification("ORDER_SHIPED", recipient=alice)

    assert f"UnknownTemplate: {error.value}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_ten_lines_of_the_readme_run(alice, shipped_templates):
    class Order:
        number, customer = "ORD-1", alice

        def ship(self, tracking_code):
            pass

    from django.db import transaction

    scope: dict[str, Any] = {"transaction": transaction}
    exec(code("README.md", 0), scope)  # noqa: S102 - our own page
    scope["ship_order"](Order(), tracking_code="T-1")

    assert Event.objects.get().variables == {"order_number": "ORD-1", "tracking_code": "T-1"}


def test_the_adapter_of_the_page_on_adding_a_channel_is_the_one_that_is_tested():
    folder = ROOT / "tests/examples"
    adapter, peer = code("docs/adding-a-channel.md", 0), code("docs/adding-a-channel.md", 2)

    assert adapter == (folder / "pager.py").read_text(encoding="utf-8")
    assert peer[peer.index("class") :] in (folder / "test_pager.py").read_text(encoding="utf-8")


def test_the_page_on_adding_a_channel_lists_every_attribute_and_error():
    page = (ROOT / "docs/adding-a-channel.md").read_text(encoding="utf-8")
    attributes = {name for name in vars(ChannelAdapter) if not name.startswith("_")} - {"name"}
    errors = {
        name for name, error in vars(exceptions).items() if isinstance(error, type) and issubclass(error, DeliveryError)
    }

    missing = [name for name in attributes | errors - {"DeliveryError"} if f"`{name}" not in page]

    assert missing == []


def test_the_button_of_the_inbox_page_answers(alice, template, monkeypatch):
    monkeypatch.setattr(registry, "_answers", {})
    arrived: list[str] = []
    scope: dict[str, Any] = {
        "inbox_action": inbox_action,
        "ActionRefused": ActionRefused,
        "lost_parcels": {"parcel:2"},
        "arrived": arrived,
    }
    exec(code("docs/inbox.md", 0), scope)  # noqa: S102 - our own page
    found, lost = (
        make_item(alice, template, about=about, actions=[{"name": "confirm-arrival", "run_at": None, "result": ""}])
        for about in ("parcel:1", "parcel:2")
    )

    inbox_actions.run(inbox.by_ids(alice, [found.pk]), "confirm-arrival", now=timezone.now())
    with pytest.raises(ActionRefused, match="lost"):
        inbox_actions.run(inbox.by_ids(alice, [lost.pk]), "confirm-arrival", now=timezone.now())

    assert arrived == ["parcel:1"]


def test_the_inbox_page_lists_every_field_of_an_item():
    page = (ROOT / "docs/inbox.md").read_text(encoding="utf-8")
    listed = page.split("## An item")[1].split("`")[1]

    assert re.split(r",\s+", listed) == list(NotificationSerializer.Meta.fields)


@pytest.fixture
def cart():
    """Return what a customer of the testing page buys."""
    from decimal import Decimal

    from orders.types import LineItem

    return [LineItem(sku="ESP-100", name="Espresso machine", unit_price=Decimal("1399.00"))]


def test_the_first_example_of_the_testing_page_runs(alice, cart, shipped_templates, published_events):
    scope: dict[str, Any] = {}
    exec(code("docs/testing.md", 0), scope)  # noqa: S102 - our own page

    scope["test_shipping_tells_the_customer_the_tracking_code"](alice, cart, published_events)


def test_the_second_example_of_the_testing_page_runs(alice, cart, shipped_templates, timeline):
    scope: dict[str, Any] = {}
    exec(code("docs/testing.md", 1), scope)  # noqa: S102 - our own page

    scope["test_an_order_at_night_is_confirmed_in_the_morning"](alice, cart, timeline)


def test_the_failure_on_the_testing_page_is_what_is_said(alice, cart, shipped_templates, timeline):
    text = code("docs/testing.md", 1).replace("assert_not_sent", "assert_sent")
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102 - our own page

    with pytest.raises(AssertionError) as failure:
        scope["test_an_order_at_night_is_confirmed_in_the_morning"](alice, cart, timeline)

    shown = re.sub(r"ORD-\d+", "ORD-10001", str(failure.value))
    assert f"AssertionError: {shown}\n" in (ROOT / "docs/testing.md").read_text(encoding="utf-8")


def test_the_third_example_of_the_testing_page_runs(alice, shipped_templates, timeline):
    scope: dict[str, Any] = {}
    exec(code("docs/testing.md", 2), scope)  # noqa: S102 - our own page

    scope["test_a_text_message_survives_three_failures"](alice, timeline)


HTTP_PAGE = "docs/publishing-over-http.md"


def curl(client, line, **variables):
    """Do what a line of curl would, by the test client; without a body it is a GET."""
    for name, value in variables.items():
        line = line.replace(f"${name}", value)
    program, *words = shlex.split(line.replace("\\\n", " "))
    assert program == "curl"
    url, headers, body = "", {}, None
    while words:
        match words.pop(0):
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                body = words.pop(0)
            case "-i":
                pass
            case address:
                url = address.removeprefix("https://shop.example")
    kind = headers.pop("Content-Type", "")
    method = "GET" if body is None else "POST"
    return client.generic(method, url, body or "", content_type=kind, headers=headers)


def test_the_examples_of_publishing_over_http_run(client, alice, bob, template):
    key = api_keys.issue("billing", now=timezone.now(), templates=["ORDER_CREATED"]).text
    line = code(HTTP_PAGE, 0, "bash").replace("[17, 23]", f"[{alice.pk}, {bob.pk}]")

    published = curl(client, line, KEY=key)
    Work().run()
    became = curl(client, code(HTTP_PAGE, 1, "bash"), KEY=key, ID=published.json()["event_id"])

    text = (ROOT / HTTP_PAGE).read_text(encoding="utf-8")
    shown = json.loads(re.findall(r"^\{\"event_id\".*$", text, re.MULTILINE)[0])
    assert published.status_code == 202
    assert published.json() == {**shown, "event_id": published.json()["event_id"]}
    outcome = json.loads(code(HTTP_PAGE, 0, "json"))
    assert list(became.json()) == list(outcome)
    assert became.json()["deliveries"] == outcome["deliveries"]


def test_the_commands_for_keys_run(template, capsys):
    for name in ("INVOICE_CREATED", "PAYMENT_RECEIVED"):
        make_template(name)
    text = (ROOT / HTTP_PAGE).read_text(encoding="utf-8")
    commands = [shlex.split(line, comments=True) for line in re.findall(r"^manage.py (.+)$", text, re.MULTILINE)]
    (*creating, revoking) = commands

    for command in creating:
        call_command(*command)
    prefix = ApiKey.objects.latest("pk").prefix
    call_command(*[prefix if word == "k3x9q0v7m2ab" else word for word in revoking])

    assert capsys.readouterr().out.splitlines()[-1] == f"dashboard ({prefix}) is revoked"


def test_the_page_of_publishing_over_http_names_every_field_and_code():
    page = (ROOT / HTTP_PAGE).read_text(encoding="utf-8")
    table = page[page.index("| field |") : page.index("Over 50 recipients")]
    named = [word for row in table.strip().splitlines() for word in re.findall(r"`(\w+)`", row.split("|")[1])]
    codes = set(re.findall(r"`(\w+)`", page[page.index("Of an `errors` entry") :]))

    assert named == list(PublishSerializer().fields)
    assert {code for _, code in ABOUT.values()} <= codes


def test_the_examples_of_failover_and_of_amazon_can_be_used(settings):
    from botocore.config import Config

    page = (ROOT / "docs/channels.md").read_text(encoding="utf-8")
    (failover,) = re.findall(r"```python\n([^`]*\"FALLBACKS\"[^`]*)```", page)
    (amazon,) = re.findall(r"```python\n(\"backend_options\"[^`]*)```", page)
    scope: dict[str, Any] = {"env": str.lower, "Config": Config}
    exec(f"{failover}\namazon = {{{amazon}}}", scope)  # noqa: S102 - our own page
    channels = scope["NOTIFICATION_CHANNELS"]
    channels["email"]["OPTIONS"] |= scope["amazon"]
    settings.NOTIFICATION_CHANNELS = channels

    assert [backend.key for backend in conf.backends("email")] == ["ses", "own-server"]
    found = checks.check_channels() + checks.check_channel_keys() + checks.check_fallbacks() + checks.check_options()
    assert found == []


def test_the_examples_of_push_configure_it_and_register_an_app(client, alice, settings):
    import environ

    from notifications.channels.vapid import new_private_key
    from tests.providers.firebase import PEM

    env = environ.Env()
    env.ENVIRON = {"VAPID_PRIVATE_KEY": new_private_key(), "VAPID_SUBJECT": "mailto:push@shop.example"}
    env.ENVIRON["FCM_SERVICE_ACCOUNT"] = json.dumps(
        {"project_id": "shop", "private_key": PEM, "client_email": "x", "token_uri": "x"}
    )
    page = (ROOT / "docs/channels.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n([^`]*\.(?:WebPush|Push)Channel[^`]*)```", page)
    (address,) = re.findall(r"```json\n([^`]*\"token\"[^`]*)```", page)
    client.force_login(alice)
    assert len(examples) == 2
    for example in examples:
        scope: dict = {"env": env}
        exec(example, scope)  # noqa: S102 - our own page
        settings.NOTIFICATION_CHANNELS = scope["NOTIFICATION_CHANNELS"]
        assert registry.adapter("web_push").check() == []
        assert client.get("/api/notifications/endpoints/").json()["vapid_public_key"]

    answer = client.post("/api/notifications/endpoints/", json.loads(address), content_type="application/json")
    assert answer.status_code == 201


def test_the_page_on_personal_data_says_of_every_table_what_becomes_of_it():
    page = (ROOT / "docs/personal-data.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    models: list[type[Model]] = [*personal_data.OWNED, Event, Erasure]

    assert told == {model.__name__ for model in models}
