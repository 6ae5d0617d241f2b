"""Fixtures of the orders tests."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command


@pytest.fixture
def shipped_templates(db):
    """Seed the shipped wording: the receivers are connected, as in production."""
    call_command("seed_notification_templates", verbosity=0)


@pytest.fixture
def alice():
    return get_user_model().objects.create_user("alice", email="alice@example.com", first_name="Alice")


@pytest.fixture
def connect():
    """Return a function that connects a receiver to a signal until the test ends."""
    connected = []

    def connect(signal, receiver):
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


@pytest.fixture
def hear(connect):
    """Return a function that gives the list of what a signal says until the test ends, by argument name."""

    def hear(signal, argument):
        heard = []
        connect(signal, lambda sender, **kwargs: heard.append(kwargs[argument]))
        return heard

    return hear
