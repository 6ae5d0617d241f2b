"""What the pipeline's tests share."""

from __future__ import annotations

import pytest

from notifications import wakeups
from tests import adapters


@pytest.fixture
def rung(monkeypatch):
    """Return the wake-ups that were asked for: (actor, seconds from now)."""
    calls: list = []
    monkeypatch.setattr(wakeups._sender, "put", lambda actor, delay: calls.append((actor, delay)))
    return calls


@pytest.fixture
def use(settings):
    """Return a function that puts an adapter in place of those for e-mail and text messages."""
    in_use = {"BACKEND": "tests.adapters.in_use"}
    settings.NOTIFICATION_CHANNELS = {"email": in_use, "sms": in_use}
    return adapters.use
