"""Wrong settings fail at start-up and name the fix."""

from __future__ import annotations

import pytest

from notifications import checks

EMAIL = {"BACKEND": "notifications.channels.email.EmailChannel"}


def ids(messages):
    return [message.id for message in messages]


def test_the_projects_own_settings_are_clean():
    assert checks.check_keys() + checks.check_channels() + checks.check_leases() + checks.check_middleware() == []


def test_an_unknown_key_is_an_error_with_a_suggestion(settings):
    settings.NOTIFICATIONS = {"CHUNKSIZE": 10}

    (error,) = checks.check_keys()

    assert error.id == "notifications.E001"
    assert error.msg == "NOTIFICATIONS has no key 'CHUNKSIZE' (did you mean 'CHUNK_SIZE'?)."


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ({"smss": EMAIL}, "no channel 'smss' (did you mean 'sms'?)"),
        ({"in_app": EMAIL}, "no channel 'in_app'"),
        ({"email": {}}, "'BACKEND'"),
        ({"email": {"BACKEND": "nowhere.Nothing"}}, "No module named 'nowhere'"),
        ({"email": {**EMAIL, "OPTIONS": {"form_email": "x"}}}, "form_email"),
        ({"email": {"BACKEND": "builtins.dict"}}, "dict is no ChannelAdapter"),
    ],
    ids=["name", "in-app", "no backend", "no module", "option", "not an adapter"],
)
def test_a_channel_that_cannot_be_used_is_an_error(settings, channels, words):
    settings.NOTIFICATION_CHANNELS = channels

    (error,) = checks.check_channels()

    assert error.id == "notifications.E002"
    assert words in error.msg
    assert checks.check_leases() == []


def test_a_lease_shorter_than_four_sends_is_an_error(settings):
    settings.NOTIFICATIONS = {"LEASE": 59}

    assert ids(checks.check_leases()) == ["notifications.E003", "notifications.E003"]


def test_middleware_that_harms_us_is_a_warning(settings):
    settings.DRAMATIQ_BROKER = {
        **settings.DRAMATIQ_BROKER,
        "MIDDLEWARE": ["django_dramatiq.middleware.AdminMiddleware", "dramatiq.middleware.TimeLimit"],
    }

    assert ids(checks.check_middleware()) == ["notifications.W001", "notifications.W001"]


@pytest.mark.parametrize(
    ("broker", "url", "found"),
    [
        ("notifications.broker.EmbeddedBroker", "", []),
        ("notifications.broker.rabbitmq.RabbitBroker", "", ["notifications.W002"]),
        ("notifications.broker.BlockingRedisBroker", "", ["notifications.W002"]),
        ("notifications.broker.rabbitmq.RabbitBroker", "redis://live.example/0", []),
    ],
    ids=["embedded", "rabbitmq alone", "redis not named", "rabbitmq and redis"],
)
def test_live_messages_that_no_browser_would_hear_are_a_warning(settings, broker, url, found):
    settings.DRAMATIQ_BROKER = {**settings.DRAMATIQ_BROKER, "BROKER": broker}
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "REALTIME_URL": url}

    assert ids(checks.check_realtime()) == found
