"""The key that push services know this site by."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications.channels.web_push import WebPushChannel


def run(*args):
    out = StringIO()
    call_command("make_vapid_keys", *args, stdout=out, stderr=StringIO())
    return dict(line.split("=", 1) for line in out.getvalue().splitlines())


def test_what_is_printed_configures_the_channel(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@shop.example>"

    made = run()

    assert list(made) == ["VAPID_PRIVATE_KEY", "VAPID_SUBJECT"]
    channel = WebPushChannel(private_key=made["VAPID_PRIVATE_KEY"], subject=made["VAPID_SUBJECT"])
    assert channel.check() == []
    assert made["VAPID_SUBJECT"] == "mailto:shop@shop.example"


def test_each_key_is_another():
    assert run()["VAPID_PRIVATE_KEY"] != run()["VAPID_PRIVATE_KEY"]


def test_the_subject_can_be_named_and_must_reach_somebody():
    assert run("--subject", "https://shop.example/push")["VAPID_SUBJECT"] == "https://shop.example/push"
    with pytest.raises(CommandError, match="mailto"):
        run("--subject", "shop")
