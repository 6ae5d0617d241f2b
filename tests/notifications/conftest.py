"""Somebody's browser, and an item in Alice's inbox."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_item


@pytest.fixture
def item(alice, template):
    return make_item(alice, template)


@pytest.fixture
def client_of():
    """Return a function that logs somebody in with a client of their own."""

    def log_in(user):
        own = Client()
        own.force_login(user)
        return own

    return log_in


@pytest.fixture
def browser(client_of, alice):
    """Alice's."""
    return client_of(alice)
