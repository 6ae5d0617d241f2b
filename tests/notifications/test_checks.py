"""Wrong settings fail at start-up and name the fix."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

from notifications import checks

EMAIL = {"BACKEND": "notifications.channels.email.EmailChannel"}


def ids(messages):
    return [message.id for message in messages]


def test_the_projects_own_settings_are_clean():
    ours = [
        found for found in run_checks(tags=["notifications"]) if found.id and found.id.startswith("notifications.E")
    ]
    assert ours + checks.check_middleware() == []


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


def test_a_fallback_that_cannot_be_used_is_an_error_that_names_it(settings):
    settings.NOTIFICATION_CHANNELS = {"email": {**EMAIL, "FALLBACKS": [{**EMAIL, "NAME": "b"}, {"BACKEND": "no.One"}]}}

    (error,) = checks.check_channels()

    assert error.id == "notifications.E002"
    assert error.msg.startswith("NOTIFICATION_CHANNELS['email']['FALLBACKS'][1] cannot be used: No module named 'no'")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({**EMAIL, "FALBACKS": []}, "['email'] has no key 'FALBACKS' (did you mean 'FALLBACKS'?)."),
        ({**EMAIL, "FALLBACKS": [{**EMAIL, "OPTONS": {}}]}, "[0] has no key 'OPTONS' (did you mean 'OPTIONS'?)."),
        ({**EMAIL, "FALLBACKS": [{**EMAIL, "FALLBACKS": []}]}, "[0] has no key 'FALLBACKS'"),
    ],
    ids=["channel", "fallback", "fallback of a fallback"],
)
def test_a_key_that_is_none_is_an_error(settings, declared, words):
    settings.NOTIFICATION_CHANNELS = {"email": declared}

    (error,) = checks.check_channel_keys()

    assert error.id == "notifications.E004"
    assert words in error.msg


@pytest.mark.parametrize("fallback", [EMAIL, {**EMAIL, "NAME": "x" * 51}], ids=["same", "long"])
def test_a_backend_that_nobody_could_tell_from_another_is_an_error(settings, fallback):
    settings.NOTIFICATION_CHANNELS = {"email": {**EMAIL, "FALLBACKS": [{**EMAIL, "NAME": "standby"}, fallback]}}

    (error,) = checks.check_fallbacks()

    assert error.id == "notifications.E005"
    assert "['FALLBACKS'][1]" in error.msg


def test_what_an_adapter_finds_wrong_is_an_error(settings):
    settings.NOTIFICATION_CHANNELS = {"email": {**EMAIL, "OPTIONS": {"from_email": "a@example.com, b@example.com"}}}

    (error,) = checks.check_options()

    assert error.id == "notifications.E006"
    assert error.msg.startswith("NOTIFICATION_CHANNELS['email']: from_email is no sender")


def test_no_check_tells_the_value_of_an_option(settings):
    backend = {"BACKEND": "tests.adapters.Secretive", "OPTIONS": {"token": "zzsecret"}}
    settings.NOTIFICATION_CHANNELS = {"sms": {**backend, "FALLBACKS": [{**backend, "OPTIONS": {"tokn": "zzsecret"}}]}}

    told = "".join(f"{found} {found!r}" for found in run_checks(tags=["notifications"]))

    assert "an option has a value it cannot have" in told
    assert "tokn" in told
    assert "zzsecret" not in told


@pytest.mark.parametrize("color", ["red", "#12", "#1d4ed8;", "#gggggg", ""])
def test_a_colour_that_is_none_is_an_error(settings, color):
    settings.NOTIFICATIONS = {"BRAND_COLOR": color}

    assert ids(checks.check_look()) == ["notifications.E007"]


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
