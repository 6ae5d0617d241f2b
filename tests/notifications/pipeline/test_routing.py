"""The planner, by tables: it reads no clock and no database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from notifications.pipeline.routing import EventFacts, RecipientFacts, plan
from notifications.types import Cadence, DeliveryState, Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = frozenset({"in_app", "email", "sms"})
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
    facts = {"is_active": True, "addresses": {"email": "alice@example.com", "sms": "+4915550001001"}}
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
        ({}, {"addresses": {"email": ""}}, {"email": Reason.NO_ADDRESS, "sms": Reason.NO_ADDRESS}),
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
    ],
    ids=[
        "no addresses",
        "an empty address is none",
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
