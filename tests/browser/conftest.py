"""A real Chromium and a real server. The server is a process of its own, over the database the tests write to."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.looking import PATIENCE
from tests.factories import make_item, make_template
from tests.website import running_website

# Playwright keeps an event loop in this thread; the tests' own queries are none of its business.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A machine that is busy with more than these tests needs several times as long as one that is not.
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def chromium():
    """The browser; without one, the tests are skipped and say so."""
    program = find_chromium()
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(django_db_setup):
    """Where the site answers."""
    with running_website(f"sqlite:///{connection.settings_dict['NAME']}") as url:
        yield url


@pytest.fixture
def visit(chromium, address, transactional_db):
    """Return a function that logs somebody in, in a browser profile of their own, and returns it."""
    with ExitStack() as stack:

        def visit(user, **options):
            context = chromium.new_context(base_url=address, **options)
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE * 1000)
            client = Client()
            client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
            return context

        yield visit


@pytest.fixture
def kind(transactional_db):
    """A template, with its category."""
    return make_template("ORDER_CREATED")


@pytest.fixture
def deliver(kind):
    """Return a function that puts items into somebody's inbox, the last one on top."""

    def deliver(user, *titles, **changes):
        return [make_item(user, kind, title=title, **changes) for title in titles]

    return deliver


@pytest.fixture
def client_of_session(transactional_db):
    """Return a function that gives a client with the session of a browser, to do something behind its back."""

    def client_of_session(context):
        (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == settings.SESSION_COOKIE_NAME]
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie["value"]
        return client

    return client_of_session


@pytest.fixture
def staff(visit, admin_user):
    """Return a function that opens a page of an administrator's."""
    return lambda **options: visit(admin_user, **options).new_page()
