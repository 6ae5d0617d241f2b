"""Others who ask the API: forged pages, and services with their keys."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from notifications.services import api_keys


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
