"""Browsers and apps by one channel."""

from __future__ import annotations

import pytest

from notifications.channels.push import PushChannel
from notifications.exceptions import MisconfiguredError, PermanentError
from notifications.types import Reason
from notifications.values import Receipt
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import Answer
from tests.notifications.channels.test_fcm import FcmPeer
from tests.notifications.channels.test_web_push import (
    KEY,
    PUBLIC_KEY,
    WebPushPeer,
    on_loopback,  # noqa: F401 - a fixture
)
from tests.providers.firebase import PEM

BROWSERS = {"private_key": KEY, "subject": "mailto:push@shop.example"}


class PushPeer(WebPushPeer):
    """Browsers alone, by the adapter for both."""

    secrets = (KEY, PEM)

    def adapter(self):
        account = {"project_id": "shop", "client_email": "x", "private_key": PEM, "token_uri": "http://127.0.0.1:1/"}
        self._adapters.append(PushChannel(browsers=BROWSERS, apps={"service_account": account}))
        return self._adapters[-1]


@pytest.fixture
def peer():
    with PushPeer() as peer:
        yield peer


@pytest.fixture
def browsers():
    with WebPushPeer() as peer:
        yield peer


@pytest.fixture
def apps():
    with FcmPeer() as peer:
        yield peer


@pytest.fixture
def channel(browsers, apps):
    options = {"service_account": apps.firebase.account(), "base_url": apps.url}
    channel = PushChannel(browsers=BROWSERS, apps=options)
    yield channel
    channel.close()


def test_each_message_goes_the_way_of_its_address(browsers, apps, channel):
    browsers.script(Answer.ACCEPTED, Answer.GONE)
    messages = [browsers.message(1), apps.message(2), browsers.message(3), apps.message(4)]

    results = list(channel.send_batch(messages))

    assert [type(result) for result in results] == [Receipt, Receipt, PermanentError, Receipt]
    assert len(browsers.accepted) == 1
    assert [told["token"] for told in apps.accepted] == [apps.endpoint(2)["token"], apps.endpoint(4)["token"]]


def test_what_is_neither_is_refused(browsers, apps, channel):
    (result,) = channel.send_batch([browsers.message(endpoint=None)])

    assert isinstance(result, PermanentError)
    assert result.reason == Reason.INVALID_ADDRESS
    assert (browsers.calls, apps.calls) == (0, 0)


def test_wrong_options_of_each_are_said(channel):
    assert channel.check() == []
    assert channel.public_key == PUBLIC_KEY
    wrong = PushChannel(browsers={"private_key": "", "subject": "mailto:a@b.example"}, apps={"service_account": {}})
    assert [problem.partition(":")[0] for problem in wrong.check()] == ["browsers", "apps"]


def test_nothing_is_sent_with_wrong_options(browsers, apps):
    wrong = PushChannel(browsers={"private_key": "", "subject": ""}, apps={"service_account": {}})

    results = list(wrong.send_batch([browsers.message(1), apps.message(2)]))

    assert all(isinstance(result, MisconfiguredError) for result in results)
    assert (browsers.calls, apps.calls) == (0, 0)
