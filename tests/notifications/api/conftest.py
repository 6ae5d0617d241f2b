"""Alice's browser, and an item in her inbox."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from notifications.api.throttles import UserThrottle
from notifications.services import api_keys
from tests.factories import make_item


@pytest.fixture(autouse=True)
def unthrottled():
    UserThrottle.cache.clear()
    yield
    UserThrottle.cache.clear()


@pytest.fixture
def item(alice, template):
    return make_item(alice, template)


@pytest.fixture
def browser(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def client_of():
    """Return a function that logs somebody in with a client of their own."""

    def log_in(user):
        own = Client()
        own.force_login(user)
        return own

    return log_in


@pytest.fixture
def csrf_client():
    """A client that forgets the CSRF token, as a forged page would."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def make_key(db):
    """Return a function that makes a service's key."""

    def make(name="billing", templates=("*",), **options):
        return api_keys.issue(name, now=timezone.now(), templates=templates, **options)

    return make


@pytest.fixture
def billing(make_key, template):
    """The key of a service that may publish everything: its text."""
    return make_key("billing").text


@pytest.fixture
def stock(make_key, template):
    """The key of another service."""
    return make_key("stock").text
