"""Which sessions stand: by the set for the database, one by one elsewhere."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.utils import timezone

from notifications.services.sessions import Login, still_standing

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture
def login_of(settings):
    """Return a function that logs somebody in and returns what a stream would know of it."""

    def login(user):
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        return Login(session_key=session.session_key, user=str(user.pk))

    return login


def standing(*logins):
    return still_standing(logins, now=timezone.now())


@pytest.mark.parametrize("engine", ENGINES)
def test_every_session_engine_is_understood(alice, bob, settings, tmp_path, login_of, engine):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    mine, theirs = login_of(alice), login_of(bob)
    nobodys = Login(session_key="a" * 32, user=str(alice.pk))
    crossed = Login(session_key=theirs.session_key, user=mine.user)

    assert standing(mine, theirs, nobodys, crossed) == {mine, theirs}
    bob.set_password("another one")
    bob.save()
    assert standing(mine, theirs) == {mine}
    get_user_model().objects.filter(pk=alice.pk).update(is_active=False)
    assert standing(mine, theirs) == set()


def test_two_people_without_a_password_are_two_people(alice, bob, login_of):
    for user in (alice, bob):
        user.password = "!"
        user.save()
    theirs = login_of(bob)

    assert standing(theirs, Login(session_key=theirs.session_key, user=str(alice.pk))) == {theirs}


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "file"])
def test_a_logout_is_noticed_wherever_sessions_are_kept(alice, settings, tmp_path, login_of, engine):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    mine, another = login_of(alice), login_of(alice)

    import_module(settings.SESSION_ENGINE).SessionStore(mine.session_key).flush()

    assert standing(mine, another) == {another}


def test_a_thousand_sessions_are_two_statements(django_assert_num_queries, alice, login_of):
    mine = login_of(alice)
    others = [Login(session_key=f"{number:032}", user=str(alice.pk)) for number in range(999)]

    with django_assert_num_queries(2):
        assert standing(mine, *others) == {mine}


def test_nobody_is_nobody(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert standing() == set()
