"""The planner, by tables: it reads no clock and no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications.pipeline.quiet_hours import QuietHours
from notifications.pipeline.routing import EventFacts, RecipientFacts, Wish, no_longer, plan, quiet_until, wish
from notifications.types import Cadence, DeliveryState, Level, Priority, QuietPolicy, Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = frozenset({"in_app", "email", "sms"})
LATER = NOW + timedelta(hours=1)
OFF, ON = Cadence.OFF, Cadence.IMMEDIATELY


def event(**changes):
    facts = {
        "template": "ORDER_CREATED",
        "category": "orders",
        "is_required": False,
        "is_disabled": False,
        "channels": None,
        "worded": ALL,
        "configured": ALL,
    }
    return EventFacts(**{**facts, **changes})


def recipient(**changes):
    facts = {"is_active": True, "addresses": {"email": ("alice@example.com",), "sms": ("+4915550001001",)}}
    return RecipientFacts(**{**facts, **changes})


def verdicts(routes):
    return {route.channel: route.reason or route.state for route in routes}


def test_without_wishes_every_worded_channel_is_used_in_the_order_of_channels():
    routes = plan(event(), recipient(), now=NOW)

    assert [(route.channel, route.state, route.address, route.due_at) for route in routes] == [
        ("in_app", DeliveryState.SENT, "", NOW),
        ("email", DeliveryState.PENDING, "alice@example.com", NOW),
        ("sms", DeliveryState.PENDING, "+4915550001001", NOW),
    ]


@pytest.mark.parametrize(
    ("event_changes", "recipient_changes", "reasons"),
    [
        ({}, {"addresses": {}}, {"email": Reason.NO_ADDRESS, "sms": Reason.NO_ADDRESS}),
        ({}, {"addresses": {"email": ()}}, {"email": Reason.NO_ADDRESS, "sms": Reason.NO_ADDRESS}),
        ({}, {"is_active": False}, dict.fromkeys(ALL, Reason.RECIPIENT_INACTIVE)),
        ({"is_disabled": True}, {}, dict.fromkeys(ALL, Reason.TEMPLATE_DISABLED)),
        ({"configured": ALL - {"sms"}}, {}, {"sms": Reason.CHANNEL_NOT_CONFIGURED}),
        ({}, {"by_category": {("orders", "email"): OFF}}, {"email": Reason.CATEGORY_OFF}),
        ({}, {"by_category": {("stock", "email"): OFF}}, {}),
        ({}, {"by_category": {("orders", "in_app"): OFF}}, {"in_app": Reason.CATEGORY_OFF}),
        ({}, {"by_template": {("ORDER_CREATED", "email"): OFF}}, {"email": Reason.TEMPLATE_OFF}),
        (
            {},
            {"by_category": {("orders", "email"): OFF}, "by_template": {("ORDER_CREATED", "email"): ON}},
            {},
        ),
        ({"is_required": True}, {"by_category": {("orders", "email"): OFF}}, {}),
        ({"is_required": True}, {"by_template": {("ORDER_CREATED", "email"): OFF}}, {}),
        ({"is_required": True}, {"addresses": {}}, {"email": Reason.NO_ADDRESS, "sms": Reason.NO_ADDRESS}),
        ({}, {"suppressed": {("email", "alice@example.com")}}, {"email": Reason.SUPPRESSED_ADDRESS}),
        ({}, {"suppressed": {("sms", "alice@example.com")}}, {}),
        (
            {"is_required": True},
            {"suppressed": {("email", "alice@example.com")}},
            {"email": Reason.SUPPRESSED_ADDRESS},
        ),
        (
            {},
            {"suppressed": {("email", "alice@example.com")}, "by_category": {("orders", "email"): OFF}},
            {"email": Reason.CATEGORY_OFF},
        ),
        ({"defaults": {"sms": OFF}}, {}, {"sms": Reason.DEFAULT_OFF}),
        ({"defaults": {"sms": OFF}}, {"by_category": {("orders", "sms"): ON}}, {}),
        ({"defaults": {"sms": OFF}, "is_required": True}, {}, {}),
        ({"about": "orders.order:42"}, {"mutes": {"orders.order:42": None}}, dict.fromkeys(ALL, Reason.MUTED)),
        ({"about": "orders.order:42"}, {"mutes": {"orders.order:42": LATER}}, dict.fromkeys(ALL, Reason.MUTED)),
        ({"about": "orders.order:42"}, {"mutes": {"orders.order:42": NOW}}, {}),
        ({"about": "orders.order:42"}, {"mutes": {"orders.order:43": None}}, {}),
        ({"about": "orders.order:42", "is_required": True}, {"mutes": {"orders.order:42": None}}, {}),
    ],
    ids=[
        "no addresses",
        "no address of a channel",
        "inactive",
        "disabled template",
        "channel not set up",
        "category off",
        "another category off",
        "in-app can be switched off too",
        "template off",
        "the wish for the template outweighs the category",
        "required beats category",
        "required beats template",
        "required still needs an address",
        "suppressed",
        "suppressed on another channel",
        "suppressed beats required",
        "what the recipient wants comes first",
        "off unless wished for",
        "wished for",
        "required beats the default",
        "muted for ever",
        "muted until later",
        "no longer muted",
        "another object is muted",
        "required beats a mute",
    ],
)
def test_each_reason_stands_where_it_belongs(event_changes, recipient_changes, reasons):
    routes = plan(event(**event_changes), recipient(**recipient_changes), now=NOW)

    expected = {"in_app": DeliveryState.SENT, "email": DeliveryState.PENDING, "sms": DeliveryState.PENDING}
    assert verdicts(routes) == {**expected, **reasons}
    assert {route.state for route in routes if route.reason} <= {DeliveryState.SUPPRESSED}


def test_an_event_that_names_channels_gets_a_verdict_for_exactly_those():
    routes = plan(event(channels=("sms", "web_push"), worded=ALL), recipient(), now=NOW)

    assert verdicts(routes) == {"sms": DeliveryState.PENDING, "web_push": Reason.NO_CONTENT}


def test_an_event_may_name_no_channel_at_all():
    assert plan(event(channels=()), recipient(), now=NOW) == []


# --- Who decides ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event_changes", "recipient_changes", "wished"),
    [
        ({}, {}, Wish(cadence=ON, level=Level.DEFAULT)),
        ({"defaults": {"email": OFF}}, {}, Wish(cadence=OFF, level=Level.DEFAULT)),
        ({"defaults": {"sms": OFF}}, {}, Wish(cadence=ON, level=Level.DEFAULT)),
        ({}, {"by_category": {("orders", "email"): OFF}}, Wish(cadence=OFF, level=Level.CATEGORY)),
        (
            {"defaults": {"email": OFF}},
            {"by_category": {("orders", "email"): OFF}, "by_template": {("ORDER_CREATED", "email"): ON}},
            Wish(cadence=ON, level=Level.TEMPLATE),
        ),
        (
            {"is_required": True},
            {"by_category": {("orders", "email"): OFF}, "by_template": {("ORDER_CREATED", "email"): OFF}},
            Wish(cadence=ON, level=Level.REQUIRED),
        ),
    ],
    ids=["nobody", "the default", "the default of another channel", "the category", "the template", "required"],
)
def test_the_strongest_level_that_has_a_word_decides(event_changes, recipient_changes, wished):
    assert wish(event(**event_changes), recipient(**recipient_changes), "email") == wished


# --- The daily cap --------------------------------------------------------------------------------------------------


def test_who_has_had_enough_for_the_day_still_finds_it_in_the_inbox():
    assert verdicts(plan(event(), recipient(), now=NOW, is_capped=True)) == {
        "in_app": DeliveryState.SENT,
        "email": Reason.FREQUENCY_CAP,
        "sms": Reason.FREQUENCY_CAP,
    }


def test_what_is_required_knows_no_cap():
    routes = plan(event(is_required=True), recipient(), now=NOW, is_capped=True)

    assert {route.reason for route in routes} == {None}


def test_a_reason_of_its_own_comes_before_the_cap():
    routes = plan(event(), recipient(addresses={}), now=NOW, is_capped=True)

    assert verdicts(routes)["email"] == Reason.NO_ADDRESS


# --- Several addresses ----------------------------------------------------------------------------------------------

BROWSERS = {"worded": frozenset({"web_push"}), "configured": frozenset({"web_push"})}


def test_each_address_of_a_channel_has_a_route_of_its_own():
    laptop_and_phone = recipient(addresses={"web_push": ("laptop", "phone")}, suppressed={("web_push", "phone")})

    routes = plan(event(**BROWSERS), laptop_and_phone, now=NOW)

    assert [(route.address, route.state, route.reason) for route in routes] == [
        ("laptop", DeliveryState.PENDING, None),
        ("phone", DeliveryState.SUPPRESSED, Reason.SUPPRESSED_ADDRESS),
    ]


def test_each_endpoint_collects_for_itself_and_an_email_address_does_not():
    channels = frozenset({"web_push", "email"})
    addresses = {"web_push": ("laptop", "phone"), "email": ("alice@example.com",)}
    daily = dict.fromkeys([("orders", "web_push"), ("orders", "email")], Cadence.DAILY)

    routes = plan(
        event(worded=channels, configured=channels), recipient(addresses=addresses, by_category=daily), now=NOW
    )

    assert [route.hold and route.hold.key for route in routes] == [
        "daily:orders", "daily:orders@laptop", "daily:orders@phone",
    ]  # fmt: skip


# --- Quiet hours ----------------------------------------------------------------------------------------------------

NIGHT = QuietHours.from_json({"daily": ["22:00-07:00"]})
#: Half past one in Berlin.
IN_THE_NIGHT = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
MORNING = datetime(2026, 3, 1, 6, tzinfo=UTC)
SLEEPER = {"quiet": NIGHT, "time_zone": "Europe/Berlin"}


def test_in_quiet_hours_what_makes_a_sound_waits_for_the_morning_and_the_inbox_does_not():
    channels = ALL | {"web_push", "chat", "webhook"}
    addresses = dict.fromkeys(channels, ("x",))
    routes = plan(
        event(worded=channels, configured=channels), recipient(addresses=addresses, **SLEEPER), now=IN_THE_NIGHT
    )

    assert {route.channel: (route.state, route.due_at, route.reason) for route in routes} == {
        "in_app": (DeliveryState.SENT, IN_THE_NIGHT, None),
        "webhook": (DeliveryState.PENDING, IN_THE_NIGHT, None),
        **dict.fromkeys(("email", "sms", "web_push", "chat"), (DeliveryState.PENDING, MORNING, Reason.QUIET_HOURS)),
    }


def test_what_is_not_sent_anyway_does_not_wait():
    routes = plan(event(), recipient(addresses={}, **SLEEPER), now=IN_THE_NIGHT)

    assert verdicts(routes)["email"] == Reason.NO_ADDRESS


@pytest.mark.parametrize(
    ("policy", "priority", "waits"),
    [
        (QuietPolicy.NOTHING, Priority.URGENT, True),
        (QuietPolicy.NOTHING, Priority.LOW, True),
        (QuietPolicy.URGENT, Priority.URGENT, False),
        (QuietPolicy.URGENT, Priority.HIGH, True),
        (QuietPolicy.EVERYTHING, Priority.LOW, False),
    ],
)
def test_the_category_says_what_passes(policy, priority, waits):
    facts = event(quiet_policy=policy, priority=priority, is_required=True)

    assert (quiet_until(facts, recipient(**SLEEPER), "email", now=IN_THE_NIGHT) == MORNING) is waits


def test_outside_quiet_hours_nothing_waits():
    assert quiet_until(event(), recipient(**SLEEPER), "email", now=MORNING) is None
    assert quiet_until(event(), recipient(), "email", now=IN_THE_NIGHT) is None


# --- Asked once more ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event_changes", "recipient_changes", "reason"),
    [
        ({}, {}, None),
        ({"is_disabled": True}, {}, Reason.TEMPLATE_DISABLED),
        ({}, {"is_active": False}, Reason.RECIPIENT_INACTIVE),
        ({}, {"by_category": {("orders", "email"): OFF}}, Reason.CATEGORY_OFF),
        ({"about": "a:1"}, {"mutes": {"a:1": None}}, Reason.MUTED),
        ({"is_required": True}, {"by_category": {("orders", "email"): OFF}}, None),
        ({"worded": frozenset(), "configured": frozenset()}, {"addresses": {}}, None),
    ],
    ids=["wanted", "disabled", "inactive", "off", "muted", "required", "planned with a wording and an address"],
)
def test_a_planned_delivery_is_asked_about_once_more(event_changes, recipient_changes, reason):
    assert no_longer(event(**event_changes), recipient(**recipient_changes), "email", now=NOW) == reason
