"""Fixtures for everybody: the three people, a template to publish with, and a clean process."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import SimpleTestCase
from django.utils import translation

from notifications import registry
from notifications.api.throttles import UserThrottle
from notifications.channels import fake
from notifications.pipeline import breaker, pausing, sizing, wording
from notifications.pipeline.draining import places
from notifications.services import monitor
from tests.factories import make_person, make_template

pytest_plugins = ["notifications.testing.plugin"]

# Before anybody imports it: what tests share asserts, too.
pytest.register_assert_rewrite("tests.notifications.channels.conformance")

#: Fixtures of pytest-django that open the database; what asks for them, at whatever remove, uses it. (`django_db_blocker`
#: is there for every test.)
OF_THE_DATABASE = {
    "db",
    "django_db_reset_sequences",
    "django_db_serialized_rollback",
    "django_db_setup",
    "live_server",
    "transactional_db",
}


def pytest_addoption(parser):
    parser.addoption("--with-database", action="store_true", help="only tests that use the database")


def pytest_collection_modifyitems(config, items):
    """Leave out what another database cannot change, if asked to."""
    if not config.getoption("with_database"):
        return
    without = [item for item in items if not _uses_database(item)]
    items[:] = [item for item in items if _uses_database(item)]
    config.hook.pytest_deselected(items=without)


def _uses_database(item):
    case = getattr(item, "cls", None)
    # A module that knows the connection may ask what database it is, also in a test that must not use it.
    return (
        getattr(getattr(item, "module", None), "connection", None) is connection
        or item.get_closest_marker("django_db") is not None
        or not OF_THE_DATABASE.isdisjoint(getattr(item, "fixturenames", ()))
        or (case is not None and issubclass(case, SimpleTestCase))
    )


@pytest.fixture(autouse=True)
def clean_process(monkeypatch):
    """Forget what the process remembers of the test before; and claim as much on a slow machine as on a fast one."""
    monkeypatch.setattr(sizing, "monotonic", lambda: 0.0)
    wording.forget()
    pausing.forget()
    breaker.forget()
    sizing.forget()
    monitor.forget()
    fake.forget()
    registry.close_adapters()
    places.stopping.clear()
    # A request leaves its language behind.
    translation.deactivate()
    UserThrottle.cache.clear()
    yield
    registry.close_adapters()


@pytest.fixture
def fake_sms(settings):
    """Send text messages by the fake; return what it keeps."""
    settings.NOTIFICATION_CHANNELS = {
        **settings.NOTIFICATION_CHANNELS,
        "sms": {"BACKEND": "notifications.channels.fake.FakeChannel"},
    }
    return fake.sent


@pytest.fixture
def alice(db):
    """Owns what the test is about; can be reached by e-mail and text message."""
    return make_person("alice", phone="+4915550001001")


@pytest.fixture
def bob(db):
    """Somebody else who may be told too; reads German, has no phone."""
    return make_person("bob", locale="de-AT")


@pytest.fixture
def charlie(db):
    """Has no business here."""
    return make_person("charlie")


@pytest.fixture
def template(db):
    """ORDER_CREATED with an `order_number`, for in-app, e-mail and text message."""
    return make_template("ORDER_CREATED")


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


@pytest.fixture
def shipped_templates(db):
    """Seed the shipped wording: the receivers are connected, as in production, and publish with it."""
    call_command("seed_notification_templates", verbosity=0)
